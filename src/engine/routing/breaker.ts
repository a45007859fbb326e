// Circuit breaker for a provider, or a model of it: a sliding window over the results of its last calls. Each process counts
// for itself; the cooldown that follows is a row in the database and holds for all.

export interface Breaker {
  /** Records how a call ended. True when so many have failed that a cooldown should start. */
  note(provider: string, model: string, result: 'OK' | 'FAILED', now: number): boolean
}

const WINDOW_MS = 60_000
const MIN_CALLS = 10
const FAILED_SHARE = 0.5

export function createBreaker(): Breaker {
  const windows = new Map<string, { at: number; failed: boolean }[]>()

  return {
    note(provider, model, result, now) {
      const key = JSON.stringify([provider, model])
      const recent = (windows.get(key) ?? []).filter(({ at }) => at > now - WINDOW_MS)
      recent.push({ at: now, failed: result === 'FAILED' })
      const failed = recent.filter((call) => call.failed).length
      const open = recent.length >= MIN_CALLS && failed >= recent.length * FAILED_SHARE
      // After a cooldown the window starts empty.
      if (open) windows.delete(key)
      else windows.set(key, recent)
      return open
    },
  }
}
