/** The only access to time, so that tests can replace it. */
export interface Clock {
  /** Milliseconds since 1970 UTC. An operator or a time service may set it: use `monotonic` for durations. */
  now(): number
  /** Milliseconds since an arbitrary moment. Never set, and never goes back. */
  monotonic(): number
  /**
   * Milliseconds since `at`, which was read from `now`, without the time that the clock skipped meanwhile.
   */
  elapsedSince(at: number): number
  /** By how many milliseconds `now` was set since the last call. */
  takeJump(): number
  /** Resolves early when `signal` aborts; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** Time services correct smaller differences slowly or in small steps. */
export const MIN_JUMP_MS = 5_000

/** Detects when `now` is set, also after a suspension, during which `monotonic` stands still. */
export function createClock(
  source: Pick<Clock, 'now' | 'monotonic'>,
  sleep: Clock['sleep'] = sleepBySystem,
): Clock {
  let offset = source.now() - source.monotonic()
  /** Forward jumps, with the time before each. */
  const skipped: { from: number; ms: number }[] = []
  let untaken = 0

  function observe(): void {
    const before = source.monotonic() + offset
    const ms = source.now() - before
    offset += ms
    if (Math.abs(ms) < MIN_JUMP_MS) return
    untaken += ms
    if (ms > 0) skipped.push({ from: before, ms })
  }

  return {
    now: () => source.now(),
    monotonic: () => source.monotonic(),
    elapsedSince(at) {
      observe()
      const skippedMs = skipped.reduce((sum, { from, ms }) => (at <= from ? sum + ms : sum), 0)
      return Math.max(0, source.now() - at - skippedMs)
    },
    takeJump() {
      observe()
      const jump = untaken
      untaken = 0
      return jump
    },
    sleep,
  }
}

function sleepBySystem(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    const done = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal?.addEventListener('abort', done)
  })
}

export const systemClock: Clock = createClock({
  now: () => Date.now(),
  monotonic: () => performance.now(),
})

/** After all events that have arrived, but the closing of connections. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
