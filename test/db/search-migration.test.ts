import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { Client } from 'pg'
import { expect, it } from 'vitest'
import { MIGRATIONS } from '../../src/db/connection/migrations.ts'
import { DATABASES, newPlace, type DatabaseKind, type Place } from '../support/database.ts'
import { openGateway } from '../support/gateway.ts'

const ROWS = [
  'select * from task_labels order by project_id, label, created_at, task_id',
  'select * from task_words order by seq',
  'select * from task_inputs order by asset_id, task_id',
  `select task_id, created_at, finished_at, project_id, status, operation, model, providers, charged, has_warnings, favorite, is_long
   from class_tasks join task_classes on id = class_id order by task_id`,
]
const INPUTS = [
  { prompt: 'a red fox', user: 'ada', metadata: [{ key: 'team', value: 'x=y' }] },
  { prompt: 'a fox', inputFidelity: 'HIGH' },
  { prompt: 'x [sandbox:moderation]' },
  { prompt: '[sandbox:vanish]', user: 'bob' },
]

it.each(DATABASES)('an upgrade on %s makes existing tasks findable as new ones are', async (database) => {
  const place = await newPlace(database)
  const server = await openGateway({ place })
  const ids: string[] = []
  for (const input of INPUTS) {
    ids.push(await server.generate({ ...input, size: '1024x1024', idempotencyKey: randomUUID() }))
    await server.ended(ids.at(-1)!)
  }
  const { task } = await server.get<{ task: { images: { id: string }[] } }>(
    'query ($id: ID!) { task(id: $id) { images { id } } }',
    { id: ids[0] },
  )
  const images = task.images.map(({ id }) => ({ imageId: id }))
  await server.ended(await server.generate({ prompt: 'edited', images }))
  await server[Symbol.asyncDispose]()

  const before = await run(place, ...ROWS)
  await undo(place, database)
  await using again = await openGateway({ place })
  expect(await run(place, ...ROWS)).toEqual(before)
  expect(before.map((rows) => rows.length)).toEqual([3, 5, 1, 5])
  const found = await again.get<{ tasks: { nodes: object[] } }>(
    '{ tasks(filter: { search: "fox", users: ["ada"] }) { nodes { id } } }',
  )
  expect(found.tasks.nodes).toEqual([{ id: ids[0] }])
})

/** Drops what the migrations have created, and forgets them. */
async function undo(place: Place, kind: DatabaseKind): Promise<void> {
  const names = readdirSync(MIGRATIONS[kind]).filter((one) => /_task_(?:search|classes)$/.test(one))
  const text = names
    .map((name) => readFileSync(join(MIGRATIONS[kind], name, 'migration.sql'), 'utf8'))
    .join('\n')
  const kinds = 'TABLE|INDEX|FUNCTION|TRIGGER|VIEW|SEQUENCE'
  const created = [
    ...text.matchAll(new RegExp(`^CREATE (?:UNIQUE |VIRTUAL )?(${kinds}) [\`"]?(\\w+)`, 'gm')),
  ].map(([, kindOf, of]) => [kindOf!, of!] as const)
  const isDropped = ([kindOf]: readonly [string, string]) => kind === 'sqlite' || kindOf !== 'TRIGGER'
  const cascade = kind === 'sqlite' ? '' : ' cascade'
  // The virtual table and the views read other ones.
  const order = ['TRIGGER', 'INDEX', 'FUNCTION', 'VIEW', 'TABLE', 'SEQUENCE']
  const drops = created
    .toReversed()
    .toSorted(([a], [b]) => order.indexOf(a) - order.indexOf(b))
    .filter(isDropped)
    .map(([kindOf, of]) => `drop ${kindOf} if exists ${of}${cascade}`)
  const migrations = `${kind === 'sqlite' ? '' : 'drizzle.'}__drizzle_migrations`
  const forget = names.map((name) => `delete from ${migrations} where name = '${name}'`)
  await run(place, ...drops, ...forget)
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
  for (const text of statements) results.push((await client.query(text)).rows)
  await client.end()
  return results
}
