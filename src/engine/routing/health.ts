// Provider health, from the results of calls. A cooldown is a row in the database, so every process observes it. A cooldown
// costs no money: queued attempts wait.
import {
  ALL_MODELS,
  listCooldowns,
  putCooldown,
  removeCooldown,
  type CooldownRow,
} from '../../db/providers/cooldowns.ts'
import type { Queries } from '../../db/connection/database.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import type { Failure } from '../../providers/error.ts'
import type { Deps } from '../deps.ts'

/** After wrong credentials or an empty account, which a person has to correct. */
const REFUSED_COOLDOWN_MS = 300_000
/** After too many failed calls. */
const FAILING_COOLDOWN_MS = 30_000

/** Records a successful call. Lifts an expired cooldown; an active one stays, because the call may have begun before it. */
export async function noteSuccess(
  deps: Pick<Deps, 'db' | 'clock' | 'breaker'>,
  { provider, model }: AttemptRow,
): Promise<void> {
  deps.breaker.note(provider, model, 'OK', deps.clock.now())
  const expired = await findExpired(deps, provider, model)
  if (expired.length === 0) return
  await deps.db.tx(async (q) => {
    for (const cooldown of expired) await removeCooldown(q, cooldown, { paused: false })
  })
}

/** Records a failed call. Some failures start a cooldown at once, others when there are many, or after an expired cooldown. */
export async function noteFailure(
  deps: Pick<Deps, 'db' | 'clock' | 'breaker' | 'log'>,
  attempt: AttemptRow,
  failure: Failure,
): Promise<void> {
  if (failure.isInternal) return
  const { provider, model } = attempt
  const isFault = ['unreached', 'lost', 'broken'].includes(failure.kind)
  const now = deps.clock.now()
  const opened = deps.breaker.note(provider, model, isFault ? 'FAILED' : 'OK', now)
  const probeFailed = isFault && (await findExpired(deps, provider, model)).length > 0
  const cooldown = cooldownFor(failure, opened || probeFailed)
  if (!cooldown) return
  const { scope, forMs, reason } = cooldown
  deps.log.warn({ provider, model, ms: forMs, code: failure.code }, 'provider put into cooldown')
  // The provider's text may repeat the prompt.
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
    ? { scope: 'MODEL', forMs: FAILING_COOLDOWN_MS, reason: `Too many calls failed, the last so: ${reason}` }
    : undefined
}

/** Cooldowns that have expired and that no successful probe has lifted yet. */
async function findExpired(
  { db }: Pick<Deps, 'db'>,
  provider: string,
  model: string,
): Promise<CooldownRow[]> {
  return (await listCooldowns(db.read)).filter((one) => !one.inCooldown && concerns(one, provider, model))
}

/** Reads which providers, or models of them, get no new work at this moment. */
export async function readInCooldown(q: Queries): Promise<(provider: string, model: string) => boolean> {
  const active = (await listCooldowns(q)).filter(({ inCooldown }) => inCooldown)
  return (provider, model) => active.some((one) => concerns(one, provider, model))
}

function concerns(cooldown: CooldownRow, provider: string, model: string): boolean {
  return cooldown.provider === provider && (cooldown.model === ALL_MODELS || cooldown.model === model)
}

/** The health of a provider, from its cooldowns: PROBING once one has expired and no probe has succeeded yet. */
export function healthOf(cooldowns: readonly CooldownRow[]): 'PAUSED' | 'COOLDOWN' | 'PROBING' | 'HEALTHY' {
  if (cooldowns.some(({ until }) => until === null)) return 'PAUSED'
  if (cooldowns.some(({ inCooldown }) => inCooldown)) return 'COOLDOWN'
  return cooldowns.length > 0 ? 'PROBING' : 'HEALTHY'
}
