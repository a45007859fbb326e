// Notices that a provider, or a model of it, is ill: a sliding window of how its last calls ended. Each process counts
// for itself; what it concludes is a rest in the database, which holds for all.

export interface Breaker {
  /** Notes how a call ended. True when so many went wrong that the provider should rest. */
  note(provider: string, model: string, ended: 'WELL' | 'ILL', now: number): boolean
}

const WINDOW_MS = 60_000
const LEAST_CALLS = 10
const ILL_SHARE = 0.5

export function createBreaker(): Breaker {
  const windows = new Map<string, { at: number; ill: boolean }[]>()

  return {
    note(provider, model, ended, now) {
      const key = JSON.stringify([provider, model])
      const recent = (windows.get(key) ?? []).filter(({ at }) => at > now - WINDOW_MS)
      recent.push({ at: now, ill: ended === 'ILL' })
      const ill = recent.filter((call) => call.ill).length
      const open = recent.length >= LEAST_CALLS && ill >= recent.length * ILL_SHARE
      // After a rest it is judged anew.
      if (open) windows.delete(key)
      else windows.set(key, recent)
      return open
    },
  }
}
