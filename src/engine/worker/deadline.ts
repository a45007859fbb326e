export interface Deadline {
  /** Aborts with a TimeoutError. */
  signal: AbortSignal
  stop(): void
}

const TICK_MS = 1000
/** A timer that is later tells that the process was stopped, or was busy. */
const MAX_TIMER_DELAY_MS = 250
/** After that, at least: what arrived meanwhile is still to be read. */
const MIN_REST_MS = 5000

/**
 * Counts only time in which this process ran. After a stop Node runs due timers before it reads from sockets, so a plain
 * timeout would discard an answer that has arrived.
 */
export function startDeadline(timeoutMs: number): Deadline {
  const controller = new AbortController()
  let leftMs = timeoutMs
  let timer: NodeJS.Timeout

  function wait(): void {
    const startedAt = performance.now()
    const delayMs = Math.min(leftMs, TICK_MS)
    timer = setTimeout(() => {
      const passedMs = performance.now() - startedAt
      const isLate = passedMs > delayMs + MAX_TIMER_DELAY_MS
      leftMs = isLate ? Math.max(leftMs - delayMs, Math.min(timeoutMs, MIN_REST_MS)) : leftMs - passedMs
      if (leftMs > 0) wait()
      // Sockets are read once more before it.
      else setImmediate(() => controller.abort(new DOMException('The call took too long.', 'TimeoutError')))
    }, delayMs)
    timer.unref()
  }

  wait()
  return { signal: controller.signal, stop: () => clearTimeout(timer) }
}
