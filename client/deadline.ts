/** Aborts when `signal` does, or when `restart` was not called for `ms`. */
export interface Deadline {
  readonly signal: AbortSignal
  restart(): void
  stop(): void
}

export function createDeadline(ms: number, signal: AbortSignal): Deadline {
  const expired = new AbortController()
  let timer: ReturnType<typeof setTimeout>
  const start = () => {
    timer = setTimeout(() => expired.abort(new Error(`Nothing was received for ${ms} ms.`)), ms)
  }
  start()
  return {
    signal: AbortSignal.any([signal, expired.signal]),
    restart() {
      clearTimeout(timer)
      start()
    },
    stop: () => clearTimeout(timer),
  }
}
