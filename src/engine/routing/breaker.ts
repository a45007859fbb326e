export type Breaker = ReturnType<typeof createBreaker>

const WINDOW_MS = 60_000
const MIN_CALLS = 10
const MIN_FAILED_SHARE = 0.5

/** A sliding window per provider and model, in this process. Cooldowns are database rows, for all processes. */
export function createBreaker() {
  const windows = new Map<string, { at: number; failed: boolean }[]>()

  return {
    /** True if a cooldown should start. */
    note(provider: string, model: string, result: 'OK' | 'FAILED', now: number): boolean {
      const key = JSON.stringify([provider, model])
      const recent = (windows.get(key) ?? []).filter(({ at }) => at > now - WINDOW_MS)
      recent.push({ at: now, failed: result === 'FAILED' })
      const failed = recent.filter((call) => call.failed).length
      const isOpen = recent.length >= MIN_CALLS && failed >= recent.length * MIN_FAILED_SHARE
      // Starts empty after a cooldown.
      if (isOpen) windows.delete(key)
      else windows.set(key, recent)
      return isOpen
    },
  }
}
