import { z } from 'zod'
import { PERIODS, type Period } from '../domain.ts'
import { formatUsd, parseUsd } from '../money.ts'
import {
  CLIENT_OPTIONS,
  getProject,
  listProjects,
  withAdminClient,
  type AdminClient,
} from './admin-client.ts'
import { UsageError, type Arguments, type Command, type CommandContext } from './command.ts'
import type { Output } from './output.ts'
import { PAGE, readAllPages } from './pages.ts'
import type { Paint } from './screen.ts'
import { indented, renderTable } from './table.ts'

export const budgets: Command = {
  name: 'budgets',
  summary: 'Show spending, and set budgets of projects and API keys',
  usage: '[list] | set <project or key> day|month|total <usd>|none',
  takesPositionals: true,
  options: { '--project <name>': 'list: name or ID of a project (default: all)', ...CLIENT_OPTIONS },
  notes: {
    'A budget': {
      counts: 'Spent and held amounts of the UTC day, of the UTC month, or of all time',
      blocks: 'New attempts, with BUDGET_EXCEEDED. Running attempts continue',
    },
  },
  examples: [
    'darkroom budgets',
    'darkroom budgets set shop month 250',
    'darkroom budgets set key_01M8MB4NZSZ6BYA20PNRDFEWQX day none',
  ],
  run: runBudgets,
}

async function runBudgets(input: Arguments, context: CommandContext): Promise<number> {
  const [verb = 'list', owner = '', period = '', amount = '', ...more] = input.positionals
  const { project } = input.values
  if (verb === 'list' && owner === '')
    return withAdminClient(context, input, (client) => list(client, project, context.out.paint))
  if (verb !== 'set' || amount === '' || more.length > 0)
    throw new UsageError(
      '`darkroom budgets` takes one of: list, set <project or key> day|month|total <usd>|none.',
    )
  // Reports invalid arguments before opening a database.
  const budget = { period: readPeriod(period), limitMicros: readUsd(amount) }
  return withAdminClient(context, input, (client) => set(client, owner, budget))
}

function readPeriod(text: string): Period {
  const period = PERIODS.find((one) => one === text.toUpperCase())
  if (period) return period
  throw new UsageError(`The period is "${text}"; it must be day, month or total.`)
}

/** Micro-USD; null for `none`. */
function readUsd(text: string): number | null {
  if (text === 'none') return null
  const micros = parseUsd(text)
  if (micros !== undefined && micros >= 0) return micros
  throw new UsageError(`The amount is "${text}"; it must be US dollars such as 250 or 0.5, or none.`)
}

const BUDGET = z.object({
  period: z.enum(PERIODS),
  limitMicros: z.number().nullable(),
  heldMicros: z.number(),
  spentMicros: z.number(),
  remainingMicros: z.number().nullable(),
})
const FIELDS = Object.keys(BUDGET.shape).join(' ')
const OWNERS = z.object({
  project: z.object({
    budgets: z.array(BUDGET),
    keys: PAGE.shape(z.object({ name: z.string(), budgets: z.array(BUDGET) })),
  }),
})

type Budget = z.output<typeof BUDGET>

async function list(client: AdminClient, projectName: string | undefined, paint: Paint): Promise<Output> {
  const found: { project: string; key: string | null; budget: Budget }[] = []
  for (const { id, name } of await listProjects(client, projectName)) {
    const query = `query (${PAGE.variables}) { project {
      budgets { ${FIELDS} }
      keys(${PAGE.arguments}) { nodes { name budgets { ${FIELDS} } } ${PAGE.selection} }
    } }`
    let ofProject: Budget[] = []
    const keys = await readAllPages(client, { query, shape: OWNERS, projectId: id }, ({ project }) => {
      ofProject = project.budgets
      return project.keys
    })
    // Of the keys only the limited budgets.
    const ofKeys = keys.flatMap((key) =>
      key.budgets
        .filter(({ limitMicros }) => limitMicros !== null)
        .map((budget) => ({ project: name, key: key.name, budget })),
    )
    found.push(...ofProject.map((budget) => ({ project: name, key: null, budget })), ...ofKeys)
  }
  const columns = [
    'Project',
    'Key',
    'Period',
    ...['Budget', 'Spent', 'Held', 'Remaining'].map((head) => ({ head, align: 'right' as const })),
  ]
  const rows = found.map(({ project, key, budget }) => [project, key ?? '', ...cellsOf(budget)])
  const data = { budgets: found.map(({ budget, ...owner }) => ({ ...owner, ...budget })) }
  return { text: indented(renderTable({ columns, rows }, paint)), data }
}

function cellsOf({ period, limitMicros, spentMicros, heldMicros, remainingMicros }: Budget): string[] {
  const limit = limitMicros === null ? 'none' : formatUsd(limitMicros)
  const remaining = remainingMicros === null ? '–' : formatUsd(remainingMicros)
  return [period.toLowerCase(), limit, formatUsd(spentMicros), formatUsd(heldMicros), remaining]
}

async function set(
  client: AdminClient,
  ownerName: string,
  budget: Pick<Budget, 'period' | 'limitMicros'>,
): Promise<Output> {
  const owner = ownerName.startsWith('key_') ? ownerName : (await getProject(client, ownerName)).id
  const { setBudget } = await client.run({
    query: `mutation ($owner: ID!, $period: BudgetPeriod!, $limitMicros: BigInt) {
      setBudget(input: { owner: $owner, period: $period, limitMicros: $limitMicros }) { budget { ${FIELDS} } }
    }`,
    variables: { owner, ...budget },
    shape: z.object({ setBudget: z.object({ budget: BUDGET }) }),
  })
  const { period, limitMicros, remainingMicros } = setBudget.budget
  const name = `the ${ADJECTIVES[period]} budget of ${ownerName}`
  const text =
    limitMicros === null || remainingMicros === null
      ? `Removed ${name}.\n`
      : `Set ${name} to ${formatUsd(limitMicros)}; ${formatUsd(remainingMicros)} remains.\n`
  return { text, data: { owner, ...setBudget.budget } }
}

const ADJECTIVES: Readonly<Record<Period, string>> = { DAY: 'daily', MONTH: 'monthly', TOTAL: 'total' }
