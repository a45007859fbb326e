import { z } from 'zod'
import { PERIODS, type Period } from '../domain.ts'
import { formatUsd, parseUsd } from '../money.ts'
import { findProject, listProjects, type Project } from './access/project.ts'
import { indented, renderTable } from './table.ts'
import type { Arguments, Command, Surroundings } from './command.ts'
import { openDesk, type Desk } from './admin-client.ts'
import { EXIT, UsageError } from './exit.ts'

/** `darkroom budgets`. */
export const budgets: Command = {
  name: 'budgets',
  summary: 'Show what projects and keys have spent, or set what they may',
  usage: '[--project <p>] | set <project or key> day|month|total <usd>|none',
  takesWords: true,
  options: [
    { name: 'project', value: '<name>', about: 'by name or id; all of them when left out' },
    { name: 'url', value: '<address>', about: 'of a running server, to ask it instead of the database' },
  ],
  notes: [
    {
      title: 'A budget',
      lines: [
        ['counts', 'what is held and spent, of a day or a month of UTC, or of all time'],
        ['stops', 'new attempts with BUDGET_EXCEEDED; what is under way goes on'],
      ],
    },
  ],
  examples: [
    'darkroom budgets',
    'darkroom budgets set shop month 250',
    'darkroom budgets set key_01k… day none',
  ],
  run: runBudgets,
}

async function runBudgets({ words, values }: Arguments, around: Surroundings): Promise<number> {
  const [verb = 'list', owner, period, amount, ...more] = words
  const isRight = verb === 'set' ? amount !== undefined && more.length === 0 : verb === 'list' && !owner
  if (!isRight) throw new UsageError('`darkroom budgets` takes nothing, or: set <owner> <period> <usd>|none.')
  // What makes no sense is said before anything is opened.
  const wish = verb === 'set' ? { period: readPeriod(period!), limitMicros: readUsd(amount!) } : undefined
  const desk = await openDesk(around, values['url'])
  try {
    if (wish) await set(desk, owner!, wish, around)
    else await list(desk, values['project'], around)
    return EXIT.ok
  } finally {
    await desk.close()
  }
}

function readPeriod(text: string): Period {
  const period = PERIODS.find((one) => one === text.toUpperCase())
  if (period) return period
  throw new UsageError(`The period is "${text}", but must be day, month or total.`)
}

/** A limit in micro-USD; null for none. Throws UsageError. */
function readUsd(text: string): number | null {
  if (text === 'none') return null
  const micros = parseUsd(text)
  if (micros !== undefined && micros >= 0) return micros
  throw new UsageError(`The amount is "${text}", but must be dollars such as 250 or 0.5, or none.`)
}

const BUDGET = z.object({
  period: z.enum(PERIODS),
  limitMicros: z.number().nullable(),
  heldMicros: z.number(),
  spentMicros: z.number(),
  leftMicros: z.number().nullable(),
})
const FIELDS = Object.keys(BUDGET.shape).join(' ')
const OWNERS = z.object({
  project: z.object({
    budgets: z.array(BUDGET),
    keys: z.array(z.object({ id: z.string(), name: z.string(), budgets: z.array(BUDGET) })),
  }),
})

type Budget = z.output<typeof BUDGET>

async function list(desk: Desk, meant: string | undefined, { out }: Surroundings): Promise<void> {
  const projects = meant === undefined ? await listProjects(desk) : [await findProject(desk, meant)]
  const rows: string[][] = []
  for (const project of projects) rows.push(...(await rowsOf(desk, project)))
  out.write(indented(renderTable({ columns: COLUMNS, rows }, out.paint)))
}

const COLUMNS = [
  ...['project', 'key', 'period'].map((head) => ({ head })),
  ...['may', 'spent', 'held', 'left'].map((head) => ({ head, align: 'right' as const })),
]

async function rowsOf(desk: Desk, { id, name }: Project): Promise<string[][]> {
  const { project } = await desk.ask({
    query: `{ project { budgets { ${FIELDS} } keys { id name budgets { ${FIELDS} } } } }`,
    project: id,
    shape: OWNERS,
  })
  // Of keys only what somebody set: a project of many has none to say of most.
  const ofKeys = project.keys.flatMap((key) =>
    key.budgets
      .filter(({ limitMicros }) => limitMicros !== null)
      .map((budget) => rowOf(name, key.name, budget)),
  )
  return [...project.budgets.map((budget) => rowOf(name, '', budget)), ...ofKeys]
}

function rowOf(project: string, key: string, budget: Budget): string[] {
  const { period, limitMicros, spentMicros, heldMicros, leftMicros } = budget
  const may = limitMicros === null ? 'no budget' : formatUsd(limitMicros)
  const left = leftMicros === null ? '–' : formatUsd(leftMicros)
  return [project, key, period.toLowerCase(), may, formatUsd(spentMicros), formatUsd(heldMicros), left]
}

async function set(
  desk: Desk,
  meant: string,
  wish: { period: Period; limitMicros: number | null },
  { out }: Surroundings,
): Promise<void> {
  const owner = meant.startsWith('key_') ? meant : (await findProject(desk, meant)).id
  const { setBudget: budget } = await desk.ask({
    query: `mutation ($owner: ID!, $period: Period!, $limitMicros: BigInt) {
      setBudget(owner: $owner, period: $period, limitMicros: $limitMicros) { ${FIELDS} }
    }`,
    variables: { owner, ...wish },
    shape: z.object({ setBudget: BUDGET }),
  })
  const { limitMicros, leftMicros, period } = budget
  const per = period === 'TOTAL' ? 'in all' : `a ${period.toLowerCase()}`
  out.write(
    limitMicros === null || leftMicros === null
      ? `${meant} has no budget for ${period.toLowerCase()} any more.\n`
      : `${meant} may spend ${formatUsd(limitMicros)} ${per}; ${formatUsd(leftMicros)} of it is left.\n`,
  )
}
