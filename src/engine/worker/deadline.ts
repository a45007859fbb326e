import type { Clock } from '../../clock.ts'

export interface Deadline {
  /** Aborts with a TimeoutError. */
  signal: AbortSignal
  stop(): void
}

const TICK_MS = 1000
/** A later timer tells that the process was stopped or busy. */
const MAX_TIMER_DELAY_MS = 250
/** At least, to read what arrived meanwhile. */
const MIN_REST_MS = 5000

/**
 * Counts only time in which this process ran. After a stop Node runs due timers before it reads sockets: a plain
 * timeout would discard an arrived answer.
 */
export function startDeadline(clock: Pick<Clock, 'monotonic' | 'sleep'>, timeoutMs: number): Deadline {
  const over = new AbortController()
  const stopped = new AbortController()

  async function run(): Promise<void> {
    let leftMs = timeoutMs
    while (leftMs > 0) {
      const startedAt = clock.monotonic()
      const delayMs = Math.min(leftMs, TICK_MS)
      await clock.sleep(delayMs, stopped.signal)
      if (stopped.signal.aborted) return
      const passedMs = clock.monotonic() - startedAt
      const isLate = passedMs > delayMs + MAX_TIMER_DELAY_MS
      leftMs = isLate ? Math.max(leftMs - delayMs, Math.min(timeoutMs, MIN_REST_MS)) : leftMs - passedMs
    }
    // Sockets are read once more meanwhile.
    await clock.sleep(0)
    over.abort(new DOMException('The call took too long.', 'TimeoutError'))
  }

  void run()
  // Without a reason it makes an error with a stack trace.
  return { signal: over.signal, stop: () => stopped.abort('stopped') }
}
