import BetterSqlite3 from 'better-sqlite3'
import { describe, expect, it, vi } from 'vitest'
import { openGateway } from '../support/gateway.ts'

const LARGE_TABLES = [
  'tasks',
  'attempts',
  'task_events',
  'assets',
  'webhook_deliveries',
  'callbacks',
  'audit_log',
]

const READ_EVERYTHING = `query ($id: ID!) {
  task(id: $id) { queuePosition images { id } attempts { id decisions { at } } events { nodes { at } } webhookDeliveries { id } }
  tasks(first: 5) { nodes { id attempts { id } partialImages { index } } feedCursor }
  providers { queuedAttempts runningAttempts cooldowns { reason } }
  attemptsNeedingReview { nodes { id } }
  webhookDeliveries { nodes { id } }
  project { keys { nodes { id } totalCount } }
}`

// SQLite cannot use a partial index for a state that is a parameter, and then scans the table.
it('the queries of a task scan no large table', async () => {
  const prepare = vi.spyOn(BetterSqlite3.prototype, 'prepare')
  await using server = await openGateway({ engine: { reapMs: 100, heartbeatMs: 100, pollMs: 50 } })
  const id = await server.generate({
    prompt: 'a fox',
    size: '1024x1024',
    partialImages: 1,
    idempotencyKey: 'once',
  })
  await server.ended(id)
  await server.get(READ_EVERYTHING, { id })
  await server.execute('mutation ($id: ID!) { cancelTask(input: { id: $id }) { task { id } } }', { id })

  const statements = new Set(prepare.mock.calls.map(([text]) => text))
  prepare.mockRestore()
  const db = new BetterSqlite3(`${server.place.dataDir}/darkroom.db`, { readonly: true })
  const scans = [...statements]
    .filter((text) => /^\s*(select|update|delete|with)\b/i.test(text))
    .flatMap((text) => scansOf(db, text).map((scan) => `${scan}: ${text}`))
  db.close()
  expect(statements.size).toBeGreaterThan(30)
  expect(scans).toEqual([])
})

function scansOf(db: BetterSqlite3.Database, text: string): string[] {
  return stepsOf(db, text).filter((step) => LARGE_TABLES.some((table) => step === `SCAN ${table}`))
}

function stepsOf(db: BetterSqlite3.Database, text: string): string[] {
  const explain = db.prepare<unknown[], { detail: string }>(`explain query plan ${text}`)
  const values = Array.from({ length: (text.match(/\?/g) ?? []).length }, () => null)
  return explain.all(...values).map(({ detail }) => detail)
}

const SCANNING = `{
  usage(from: "2020-01-01T00:00:00Z", to: "2021-01-01T00:00:00Z", groupBy: [USER, STATUS]) { totals { images } }
  bySearch: tasks(filter: { search: "red fox*" }) { totalCount nodes { id } }
  bySearchOfUser: tasks(filter: { search: "red fox*", users: ["ada"] }) { nodes { id } }
  byUserAndState: tasks(filter: { users: ["ada"], statuses: [FAILED] }) { totalCount nodes { id } }
  byTwoLabels: tasks(filter: { metadata: [{ key: "team", value: "x" }, { key: "area", value: "y" }] }) { nodes { id } }
  byEndOfUser: tasks(orderBy: FINISHED_AT_DESC, filter: { users: ["ada"] }) { nodes { id } }
  reviewCounts { attempts }
  attemptsNeedingReview(filter: { providers: ["sandbox"] }) { totalCount nodes { id } }
  webhookDeliveries(state: FAILED) { totalCount nodes { id } }
  images { totalCount }
  providers { queuedAttempts runningAttempts stats { attempts p95Ms lastError { code } } }
}`

const BOUNDED = `query ($after: String) {
  tasks(after: $after) { nodes { id } }
  byModel: tasks(after: $after, filter: { model: "no-such-model" }) { nodes { id } }
  byStatus: tasks(after: $after, filter: { statuses: [FAILED, SUCCEEDED, QUEUED] }) { nodes { id } }
  byBoth: tasks(after: $after, filter: { model: "no-such-model", statuses: [QUEUED, RUNNING] }) { nodes { id } }
  byModels: tasks(after: $after, filter: { models: ["no-such-model", "nor-this"] }) { nodes { id } }
  byProvider: tasks(after: $after, filter: { provider: "sandbox", createdFrom: "2020-01-01T00:00:00Z" }) { nodes { id } }
  byOperation: tasks(after: $after, filter: { operation: GENERATE }, orderBy: CREATED_AT_ASC) { nodes { id } }
  byKeys: tasks(after: $after, filter: { apiKeyIds: ["key_1", "key_2"] }) { nodes { id } }
  byUsers: tasks(after: $after, filter: { users: ["ada"] }) { nodes { id } }
  byMetadata: tasks(after: $after, filter: { metadata: [{ key: "team", value: "x" }] }) { nodes { id } }
  byCharge: tasks(after: $after, filter: { charged: [YES, UNKNOWN] }) { nodes { id } }
  byWarnings: tasks(after: $after, filter: { hasWarnings: true }) { nodes { id } }
  byProviderAndState: tasks(after: $after, filter: { provider: "sandbox", statuses: [FAILED, SUCCEEDED] }) { nodes { id } }
  byFourValues: tasks(after: $after, filter: { models: ["gpt-image-2"], charged: [NO, YES], hasWarnings: false, favorite: false }) { nodes { id } }
}`

const BOUNDED_BY_END = `query ($after: String) {
  byEnd: tasks(after: $after, orderBy: FINISHED_AT_DESC) { nodes { id } }
  byEndInPeriod: tasks(after: $after, orderBy: FINISHED_AT_ASC, filter: { createdFrom: "2020-01-01T00:00:00Z", createdTo: "2100-01-01T00:00:00Z" }) { nodes { id } }
  byEndOfState: tasks(after: $after, orderBy: FINISHED_AT_DESC, filter: { statuses: [FAILED] }) { nodes { id } }
}`

// An idle engine, which runs no queries of its own meanwhile.
const IDLE = { reapMs: 60_000, pollMs: 60_000 }

describe('on the main thread', () => {
  it('no query may read many rows: those that may run in reader threads', async () => {
    const prepare = vi.spyOn(BetterSqlite3.prototype, 'prepare')
    await using server = await openGateway({ engine: IDLE })
    await server.get('{ tasks { nodes { id } } }')
    prepare.mockClear()
    await server.get(SCANNING)
    for (const path of ['/usage.csv?from=2020-01-01&groupBy=user', '/metrics'])
      expect((await fetch(server.url + path)).status).toBe(200)
    const statements = prepare.mock.calls.map(([text]) => text)
    prepare.mockRestore()
    const tables = /from "?(?:tasks|attempts|webhook_deliveries|usage_\w+)\b/
    expect(statements.filter((text) => tables.test(text))).toEqual([])
  })

  it('every filter of tasks is a range of an index, from any position', async () => {
    const prepare = vi.spyOn(BetterSqlite3.prototype, 'prepare')
    await using server = await openGateway({ engine: IDLE })
    for (const prompt of ['a fox', 'x [sandbox:moderation]'])
      await server.ended(await server.generate({ prompt, model: 'gpt-image-2', size: '1024x1024' }))
    const { tasks } = await server.get<{ tasks: { pageInfo: { endCursor: string } } }>(
      '{ tasks { pageInfo { endCursor } } }',
    )
    prepare.mockClear()
    for (const query of [BOUNDED, BOUNDED_BY_END])
      await server.get(query, { after: tasks.pageInfo.endCursor })
    const statements = prepare.mock.calls
      .map(([text]) => text)
      .filter((text) => /order by|"tasks"."id" in/.test(text))
    prepare.mockRestore()
    const db = new BetterSqlite3(`${server.place.dataDir}/darkroom.db`, { readonly: true })
    const steps = statements
      .flatMap((text) => stepsOf(db, text))
      .filter((step) => /\b(?:tasks|task_labels|class_tasks)\b/.test(step))
    db.close()
    const ofLabel = 'SEARCH task_labels USING PRIMARY KEY (project_id=? AND label=?'
    const newest = 'SEARCH class_tasks USING COVERING INDEX class_tasks_newest (class_id=?'
    const byEnd = 'SEARCH class_tasks USING COVERING INDEX class_tasks_by_end (class_id=?'
    expect(new Set(steps)).toEqual(
      new Set([
        'SEARCH tasks USING COVERING INDEX tasks_newest (project_id=? AND (created_at,id)<(?,?))',
        `${newest} AND (created_at,task_id)<(?,?))`,
        `${newest} AND (created_at,task_id)>(?,?))`,
        `${newest} AND created_at>? AND (created_at,task_id)<(?,?))`,
        `${byEnd} AND finished_at>? AND (finished_at,task_id)<(?,?))`,
        `${byEnd} AND (finished_at,task_id)>(?,?) AND finished_at<?)`,
        `${ofLabel} AND (created_at,task_id)<(?,?))`,
        'SEARCH tasks USING INDEX sqlite_autoindex_tasks_1 (id=?)',
      ]),
    )
  })
})
