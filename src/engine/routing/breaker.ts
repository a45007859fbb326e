export type Breaker = ReturnType<typeof createBreaker>

const WINDOW_MS = 60_000
const MIN_CALLS = 10
const MIN_FAILED_SHARE = 0.5

/** Per provider and model, in this process. Cooldowns are database rows, for all processes. */
export function createBreaker() {
  const windows = new Map<string, Window>()

  return {
    /** True if a cooldown should start. */
    note(provider: string, model: string, result: 'OK' | 'FAILED', now: number): boolean {
      const key = JSON.stringify([provider, model])
      const window = windows.get(key) ?? { calls: [], first: 0, failed: 0 }
      add(window, { at: now, isFailed: result === 'FAILED' })
      const count = window.calls.length - window.first
      const isOpen = count >= MIN_CALLS && window.failed >= count * MIN_FAILED_SHARE
      // Starts empty after a cooldown.
      if (isOpen) windows.delete(key)
      else windows.set(key, window)
      return isOpen
    },
  }
}

interface Call {
  at: number
  isFailed: boolean
}

/** Calls before `first` are too old; `failed` excludes them. */
interface Window {
  calls: Call[]
  first: number
  failed: number
}

/** In constant time on average: windows have tens of thousands of calls. */
function add(window: Window, call: Call): void {
  window.calls.push(call)
  if (call.isFailed) window.failed++
  for (
    let old = window.calls[window.first]!;
    old.at <= call.at - WINDOW_MS;
    old = window.calls[window.first]!
  ) {
    if (old.isFailed) window.failed--
    window.first++
  }
  if (window.first * 2 < window.calls.length) return
  window.calls = window.calls.slice(window.first)
  window.first = 0
}
