import { systemClock } from '../clock.ts'

/** Aborts the signal of `work` after `ms`. */
export async function withTimeout<T>(ms: number, work: (signal: AbortSignal) => T): Promise<Awaited<T>> {
  const [timeout, done] = [new AbortController(), new AbortController()]
  void systemClock.sleep(ms, done.signal).then(() => timeout.abort())
  try {
    return await work(timeout.signal)
  } finally {
    done.abort()
  }
}
