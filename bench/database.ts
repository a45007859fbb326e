import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase } from '../src/db/open.ts'
import type { Database } from '../src/db/connection/database.ts'
import { appendEvents } from '../src/db/tasks/events.ts'
import { createLog } from '../src/log.ts'
import { startPostgresql } from '../test/support/postgresql-server.ts'
import { newTask } from '../test/support/rows.ts'
import { clock, openChild, type Child } from './child.ts'
import type { GatewayVerbs } from './children/gateway.ts'
import { generate, succeeded } from './graphql.ts'
import { alternate, compare, percentile, type Sample } from './measure.ts'
import type { Section } from './table.ts'

const ROUNDS = 5
const WRITERS = 32

/** The cost of PostgreSQL, relative to SQLite, for an event and for a task. */
export async function database(): Promise<Section> {
  const server = await startPostgresql()
  const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-bench-'))
  try {
    const events = await appending(server.url, dataDir)
    const tasks = await running(server.url)
    const against = 'the same on SQLite'
    return {
      title: 'database · PostgreSQL on this machine and SQLite, both durable at each commit',
      notes: [
        'Each event has its own transaction. On SQLite, concurrent writers share a commit.',
        'A task goes from the HTTP request to its last event: queued, claimed, painted (256x256), stored, settled.',
      ],
      rows: [
        { what: 'append an event, 1 writer, P50', unit: 'µs', against, figures: compare(events.one, 'p50') },
        {
          what: `append an event, ${WRITERS} writers, each`,
          unit: 'µs',
          against,
          figures: compare(events.many, 'each'),
        },
        { what: '20 tasks at once to their end, each', unit: 'ms', against, figures: compare(tasks, 'each') },
      ],
    }
  } finally {
    await server.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
}

async function appending(databaseUrl: string, dataDir: string) {
  const log = createLog('silent')
  const postgresql = await openDatabase({ databaseUrl, dataDir, onWakeUp: () => {}, log })
  const sqlite = await openDatabase({ databaseUrl: null, dataDir, onWakeUp: () => {}, log })
  const sides = (writers: number) => ({
    ours: () => append(postgresql, writers),
    reference: () => append(sqlite, writers),
  })
  try {
    return { one: await alternate(ROUNDS, sides(1)), many: await alternate(ROUNDS, sides(WRITERS)) }
  } finally {
    await Promise.all([postgresql.close(), sqlite.close()])
  }
}

const EVENTS = 320

async function append(db: Database, writers: number): Promise<Sample> {
  const took: number[] = []
  const tasks = await Promise.all(Array.from({ length: writers }, () => newTask(db)))
  const start = clock()
  await Promise.all(
    tasks.map(async (task) => {
      for (let i = 1; i <= EVENTS / writers; i++) {
        const begin = clock()
        await db.tx((q) => appendEvents(q, task, [{ type: 'TASK_PROGRESSED', progress: 0.5 }], Date.now()))
        took.push(clock() - begin)
      }
    }),
  )
  return { p50: percentile(took, 0.5) * 1000, each: ((clock() - start) / EVENTS) * 1000 }
}

async function running(databaseUrl: string) {
  await using postgresql = openChild<GatewayVerbs>('gateway')
  await using sqlite = openChild<GatewayVerbs>('gateway')
  const providers = [{ name: 'sandbox', dialect: 'sandbox', durationMs: 0 }]
  const start = async (gateway: Child<GatewayVerbs>, settings: object) =>
    `${await gateway.call('start', { providers, ...settings })}/graphql`
  const [ours, reference] = [await start(postgresql, { databaseUrl }), await start(sqlite, {})]
  return await alternate(ROUNDS, { ours: () => runTasks(ours), reference: () => runTasks(reference) })
}

const TASKS = 20
const INPUT = '{ prompt: "a small boat", model: "dall-e-2", size: "256x256" }'

async function runTasks(url: string): Promise<Sample> {
  const start = clock()
  const tasks = await Promise.all(Array.from({ length: TASKS }, () => generate(url, INPUT)))
  await Promise.all(tasks.map((id) => succeeded(url, id)))
  return { each: (clock() - start) / TASKS }
}
