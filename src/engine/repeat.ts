import type { Deps } from './deps.ts'

/** The function runs `work` periodically until `signal` aborts. A failure is logged, and the next run repeats the work. */
export function createRepeat({ clock, log }: Pick<Deps, 'clock' | 'log'>) {
  return async (everyMs: number, signal: AbortSignal, work: () => Promise<void>): Promise<void> => {
    for (;;) {
      await clock.sleep(everyMs, signal)
      if (signal.aborted) return
      await work().catch((error: unknown) => log.error({ err: error }, 'periodic job failed; retrying'))
    }
  }
}
