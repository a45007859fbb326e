import { abortable } from '../../async-iterators.ts'
import { feedKey } from '../../db/tasks/events.ts'
import type { Deps } from '../deps.ts'
import type { UsageQuery } from './query.ts'
import { checkUsageQuery } from './query.ts'
import { reportUsage, type UsageReport } from './report.ts'

/** The least time between two reports that a viewer is sent. */
const EVERY_MS = 1000

/** How long it takes at most until a change is told that no event tells of, such as a corrected cost. */
const LOOK_ANYWAY_MS = 10_000

/** A report that takes long to make is made more seldom: a tenth of the time at most. */
const REST = 9

/**
 * Answers a question about the usage of a project, and answers it anew when something has changed: at most once a
 * second, and never twice the same. Never ends by itself. Throws BAD_USER_INPUT before anything is told.
 */
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
      let last = ''
      while (!signal.aborted) {
        const begun = clock.now()
        const report = await wakeUps.once(key, what, () => reportUsage(db.read, query, clock.now()))
        const took = clock.now() - begun
        const news = JSON.stringify([report.rows, report.totals])
        if (news !== last) yield report
        last = news
        await clock.sleep(Math.max(EVERY_MS, took * REST), signal)
        await waiter.next(LOOK_ANYWAY_MS, signal)
      }
    } finally {
      waiter.close()
    }
  })
}
