import type { ClaimScope } from '../../db/attempts/claim.ts'
import { ALL_MODELS, type CooldownRow } from '../../db/providers/cooldowns.ts'

export interface Capacity extends Required<Pick<ClaimScope, 'provider' | 'blockedModels'>> {
  /** May be 0 or less. */
  limit: number
  /** Absent: all models. */
  model?: string
}

/**
 * The capacities of one provider with `free` slots, pure. A model in cooldown gets no new work. After an expired cooldown
 * one attempt at a time is sent as a probe. Accepted attempts are always checked. `sending`: models being sent to.
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
