import type { ClaimScope } from '../../db/attempts/claim.ts'
import type { InProgress } from '../../db/attempts/in-progress.ts'
import { ALL_MODELS, type CooldownRow } from '../../db/providers/cooldowns.ts'
import type { Provider } from '../../providers/provider.ts'

export interface Capacity extends Required<Pick<ClaimScope, 'provider' | 'blockedModels'>> {
  /** May be 0 or less. */
  limit: number
  /** Absent: all models. */
  model?: string
}

/** The capacities of all providers with `free` slots, pure. */
export function listCapacities(
  providers: readonly Pick<Provider, 'name' | 'concurrency'>[],
  inProgress: readonly InProgress[],
  cooldowns: readonly CooldownRow[],
): (Capacity & { free: number })[] {
  return providers.flatMap(({ name, concurrency }) => {
    const own = inProgress.filter(({ provider }) => provider === name)
    const free = concurrency - countOf(own)
    const sending = own
      .filter(({ isSending }) => isSending)
      .flatMap(({ model, count }) => Array<string>(count).fill(model))
    return capacitiesOf(name, free, sending, cooldowns)
      .filter(({ limit }) => limit > 0)
      .map((capacity) => ({ ...capacity, free }))
  })
}

export function countOf(attempts: readonly Pick<InProgress, 'count'>[]): number {
  return attempts.reduce((sum, { count }) => sum + count, 0)
}

/**
 * Pure. A model in cooldown gets no new work; after it expired, one attempt at a time is a probe. Accepted attempts
 * are always checked. `sending`: models being sent to.
 */
export function capacitiesOf(
  provider: string,
  free: number,
  sending: readonly string[],
  cooldowns: readonly CooldownRow[],
): Capacity[] {
  const own = cooldowns.filter((cooldown) => cooldown.provider === provider)
  const active = own.filter(({ inCooldown }) => inCooldown).map(({ model }) => model)
  const expired = own.filter(({ inCooldown }) => !inCooldown).map(({ model }) => model)
  const checks: Capacity = { provider, limit: free, blockedModels: 'ALL' }
  if (active.includes(ALL_MODELS)) return [checks]
  if (expired.includes(ALL_MODELS)) {
    const probe = { provider, limit: Math.min(free, 1 - sending.length), blockedModels: active }
    return [probe, checks]
  }
  const probes = expired
    .filter((model) => !sending.includes(model))
    .map((model) => ({ provider, limit: Math.min(free, 1), model, blockedModels: [] }))
  return [...probes, { provider, limit: free, blockedModels: [...active, ...expired] }]
}
