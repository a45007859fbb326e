// The time to read a usage report, compared with a column store over the same rows, and with a tenth of the rows.
import { rm } from 'node:fs/promises'
import type { Database } from '../src/db/connection/database.ts'
import { openDatabase } from '../src/db/open.ts'
import { reportUsage } from '../src/engine/usage/report.ts'
import type { UsageQuery } from '../src/engine/usage/query.ts'
import { createLog } from '../src/log.ts'
import { startPostgresql, type PostgresqlServer } from '../test/support/postgresql-server.ts'
import { clock } from './child.ts'
import { openDuckDB, type Duck } from './duckdb.ts'
import { alternate, compare, type Sample } from './measure.ts'
import { duckRows, fillPostgresql, fillSqlite, FROM, MONTH, newFolder, projectOf, TO } from './report-rows.ts'
import type { Row, Section } from './table.ts'

const ROUNDS = 9

const MONTH_BY_DAY: UsageQuery = {
  projectId: null,
  from: MONTH.from,
  to: MONTH.to,
  groupBy: ['DAY', 'MODEL'],
  filter: {},
  timeZone: 'UTC',
  metadataKey: null,
}

const QUESTIONS: Readonly<Record<string, UsageQuery>> = {
  'a month by day and model, all projects': MONTH_BY_DAY,
  'a month by day and model, one project': { ...MONTH_BY_DAY, projectId: projectOf(7) },
  'the same in Europe/Berlin, from quarters of an hour': {
    ...MONTH_BY_DAY,
    projectId: projectOf(7),
    timeZone: 'Europe/Berlin',
  },
  'the year by month and provider, all projects': {
    ...MONTH_BY_DAY,
    from: FROM,
    to: TO,
    groupBy: ['MONTH', 'PROVIDER'],
  },
}

/** Reads reports over `millions` of attempts, and over a tenth of them. */
export async function report(kind: 'SQLite' | 'PostgreSQL', millions: number): Promise<Section> {
  const [many, few] = [Math.round(millions * 1_000_000), Math.round(millions * 100_000)]
  const rows: Row[] = []
  const duck = await openDuck(many)
  const server = kind === 'PostgreSQL' ? await startPostgresql() : undefined
  const [large, small] = [await fill(server, 'large', many), await fill(server, 'small', few)]
  try {
    for (const [what, question] of Object.entries(QUESTIONS)) {
      await expectSameResults(large.db, duck, question)
      const compared = await alternate(ROUNDS, {
        ours: () => timed(() => reportUsage(large.db.read, question, TO)),
        reference: () => timed(() => duck.runAndReadAll(inDuck(question))),
      })
      rows.push({
        what,
        unit: 'ms',
        against: `DuckDB, 2 threads, in memory, over the same ${sizeOf(many)}`,
        figures: compare(compared, 'ms'),
      })
      const scaled = await alternate(ROUNDS, {
        ours: () => timed(() => reportUsage(large.db.read, question, TO)),
        reference: () => timed(() => reportUsage(small.db.read, question, TO)),
      })
      rows.push({
        what: '',
        unit: 'ms',
        against: `itself over ${sizeOf(few)}`,
        figures: compare(scaled, 'ms'),
      })
    }
  } finally {
    await large.close()
    await small.close()
    await server?.stop()
  }
  return {
    title: `report · usage of a month and of a year, over ${sizeOf(many)} on ${kind}`,
    notes: [
      '20 projects, 6 providers, 4 models, spread evenly over a year; caches warm.',
      'Ours reads 14 counts that are updated with every attempt; DuckDB scans and sums 8. Both must have the same results.',
    ],
    rows,
  }
}

function sizeOf(attempts: number): string {
  return `${attempts / 1_000_000} M attempts`
}

interface Filled {
  db: Database
  close(): Promise<void>
}

async function fill(server: PostgresqlServer | undefined, name: string, attempts: number): Promise<Filled> {
  const dataDir = await newFolder()
  const databaseUrl = server ? server.url.replace(/\/postgres$/, `/${name}`) : null
  if (server && databaseUrl) await fillPostgresql(server.url, databaseUrl, name, dataDir, attempts)
  else await fillSqlite(dataDir, attempts)
  const db = await openDatabase({ databaseUrl, dataDir, onWakeUp: () => {}, log: createLog('silent') })
  return {
    db,
    async close() {
      await db.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

async function timed(ask: () => Promise<unknown>): Promise<Sample> {
  const begin = clock()
  await ask()
  return { ms: clock() - begin }
}

async function openDuck(attempts: number): Promise<Duck> {
  const duck = await openDuckDB()
  await duck.run(`create table attempts as ${duckRows(attempts)}`)
  return duck
}

const SUMS = [
  'images',
  'cost_micros',
  'input_tokens',
  'output_tokens',
  'total_tokens',
  'input_text_tokens',
  'output_image_tokens',
]

function inDuck({ projectId, from, to, groupBy, timeZone }: UsageQuery): string {
  const day = timeZone === 'UTC' ? 'created_at // 86400000' : '(created_at + 3600000) // 86400000'
  const month = "date_trunc('month', epoch_ms(created_at))"
  const time = groupBy[0] === 'MONTH' ? month : day
  return `select ${time} as time, ${groupBy[1]?.toLowerCase()} as word, count(*)::bigint as attempts,
      ${SUMS.map((name) => `sum(${name})::bigint as ${name}`).join(', ')}
    from attempts where created_at >= ${from} and created_at < ${to} ${projectId === null ? '' : `and project_id = '${projectId}'`}
    group by 1, 2 order by 1, 2`
}

/** Throws unless both return the same groups and sums. */
async function expectSameResults(db: Database, duck: Duck, question: UsageQuery): Promise<void> {
  const { rows } = await reportUsage(db.read, question, TO)
  const theirs = (await duck.runAndReadAll(inDuck(question))).getRows()
  const ours = rows.map(({ counts }) =>
    [counts.attempts, counts.images, counts.costMicros, counts.totalTokens].join(),
  )
  const same = theirs.map((row) => [row[2], row[3], row[4], row[7]].map(Number).join())
  const odd = same.findIndex((row, nth) => row !== ours[nth])
  if (ours.length === 0 || ours.length !== same.length || odd !== -1)
    throw new Error(
      `The results differ: ${ours.length} and ${same.length} rows, ${ours[odd]} and ${same[odd]}.`,
    )
}
