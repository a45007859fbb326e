import { ALL_MODELS, listCooldowns, putCooldown, removeCooldown } from '../../db/providers/cooldowns.ts'
import { QUEUE_KEY } from '../../db/attempts/attempts.ts'
import { badInput } from '../../errors.ts'
import type { Deps } from '../deps.ts'
import { getProvider } from './configured.ts'

/** A provider, or one model of it. */
export interface PauseTarget {
  provider: string
  /** Null for all its models. */
  model: string | null
}

/**
 * Gives a provider no new work until it is resumed; accepted attempts are still checked. Throws PROVIDER_UNKNOWN, and
 * BAD_USER_INPUT for a model that it does not serve.
 */
export async function pauseProvider(
  deps: Pick<Deps, 'db' | 'clock' | 'providers'>,
  target: PauseTarget,
  reason: string,
): Promise<void> {
  checkTarget(deps, target)
  const { provider, model } = target
  const since = deps.clock.now()
  await deps.db.tx((q) =>
    putCooldown(q, { provider, model: model ?? ALL_MODELS, forMs: null, reason, since }),
  )
}

/** Lifts all pauses and cooldowns of a provider, or of one of its models. Does nothing when there is none. */
export async function resumeProvider(
  deps: Pick<Deps, 'db' | 'providers'>,
  target: PauseTarget,
): Promise<void> {
  checkTarget(deps, target)
  const { provider, model } = target
  await deps.db.tx(async (q) => {
    const own = (await listCooldowns(q)).filter((cooldown) => cooldown.provider === provider)
    for (const cooldown of own.filter((one) => model === null || one.model === model))
      await removeCooldown(q, cooldown, { paused: true })
    q.wakeUp(QUEUE_KEY)
  })
}

function checkTarget({ providers }: Pick<Deps, 'providers'>, { provider: name, model }: PauseTarget): void {
  const { offers } = getProvider(providers, name, 'name')
  if (model === null || offers.some((offer) => offer.model === model)) return
  const served = offers.map((offer) => offer.model).join(', ')
  throw badInput('model', `${name} does not serve ${JSON.stringify(model)}. It serves ${served}.`)
}
