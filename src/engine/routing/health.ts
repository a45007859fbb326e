// Cooldowns and pauses are database rows, for all processes. Queued attempts move to another provider, or wait.
import {
  ALL_MODELS,
  listCooldowns,
  putCooldown,
  removeCooldown,
  type CooldownRow,
} from '../../db/providers/cooldowns.ts'
import { QUEUE_KEY } from '../../db/attempts/attempts.ts'
import type { Queries } from '../../db/connection/database.ts'
import { PROVIDERS_KEY } from '../../db/connection/wake-up-keys.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import { badInput } from '../../errors.ts'
import type { Failure } from '../../providers/error.ts'
import type { Deps } from '../deps.ts'
import { getProvider } from './configured.ts'

/** Credentials or an account need correction. */
const REFUSED_COOLDOWN_MS = 300_000
const FAILING_COOLDOWN_MS = 30_000

/** Lifts an expired cooldown. An active one stays: the call may have begun before it. */
export async function noteSuccess(
  deps: Pick<Deps, 'db' | 'clock' | 'breaker' | 'wakeUps'>,
  { provider, model }: AttemptRow,
): Promise<void> {
  deps.breaker.note(provider, model, 'OK', deps.clock.monotonic())
  const expired = await findExpired(deps, provider, model)
  if (expired.length === 0) return
  await deps.db.tx(async (q) => {
    for (const cooldown of expired) await removeCooldown(q, cooldown, { paused: false })
  })
}

/** Starts a cooldown at once, after many failures, or after an expired one, by the kind of failure. */
export async function noteFailure(
  deps: Pick<Deps, 'db' | 'clock' | 'breaker' | 'log' | 'tuning' | 'wakeUps'>,
  attempt: AttemptRow,
  failure: Failure,
): Promise<void> {
  if (failure.isInternal) return
  const { provider, model } = attempt
  const isFault = ['unreached', 'lost', 'broken'].includes(failure.kind)
  const now = deps.clock.now()
  const opened = deps.breaker.note(provider, model, isFault ? 'FAILED' : 'OK', deps.clock.monotonic())
  const probeFailed = isFault && (await findExpired(deps, provider, model)).length > 0
  const cooldown = cooldownFor(failure, opened || probeFailed)
  if (!cooldown) return
  const { scope, reason } = cooldown
  const forMs = Math.min(cooldown.forMs, deps.tuning.maxCooldownMs)
  deps.log.warn({ provider, model, ms: forMs, code: failure.code }, 'provider put into cooldown')
  // At debug level: the provider's text may repeat the prompt.
  deps.log.debug({ provider, model }, reason)
  const which = scope === 'PROVIDER' ? ALL_MODELS : model
  await deps.db.tx((q) => putCooldown(q, { provider, model: which, forMs, reason, since: now }))
}

function cooldownFor(
  failure: Failure,
  isFailing: boolean,
): { scope: 'PROVIDER' | 'MODEL'; forMs: number; reason: string } | undefined {
  const { code, kind, retryAfterMs, message: reason } = failure
  if (code === 'PROVIDER_QUOTA' || code === 'PROVIDER_MISCONFIGURED')
    return { scope: 'PROVIDER', forMs: REFUSED_COOLDOWN_MS, reason }
  if (kind === 'busy' && retryAfterMs !== undefined) return { scope: 'MODEL', forMs: retryAfterMs, reason }
  return isFailing
    ? { scope: 'MODEL', forMs: FAILING_COOLDOWN_MS, reason: `Too many calls failed. Last error: ${reason}` }
    : undefined
}

async function findExpired(
  deps: Pick<Deps, 'db' | 'wakeUps'>,
  provider: string,
  model: string,
): Promise<CooldownRow[]> {
  return (await readCooldowns(deps)).filter((one) => !one.inCooldown && concerns(one, provider, model))
}

/** Shared by the callers of one turn of the event loop: each task reads them several times. */
export function readCooldowns({ db, wakeUps }: Pick<Deps, 'db' | 'wakeUps'>): Promise<CooldownRow[]> {
  return wakeUps.once(PROVIDERS_KEY, 'cooldowns', () => listCooldowns(db.read))
}

/** The returned function tells whether a model gets no new work. */
export async function readInCooldown(q: Queries): Promise<(provider: string, model: string) => boolean> {
  const active = (await listCooldowns(q)).filter(({ inCooldown }) => inCooldown)
  return (provider, model) => active.some((one) => concerns(one, provider, model))
}

export function concerns(cooldown: CooldownRow, provider: string, model: string): boolean {
  return cooldown.provider === provider && (cooldown.model === ALL_MODELS || cooldown.model === model)
}

/** PROBING: an expired cooldown without a successful probe. */
export function healthOf(cooldowns: readonly CooldownRow[]): 'PAUSED' | 'COOLDOWN' | 'PROBING' | 'HEALTHY' {
  if (cooldowns.some(({ until }) => until === null)) return 'PAUSED'
  if (cooldowns.some(({ inCooldown }) => inCooldown)) return 'COOLDOWN'
  return cooldowns.length > 0 ? 'PROBING' : 'HEALTHY'
}

export interface PauseTarget {
  provider: string
  /** Null: all. */
  model: string | null
}

/** Accepted attempts are still checked. Throws PROVIDER_UNKNOWN and BAD_USER_INPUT. */
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

/** Lifts pauses and cooldowns. Idempotent. Throws as `pauseProvider`. */
export async function resumeProvider(
  deps: Pick<Deps, 'db' | 'providers'>,
  target: PauseTarget,
): Promise<void> {
  checkTarget(deps, target)
  const { provider, model } = target
  await deps.db.tx(async (q) => {
    for (const cooldown of await listCooldowns(q))
      if (cooldown.provider === provider && (model === null || cooldown.model === model))
        await removeCooldown(q, cooldown, { paused: true })
    q.wakeUp(QUEUE_KEY)
  })
}

function checkTarget({ providers }: Pick<Deps, 'providers'>, { provider: name, model }: PauseTarget): void {
  const { offers } = getProvider(providers, name, 'name')
  if (model === null || offers.some((offer) => offer.model === model)) return
  const offered = offers.map((offer) => offer.model).join(', ')
  throw badInput('model', `${name} does not offer ${JSON.stringify(model)}. It offers ${offered}.`)
}
