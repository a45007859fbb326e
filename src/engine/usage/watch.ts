import { feedKey } from '../../db/tasks/events.ts'
import type { Deps } from '../deps.ts'
import type { LiveSource } from '../events/live-source.ts'
import type { ValueWatch } from '../events/value-watch.ts'
import type { UsageQuery } from './query.ts'
import { checkUsageQuery } from './query.ts'
import { reportUsage, type UsageReport } from './report.ts'

/** Throws BAD_USER_INPUT. */
export function watchUsage(
  { db, clock }: Pick<Deps, 'clock' | 'db'>,
  watch: ValueWatch,
  query: UsageQuery & { projectId: string },
): LiveSource<UsageReport> {
  checkUsageQuery(query)
  return watch({
    key: `usage:${JSON.stringify(query)}`,
    wakeUpKey: feedKey(query.projectId),
    read: () => reportUsage(db.reports, query, clock.now()),
    contentOf: ({ rows, totals }) => [rows, totals],
  })
}
