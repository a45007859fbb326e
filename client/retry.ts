import { DarkroomError } from './errors.ts'

const FIRST_DELAY_MS = 100
const MAX_DELAY_MS = 5_000

/** Nothing was done: the same request may succeed. */
const REFUSED_FOR_NOW = new Set(['SERVICE_UNAVAILABLE', 'SHUTTING_DOWN'])
/** The outcome is unknown. */
const LOST = new Set(['CONNECTION_LOST', 'REQUEST_TIMEOUT'])

export function wasRefusedForNow(error: unknown): boolean {
  return error instanceof DarkroomError && REFUSED_FOR_NOW.has(error.code)
}

export function wasLost(error: unknown): boolean {
  return error instanceof DarkroomError && LOST.has(error.code)
}

/**
 * Waits between tries: 100 ms, twice as long each time up to 5 s, and random, so that clients do not return
 * together. Counts what it waited instead of reading a clock, so a suspended computer or a wrong clock does
 * not end it.
 */
export function createBackOff(giveUpAfterMs: number) {
  let tries = 0
  let waitedMs = 0
  return {
    reset(): void {
      tries = 0
      waitedMs = 0
    },
    /** Rejects with the error after waiting too long, and with the signal's reason. */
    async wait(error: unknown, signal: AbortSignal): Promise<void> {
      if (waitedMs >= giveUpAfterMs) throw error
      const longestMs = Math.min(FIRST_DELAY_MS * 2 ** tries++, MAX_DELAY_MS)
      const requestedMs = error instanceof DarkroomError ? (error.retryAfterMs ?? 0) : 0
      const delayMs = Math.max(longestMs * (0.5 + Math.random() / 2), requestedMs)
      waitedMs += delayMs
      await sleep(delayMs, signal)
    },
  }
}

export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const onAbort = () => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    signal.addEventListener('abort', onAbort, { once: true })
  })
}
