import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { feedKey } from '../../db/tasks/events.ts'
import type { Deps } from '../deps.ts'
import { createLiveSource, type LiveSource } from '../events/live-source.ts'
import type { UsageQuery } from './query.ts'
import { checkUsageQuery } from './query.ts'
import { reportUsage, type UsageReport } from './report.ts'

const MIN_INTERVAL_MS = 1000

/** For changes without event, such as adjusted costs. */
const MAX_INTERVAL_MS = 10_000

/** Reports take at most a tenth of the time. */
const PAUSE_FACTOR = 9

/** A query beyond them may repeat a report once. */
const MAX_VERSIONS = 1000

/**
 * Returns a function that yields a report after each change, at most once a second, and never the same twice in a row.
 * Never ends. Throws BAD_USER_INPUT. The position of a report is its version: it grows when the content changes.
 */
export function createUsageWatch(
  deps: Pick<Deps, 'clock' | 'db' | 'wakeUps'>,
): (query: UsageQuery & { projectId: string }) => LiveSource<UsageReport> {
  const { db, clock, wakeUps } = deps
  const versions = new LRUCache<string, { content: string; version: number }>({ max: MAX_VERSIONS })
  let latest = 0

  function versionOf(key: string, report: UsageReport): number {
    const content = createHash('sha256')
      .update(JSON.stringify([report.rows, report.totals]))
      .digest('base64')
    const known = versions.get(key)
    if (known?.content === content) return known.version
    versions.set(key, { content, version: ++latest })
    return latest
  }

  return (query) => {
    checkUsageQuery(query)
    const wakeUpKey = feedKey(query.projectId)
    const key = `usage:${JSON.stringify(query)}`
    let durationMs = 0

    async function read(position: number) {
      const startedAt = clock.monotonic()
      const { version, report } = await wakeUps.once(wakeUpKey, key, async () => {
        const fresh = await reportUsage(db.reports, query, clock.now())
        return { version: versionOf(key, fresh), report: fresh }
      })
      durationMs = clock.monotonic() - startedAt
      const entries = version > position ? [{ position: version, item: report }] : []
      return { entries, position: version, hasMore: false, isEnd: false, isLost: false }
    }

    return createLiveSource({
      log: {
        key,
        read,
        wait() {
          const waiter = wakeUps.wait(wakeUpKey)
          return {
            async next(signal) {
              await clock.sleep(Math.max(MIN_INTERVAL_MS, durationMs * PAUSE_FACTOR), signal)
              await waiter.next(MAX_INTERVAL_MS, signal)
            },
            close: () => waiter.close(),
          }
        },
      },
      start: () => read(-1),
    })
  }
}
