import { join } from 'node:path'
import type { ResultAddressRow } from '../db/tables/tables.ts'
import type { InvariantFinding } from '../engine/maintenance/invariants/index.ts'
import { EXIT, type Arguments, type Command, type CommandContext } from './command.ts'
import { readConfig } from './config.ts'
import type { Paint } from './screen.ts'
import { indented, renderTable, type TableCell } from './table.ts'

export const doctor: Command = {
  name: 'doctor',
  summary: 'Check the consistency of the database and the images, and list results that were not fetched',
  usage: '[--json] [--skip-files]',
  options: {
    '--json': 'Print JSON with every violation, not only the first three of each',
    '--skip-files': 'Do not read the images, which takes the most time',
  },
  notes: {
    'Read-only: a server may be running': {
      SQLite: 'Opened for reading only',
      PostgreSQL: 'Read in one transaction',
      images: 'Read from DATA_DIR on this machine',
    },
    'Exit code': { '0': 'Every invariant holds', '1': 'An invariant is violated, or there is no database' },
  },
  examples: ['darkroom doctor', 'DATABASE_URL=postgres://… darkroom doctor --json'],
  run: runDoctor,
}

const MAX_EXAMPLES = 3
const MAX_UNFETCHED = 100
/** The invariant that reads the images. */
const FILES_INVARIANT = 'I10'

async function runDoctor({ flags }: Arguments, context: CommandContext): Promise<number> {
  const { openDirectoryStore } = await import('../assets/directory.ts')
  const { listAllAddresses } = await import('../db/attempts/addresses.ts')
  const { inspectDatabase } = await import('../db/connection/inspect.ts')
  const { findViolations } = await import('../engine/maintenance/invariants/index.ts')
  const config = await readConfig(context)
  const without = flags.has('skip-files') ? [FILES_INVARIANT] : []
  const { location, result } = await inspectDatabase(config, async (q) => ({
    invariants: await findViolations(q, await openDirectoryStore(join(config.dataDir, 'assets')), {
      without,
    }),
    unfetchedResults: (await listAllAddresses(q, MAX_UNFETCHED)).map(unfetchedResult),
  }))
  const { invariants, unfetchedResults } = result
  const ok = invariants.every(({ violations }) => violations.length === 0)
  context.out.write(
    flags.has('json')
      ? `${JSON.stringify({ ok, database: location, ...result }, null, 2)}\n`
      : page(location, invariants, context.out.paint) + unfetchedPage(unfetchedResults, context.out.paint),
  )
  return ok ? EXIT.ok : EXIT.failed
}

function page(location: string, findings: InvariantFinding[], paint: Paint): string {
  const violated = findings.filter(({ violations }) => violations.length > 0).length
  const summary =
    violated === 0
      ? `All ${findings.length} invariants hold.`
      : `${violated} of ${findings.length} invariants ${violated === 1 ? 'is' : 'are'} violated.`
  const columns = [{ minWidth: 'violated'.length }, {}, {}]
  const table = renderTable({ columns, rows: findings.flatMap(rowsOf) }, paint)
  const title = [paint('bold', 'Consistency of the data'), paint('dim', location)]
  return `\n${indented(title)}\n${indented(table)}\n  ${summary}\n\n`
}

type UnfetchedResult = ReturnType<typeof unfetchedResult>

/** Without the query, which may hold a signature. */
function unfetchedResult({ attemptId, url, receivedAt, tries, problem }: ResultAddressRow) {
  const parsed = URL.parse(url)
  const address = parsed ? `${parsed.origin}${parsed.pathname}` : 'not a URL'
  return { attempt: attemptId, address, receivedAt: new Date(receivedAt).toISOString(), tries, problem }
}

function unfetchedPage(results: readonly UnfetchedResult[], paint: Paint): string {
  if (results.length === 0) return ''
  const rows = results.flatMap(({ attempt, address, receivedAt, tries, problem }) => [
    [attempt, receivedAt, `tried ${tries} times${problem === null ? '' : `: ${problem}`}`],
    ['', address, ''],
  ])
  const title = [
    paint('bold', 'Paid images that were not fetched yet'),
    paint('dim', 'darkroom attempt <id>'),
  ]
  return `${indented(title)}\n${indented(renderTable({ columns: [{}, {}, {}], rows }, paint))}\n`
}

function rowsOf({ id, sentence, violations }: InvariantFinding): TableCell[][] {
  const verdict: TableCell =
    violations.length === 0 ? { text: 'ok', format: 'green' } : { text: 'violated', format: 'red' }
  const more = violations.length - MAX_EXAMPLES
  const examples = [...violations.slice(0, MAX_EXAMPLES), ...(more > 0 ? [`… and ${more} more`] : [])]
  return [[verdict, id, sentence], ...examples.map((example) => ['', '', example])]
}
