import type { ResultAddressRow } from '../db/tables/tables.ts'
import { systemClock } from '../clock.ts'
import type { AttentionFinding } from '../engine/maintenance/attention.ts'
import type { InvariantFinding } from '../engine/maintenance/invariants/index.ts'
import { EXIT, type Arguments, type Command, type CommandContext } from './command.ts'
import { readConfig } from './config.ts'
import { print } from './output.ts'
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
    Checks: {
      invariants: 'Sentences that always hold; see docs/guarantees.md',
      attention: 'Attempts in no list, and received answers on disk that are foreign, old or damaged',
    },
    'Read-only: a server may be running': {
      SQLite: 'Opened for reading only',
      PostgreSQL: 'Read in one transaction',
      images: 'Read from ASSETS_URL, or from DATA_DIR on this machine',
    },
    'Exit code': {
      '0': 'Every invariant holds, and nothing needs attention',
      '1': 'Otherwise, or there is no database',
    },
  },
  examples: ['darkroom doctor', 'DATABASE_URL=postgres://… darkroom doctor --json'],
  run: runDoctor,
}

const MAX_EXAMPLES = 3
const MAX_UNFETCHED = 100
/** Reads the images. */
const FILES_INVARIANT = 'I10'

async function runDoctor({ flags }: Arguments, context: CommandContext): Promise<number> {
  const { openAssetStore } = await import('../assets/open.ts')
  const { listAllAddresses } = await import('../db/attempts/addresses.ts')
  const { inspectDatabase } = await import('../db/connection/inspect.ts')
  const { findAttention } = await import('../engine/maintenance/attention.ts')
  const { findViolations } = await import('../engine/maintenance/invariants/index.ts')
  const config = await readConfig(context)
  const without = flags.has('skip-files') ? [FILES_INVARIANT] : []
  const { location, result } = await inspectDatabase(config, async (q) => {
    const store = await openAssetStore(config)
    try {
      const providers = config.providers.map(({ name }) => name)
      return {
        invariants: await findViolations(q, store, { without }),
        attention: await findAttention(q, { spool: store.spool, providers, now: systemClock.now() }),
        unfetchedResults: (await listAllAddresses(q, MAX_UNFETCHED)).map(unfetchedResult),
      }
    } finally {
      await store.close()
    }
  })
  const ok =
    result.invariants.every(({ violations }) => violations.length === 0) &&
    result.attention.every(({ cases }) => cases.length === 0)
  const { paint } = context.out
  const text = page(location, result, paint) + unfetchedPage(result.unfetchedResults, paint)
  print(context.out, { flags }, { text, data: { ok, database: location, ...result } })
  return ok ? EXIT.ok : EXIT.failed
}

interface Findings {
  invariants: InvariantFinding[]
  attention: AttentionFinding[]
}

function page(location: string, { invariants, attention }: Findings, paint: Paint): string {
  const violated = invariants.filter(({ violations }) => violations.length > 0).length
  const summary =
    violated === 0
      ? `All ${invariants.length} invariants hold.`
      : `${violated} of ${invariants.length} invariants ${violated === 1 ? 'is' : 'are'} violated.`
  const cases = attention.reduce((sum, finding) => sum + finding.cases.length, 0)
  const needs = cases === 0 ? '' : ` ${cases} ${cases === 1 ? 'case needs' : 'cases need'} attention.`
  const columns = [{ minWidth: 'violated'.length }, {}, {}]
  const rows = [...invariants.flatMap(rowsOf), ...attention.flatMap(attentionRows)]
  const table = renderTable({ columns, rows }, paint)
  const title = [paint('bold', 'Consistency of the data'), paint('dim', location)]
  return `\n${indented(title)}\n${indented(table)}\n  ${summary}${needs}\n\n`
}

type UnfetchedResult = ReturnType<typeof unfetchedResult>

/** Without the query: it may hold a signature. */
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
  return [[verdict, id, sentence], ...examplesOf(violations)]
}

function attentionRows({ sentence, cases }: AttentionFinding): TableCell[][] {
  if (cases.length === 0) return []
  return [[{ text: 'attention', format: 'yellow' }, '', sentence], ...examplesOf(cases)]
}

function examplesOf(all: readonly string[]): TableCell[][] {
  const more = all.length - MAX_EXAMPLES
  const examples = [...all.slice(0, MAX_EXAMPLES), ...(more > 0 ? [`… and ${more} more`] : [])]
  return examples.map((example) => ['', '', example])
}
