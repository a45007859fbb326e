import { ALL_MODELS, listRests, putRest, removeRest, type RestRow } from '../../db/providers/cooldowns.ts'
import { QUEUE_KEY } from '../../db/attempts/attempts.ts'
import { badInput, GatewayError } from '../../errors.ts'
import type { Deps } from '../deps.ts'

/** A provider, or one model of it. */
export interface PauseTarget {
  provider: string
  /** Null for all its models. */
  model: string | null
}

/**
 * Gives a provider no new work until it is resumed; what it has accepted is still asked about. Throws PROVIDER_UNKNOWN,
 * and BAD_USER_INPUT for a model it does not serve.
 */
export async function pauseProvider(deps: Deps, target: PauseTarget, reason: string): Promise<void> {
  checkTarget(deps, target)
  const { provider, model } = target
  const since = deps.clock.now()
  await deps.db.tx((q) => putRest(q, { provider, model: model ?? ALL_MODELS, forMs: null, reason, since }))
}

/** Ends every rest of a provider, or of one model of it, whoever ordered it. Nothing happens when there is none. */
export async function resumeProvider(deps: Deps, target: PauseTarget): Promise<void> {
  checkTarget(deps, target)
  const { provider, model } = target
  await deps.db.tx(async (q) => {
    const own = (await listRests(q)).filter((rest) => rest.provider === provider)
    for (const rest of own.filter((one) => model === null || one.model === model)) {
      await removeRest(q, rest, { paused: true })
    }
    q.wakeUp(QUEUE_KEY)
  })
}

/** How a provider is, in one word: paused by an operator, resting, being probed after a rest, or well. */
export function healthOf(rests: readonly RestRow[]): 'PAUSED' | 'RESTING' | 'PROBING' | 'WELL' {
  if (rests.some(({ until }) => until === null)) return 'PAUSED'
  if (rests.some(({ resting }) => resting)) return 'RESTING'
  return rests.length > 0 ? 'PROBING' : 'WELL'
}

function checkTarget(deps: Deps, { provider: name, model }: PauseTarget): void {
  const provider = deps.providers.find((one) => one.name === name)
  if (!provider) {
    const known = deps.providers.map((one) => one.name).join(', ')
    throw new GatewayError(
      'PROVIDER_UNKNOWN',
      `There is no provider ${JSON.stringify(name)}. Configured: ${known}.`,
      { field: 'name' },
    )
  }
  if (model === null || provider.offers.some((offer) => offer.model === model)) return
  const served = provider.offers.map((offer) => offer.model).join(', ')
  throw badInput('model', `${name} does not serve ${JSON.stringify(model)}. It serves ${served}.`)
}
