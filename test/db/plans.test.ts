import BetterSqlite3 from 'better-sqlite3'
import { expect, it, vi } from 'vitest'
import { openGateway } from '../support/gateway.ts'

const BIG = ['tasks', 'attempts', 'task_events', 'assets', 'webhook_deliveries', 'callbacks', 'audit_log']

const LOOK = `query ($id: ID!) {
  task(id: $id) { queuePosition images { id } attempts { id decisions { at } } events { at } webhookDeliveries { id } }
  tasks(first: 5) { nodes { id attempts { id } partialImages { index } } feedCursor }
  providers { queuedAttempts runningAttempts cooldowns { reason } }
  attemptsNeedingReview { nodes { id } }
  webhookDeliveries { id }
}`

// With a state as a parameter, SQLite cannot know that a partial index holds all it asks for, and reads every row.
it('reads no big table from end to end on the way of a task', async () => {
  const prepare = vi.spyOn(BetterSqlite3.prototype, 'prepare')
  await using server = await openGateway({ engine: { reapMs: 100, heartbeatMs: 100, pollMs: 50 } })
  const id = await server.generate({
    prompt: 'a fox',
    size: '1024x1024',
    partialImages: 1,
    idempotencyKey: 'once',
  })
  await server.ended(id)
  await server.get(LOOK, { id })
  await server.ask('mutation ($id: ID!) { cancelTask(id: $id) { id } }', { id })

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
    .filter((detail) => BIG.some((table) => detail === `SCAN ${table}`))
}
