// Pages and counts of the lists other than tasks, with a million rows in each table.
import { DEFAULT_PROJECT, countProjects, listProjects } from '../src/db/access/projects.ts'
import { countAuditLog, listAuditLog, type AuditFilter } from '../src/db/access/audit.ts'
import { countKeys, listKeys } from '../src/db/access/api-keys.ts'
import { countListed, listForReview, type ReviewFilter } from '../src/db/attempts/review.ts'
import type { Database } from '../src/db/connection/database.ts'
import type { PageRange } from '../src/db/connection/keyset.ts'
import { countImages, listImages, type AssetFilter } from '../src/db/tasks/assets.ts'
import { countEvents, listEventPage } from '../src/db/tasks/events.ts'
import { countDeliveries, listDeliveries, type DeliveryFilter } from '../src/db/webhooks/deliveries.ts'
import { DAY_MS, FROM } from './days.ts'
import { MIDDLE, REVIEWED, TASK_OF_EVENTS } from './list-rows.ts'

interface Listed {
  /** Of an item in the middle: the start of its id. */
  middle: { at: number; id: string }
  page: (range: PageRange) => Promise<readonly unknown[]>
  count: () => Promise<number>
}

const LIMIT = 51

/** Pages of each list, by name. */
export function otherLists(
  { read, reports }: Pick<Database, 'read' | 'reports'>,
  rows: number,
): Record<string, () => Promise<unknown>> {
  const nth = String(Math.round(rows / 2)).padStart(26, '0')
  const middle = (prefix: string, at = MIDDLE) => ({ at, id: `${prefix}_${nth}` })
  const images = (filter: AssetFilter): Listed => ({
    middle: middle('img'),
    page: (range) => listImages(read, DEFAULT_PROJECT, filter, range),
    count: () => countImages(reports, DEFAULT_PROJECT, filter),
  })
  const review = (filter: ReviewFilter): Listed => ({
    middle: middle('unpriced'),
    page: (range) => listForReview(reports, REVIEWED, 'COST_UNKNOWN', filter, range),
    count: () => countListed(reports, REVIEWED, 'COST_UNKNOWN', filter),
  })
  const unknown = (filter: ReviewFilter): Listed => ({
    middle: middle('att'),
    page: (range) => listForReview(reports, DEFAULT_PROJECT, 'OUTCOME_UNKNOWN', filter, range),
    count: () => countListed(reports, DEFAULT_PROJECT, 'OUTCOME_UNKNOWN', filter),
  })
  const deliveries = (filter: DeliveryFilter): Listed => ({
    middle: middle('whd'),
    page: (range) => listDeliveries(read, DEFAULT_PROJECT, filter, range),
    count: () => countDeliveries(reports, DEFAULT_PROJECT, filter),
  })
  const audit = (filter: AuditFilter): Listed => ({
    middle: middle('aud'),
    page: (range) => listAuditLog(read, filter, range),
    count: () => countAuditLog(reports, filter),
  })
  const keys = (includeRevoked: boolean): Listed => ({
    middle: middle('key'),
    page: (range) => listKeys(read, DEFAULT_PROJECT, { includeRevoked }, range),
    count: () => countKeys(reports, DEFAULT_PROJECT, { includeRevoked }),
  })
  const lists: Record<string, Listed> = {
    'images: results': images({ kinds: ['FINAL'] }),
    'images: of all kinds': images({}),
    'images: masks, in the first month': images({ kinds: ['MASK'], createdTo: FROM + 30 * DAY_MS }),
    'attempts of unknown outcome': unknown({}),
    'attempts of unknown outcome, of a provider, of 1 USD': unknown({
      providers: ['provider-1'],
      minMicros: 1_000_000,
    }),
    'attempts of unknown cost': review({}),
    'attempts of unknown cost, of a rare provider': review({ providers: ['rare'] }),
    'attempts of unknown cost, of two providers': review({ providers: ['rare', 'provider-1'] }),
    deliveries: deliveries({}),
    'deliveries: failed': deliveries({ state: 'FAILED' }),
    'deliveries of a rare webhook': deliveries({ endpointId: 'wh_two' }),
    'deliveries of a webhook: failed': deliveries({ endpointId: 'wh_one', state: 'FAILED' }),
    'events of a task': {
      middle: { at: 5_000, id: TASK_OF_EVENTS },
      page: (range) => listEventPage(read, TASK_OF_EVENTS, range),
      count: () => countEvents(reports, TASK_OF_EVENTS),
    },
    'keys that are not revoked': keys(false),
    'all keys': keys(true),
    projects: {
      middle: middle('prj'),
      page: (range) => listProjects(read, range),
      count: () => countProjects(reports),
    },
    'audit log': audit({}),
    'audit log of a project': audit({ projectId: 'prj_rare' }),
    'audit log of a key': audit({ subject: 'key_77' }),
  }
  return Object.fromEntries(
    Object.entries(lists).flatMap(([name, { middle: after, page, count }]) => [
      [`${name}, first page`, () => page({ limit: LIMIT })],
      [`${name}, last page`, () => page({ limit: LIMIT, fromEnd: true })],
      [`${name}, after the middle`, () => page({ limit: LIMIT, after })],
      [`${name}, before the middle`, () => page({ limit: LIMIT, before: after, fromEnd: true })],
      [`${name}, totalCount`, count],
    ]),
  )
}
