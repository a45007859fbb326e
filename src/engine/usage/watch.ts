import { abortable } from '../../async-iterators.ts'
import { feedKey } from '../../db/tasks/events.ts'
import type { Deps } from '../deps.ts'
import type { UsageQuery } from './query.ts'
import { checkUsageQuery } from './query.ts'
import { reportUsage, type UsageReport } from './report.ts'

const MIN_INTERVAL_MS = 1000

/** For changes without event, such as adjusted costs. */
const MAX_INTERVAL_MS = 10_000

/** Reports take at most a tenth of the time. */
const PAUSE_FACTOR = 9

/** A report per change, at most once a second, never the same twice in a row. Never ends. Throws BAD_USER_INPUT. */
export function watchUsage(
  deps: Pick<Deps, 'clock' | 'db' | 'wakeUps'>,
  query: UsageQuery & { projectId: string },
): AsyncIterableIterator<UsageReport> {
  checkUsageQuery(query)
  const { db, clock, wakeUps } = deps
  const key = feedKey(query.projectId)
  const what = `usage:${JSON.stringify(query)}`
  return abortable(async function* watch(signal) {
    const waiter = wakeUps.wait(key)
    try {
      let previous = ''
      while (!signal.aborted) {
        const startedAt = clock.monotonic()
        const report = await wakeUps.once(key, what, () => reportUsage(db.reports, query, clock.now()))
        const durationMs = clock.monotonic() - startedAt
        const content = JSON.stringify([report.rows, report.totals])
        if (content !== previous) yield report
        previous = content
        await clock.sleep(Math.max(MIN_INTERVAL_MS, durationMs * PAUSE_FACTOR), signal)
        await waiter.next(MAX_INTERVAL_MS, signal)
      }
    } finally {
      waiter.close()
    }
  })
}
