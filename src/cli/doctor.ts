import { join } from 'node:path'
import type { InvariantFinding } from '../engine/maintenance/invariants/index.ts'
import type { Arguments, Command, Surroundings } from './command.ts'
import { readConfig } from './config.ts'
import { EXIT } from './exit.ts'
import type { Paint } from './screen.ts'
import { renderTable, type TableCell } from './table.ts'

/** `darkroom doctor`. */
export const doctor: Command = {
  name: 'doctor',
  summary: 'Check what must always hold: charges, events, images, queue',
  usage: '[--json] [--skip-files]',
  takesWords: false,
  options: [
    { name: 'json', value: null, about: 'for programs: every violation, not just the first three of each' },
    { name: 'skip-files', value: null, about: 'do not read the images, which takes longest' },
  ],
  notes: [
    {
      title: 'It changes nothing',
      lines: [
        ['SQLite', 'is opened for reading only; a server may run meanwhile, or none'],
        ['PostgreSQL', 'is read in one transaction, as it is at one moment'],
        ['images', 'are looked for in DATA_DIR on this machine'],
      ],
    },
    {
      title: 'Exit code',
      lines: [
        ['0', 'everything holds'],
        ['1', 'something does not, or there is no database'],
      ],
    },
  ],
  examples: ['darkroom doctor', 'DATABASE_URL=postgres://… darkroom doctor --json'],
  run: runDoctor,
}

/** How many violations of one kind a person is shown. */
const EXAMPLES = 3

async function runDoctor({ switches }: Arguments, { env, cwd, out }: Surroundings): Promise<number> {
  // Imported late, so that help and mistakes are answered without loading the server.
  const { openDirectoryStore } = await import('../assets/directory.ts')
  const { inspectDatabase } = await import('../db/connection/inspect.ts')
  const { findViolations } = await import('../engine/maintenance/invariants/index.ts')
  const config = await readConfig({ env, cwd })
  const without = switches.has('skip-files') ? [ABOUT_FILES] : []
  const { location, seen } = await inspectDatabase(config, async (q) =>
    findViolations(q, await openDirectoryStore(join(config.dataDir, 'assets')), { without }),
  )
  const holds = seen.every(({ violations }) => violations.length === 0)
  out.write(
    switches.has('json')
      ? `${JSON.stringify({ ok: holds, database: location, invariants: seen }, null, 2)}\n`
      : page(location, seen, out.paint),
  )
  return holds ? EXIT.ok : EXIT.failed
}

/** The one invariant that reads the images. */
const ABOUT_FILES = 'I10'

function page(location: string, findings: InvariantFinding[], paint: Paint): string {
  const violated = findings.filter(({ violations }) => violations.length > 0).length
  const end =
    violated === 0
      ? `All ${findings.length} hold.`
      : `${violated} of ${findings.length} ${violated === 1 ? 'is' : 'are'} violated.`
  const columns = [{ minWidth: 'violated'.length }, {}, {}]
  const table = renderTable({ columns, rows: findings.flatMap(rowsOf) }, paint)
  return `${[location, '', ...table, '', end].join('\n')}\n`
}

function rowsOf({ id, sentence, violations }: InvariantFinding): TableCell[][] {
  const verdict: TableCell =
    violations.length === 0 ? { text: 'ok', format: 'green' } : { text: 'violated', format: 'red' }
  const more = violations.length - EXAMPLES
  const examples = [...violations.slice(0, EXAMPLES), ...(more > 0 ? [`… and ${more} more`] : [])]
  return [[verdict, id, sentence], ...examples.map((example) => ['', '', example])]
}
