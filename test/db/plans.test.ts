import BetterSqlite3 from 'better-sqlite3'
import { expect, it, vi } from 'vitest'
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
  await server.execute('mutation ($id: ID!) { cancelTask(id: $id) { id } }', { id })

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
  const explain = db.prepare<unknown[], { detail: string }>(`explain query plan ${text}`)
  const values = Array.from({ length: (text.match(/\?/g) ?? []).length }, () => null)
  return explain
    .all(...values)
    .map(({ detail }) => detail)
    .filter((detail) => LARGE_TABLES.some((table) => detail === `SCAN ${table}`))
}
