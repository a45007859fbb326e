import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { Client } from 'pg'
import { expect, it } from 'vitest'
import { MIGRATIONS } from '../../src/db/connection/migrations.ts'
import { DATABASES, newPlace, type DatabaseKind, type Place } from '../support/database.ts'
import { openGateway } from '../support/gateway.ts'
import { ANY_ADDRESS, openReceiver } from '../support/receiver.ts'

const ROWS = [
  'select * from webhook_deliveries order by id',
  'select * from webhook_tries order by delivery_id, number',
]

it.each(DATABASES)(
  'an upgrade on %s keeps deliveries and tries, and admits test messages',
  async (database) => {
    const place = await newPlace(database)
    await using receiver = await openReceiver()
    const server = await openGateway({ place, webhookRule: ANY_ADDRESS })
    const { createWebhook } = await server.get<{ createWebhook: { webhook: { id: string } } }>(
      'mutation ($url: URL!) { createWebhook(input: { url: $url }) { webhook { id } } }',
      { url: `${receiver.url}/hook` },
    )
    for (const prompt of ['a [sandbox:reject]', 'b [sandbox:moderation]']) {
      await server.ended(await server.generate({ prompt, callbackUrl: `${receiver.url}/task` }))
    }
    await expect.poll(() => receiver.requests.length).toBe(4)
    await server[Symbol.asyncDispose]()
    const before = await run(place, ...ROWS)
    expect(before.map((rows) => rows.length)).toEqual([4, 4])

    await run(place, ...undo(database))
    const insertTest = `insert into webhook_deliveries (id, project_id, seq, event, url, slot, payload, state, next_at, created_at)
    select 'dlv_x', project_id, 0, 'WEBHOOK_TEST', url, 's', '{}', 'PENDING', 0, 0 from webhook_deliveries limit 1`
    await expect(run(place, insertTest)).rejects.toThrow(/constraint/i)
    await using again = await openGateway({ place, webhookRule: ANY_ADDRESS })
    expect(await run(place, ...ROWS)).toEqual(before)
    const { sendTestWebhook } = await again.get<{ sendTestWebhook: { delivery: object } }>(
      'mutation ($id: ID!) { sendTestWebhook(input: { id: $id }) { delivery { event task { id } } } }',
      { id: createWebhook.webhook.id },
    )
    expect(sendTestWebhook.delivery).toEqual({ event: 'WEBHOOK_TEST', task: null })
    await expect.poll(() => receiver.requests.length).toBe(5)
  },
)

/** The table as it was before the migration, which is forgotten. */
function undo(kind: DatabaseKind): string[] {
  const name = readdirSync(MIGRATIONS[kind]).find((one) => one.endsWith('_webhook_test'))!
  const events = "'TASK_SUCCEEDED', 'TASK_FAILED', 'TASK_CANCELED', 'TASK_OUTCOME_UNKNOWN'"
  return [
    'alter table webhook_deliveries alter column task_id set not null',
    'alter table webhook_deliveries drop constraint webhook_deliveries_event',
    `alter table webhook_deliveries add constraint webhook_deliveries_event check (event in (${events}))`,
    `delete from ${kind === 'sqlite' ? '' : 'drizzle.'}__drizzle_migrations where name = '${name}'`,
  ]
}

async function run({ databaseUrl, dataDir }: Place, ...statements: string[]): Promise<unknown[][]> {
  const results: unknown[][] = []
  if (databaseUrl === null) {
    const db = new BetterSqlite3(join(dataDir, 'darkroom.db'))
    for (const text of statements) {
      const statement = db.prepare(text)
      results.push(statement.reader ? statement.all() : [statement.run()])
    }
    db.close()
    return results
  }
  const client = new Client(databaseUrl)
  await client.connect()
  try {
    for (const text of statements) results.push((await client.query(text)).rows)
  } finally {
    await client.end()
  }
  return results
}
