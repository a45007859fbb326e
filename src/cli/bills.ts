import { readFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { z } from 'zod'
import { CLIENT_OPTIONS, withAdminClient, type AdminClient } from './admin-client.ts'
import { COLUMNS, readBillFile, readColumnMap } from './bills/file.ts'
import { BILL_REPORT, printBillReport, REPORT_FIELDS } from './bills/report.ts'
import { UsageError, type Arguments, type Command, type CommandContext } from './command.ts'
import type { Output } from './output.ts'
import { PROBLEMS, PROBLEM_FIELDS, printProblems } from './attempts/problems.ts'
import { readDay } from './time-option.ts'

const names = (field: keyof typeof COLUMNS) => COLUMNS[field].join(', ')

export const bills: Command = {
  name: 'bills',
  summary: 'Compare the bill of a provider with the ledger, and correct the ledger',
  usage: 'import <provider> <file.csv|json> | fetch <provider>',
  takesPositionals: true,
  options: {
    '--from <day>': 'Start of the period, such as 2026-11-01, in UTC (import: the day of the first line)',
    '--to <day>': 'End of the period, exclusive (import: the end of the day of the last line)',
    '--map <list>': 'import: <field>=<column>, separated by commas, for other column names',
    '--apply': 'Record the billed costs. Without it, nothing changes',
    ...CLIENT_OPTIONS,
  },
  notes: {
    'Fields of a file': {
      attempt_id: `Our id, att_…: ${names('attempt_id')}`,
      request_id: `Its id of the HTTP request: ${names('request_id')}`,
      remote_id: `Its id of the job: ${names('remote_id')}`,
      at: `Time, ISO 8601 or Unix seconds: ${names('at')}`,
      amount_usd: `US dollars: ${names('amount_usd')}`,
      amount_micros: `Whole micro-USD: ${names('amount_micros')}`,
    },
    'With --apply': {
      'a charge': 'Becomes the cost of its attempt, and ends an unknown outcome or an estimate',
      'no charge': 'With --from and --to, attempts of the period that are not on the bill were free',
    },
  },
  examples: [
    'darkroom bills import jimmy november.csv',
    'darkroom bills import jimmy november.csv --from 2026-11-01 --to 2026-12-01 --apply',
    'darkroom bills import basic invoice.csv --map request_id=Reference,amount_usd=Total',
    'darkroom bills fetch openai --from 2026-11-01 --to 2026-12-01',
  ],
  run: runBills,
}

async function runBills(input: Arguments, context: CommandContext): Promise<number> {
  const { positionals, values, flags } = input
  const [verb = '', provider = '', file = '', ...more] = positionals
  const isImport = verb === 'import' && file !== ''
  const isFetch = verb === 'fetch' && file === ''
  if (!(isImport || isFetch) || provider === '' || more.length > 0)
    throw new UsageError(
      '`darkroom bills` takes one of: import <provider> <file.csv|json>, fetch <provider>.',
    )
  const period = readPeriod(values['from'], values['to'])
  if (isFetch && !period) throw new UsageError('`darkroom bills fetch` needs --from and --to.')
  const operation = isImport
    ? {
        name: 'Bill' as const,
        ...(await importVariables(provider, resolve(context.cwd, file), values['map'], period)),
      }
    : {
        name: 'ProviderBill' as const,
        declared: FETCH_VARIABLES,
        given: FETCH_ARGUMENTS,
        variables: { provider, ...period },
      }
  return withAdminClient(context, input, (client) => run(client, operation, flags, context))
}

interface BillOperation {
  name: 'Bill' | 'ProviderBill'
  declared: string
  given: string
  variables: Record<string, unknown>
}

const FETCH_VARIABLES = '$provider: String!, $from: DateTime!, $to: DateTime!'
const FETCH_ARGUMENTS = 'provider: $provider, from: $from, to: $to'

async function importVariables(
  provider: string,
  path: string,
  map: string | undefined,
  period: Period | undefined,
): Promise<Omit<BillOperation, 'name'>> {
  const columns = readColumnMap(map)
  const lines = readBillFile(await readFile(path, 'utf8'), path.endsWith('.json'), columns)
  const bill = { provider, source: basename(path), lines, ...period }
  return { declared: '$bill: BillInput!', given: 'bill: $bill', variables: { bill } }
}

async function run(
  client: AdminClient,
  { name, declared, given, variables }: BillOperation,
  flags: ReadonlySet<string>,
  { out }: CommandContext,
): Promise<Output> {
  if (!flags.has('apply')) {
    const { report } = await client.run({
      query: `query (${declared}) { report: compare${name}(${given}) { ${REPORT_FIELDS} } }`,
      variables,
      shape: z.object({ report: BILL_REPORT }),
    })
    const text = `${printBillReport(report, out.paint)}\n  Nothing was changed. Record the billed costs with --apply.\n\n`
    return { text, data: report }
  }
  const { applied } = await client.run({
    query: `mutation (${declared}) {
      applied: apply${name}(input: { ${given} }) { report { ${REPORT_FIELDS} } corrected problems { ${PROBLEM_FIELDS} } }
    }`,
    variables,
    shape: z.object({
      applied: z.object({ report: BILL_REPORT, corrected: z.number(), problems: PROBLEMS }),
    }),
  })
  const { report, corrected, problems } = applied
  const kept =
    !report.isComplete && report.missingThereCount > 0
      ? '  Attempts that are not on the bill were kept: pass --from and --to to state that it is complete.\n'
      : ''
  const text = `${printBillReport(report, out.paint)}\n  Corrected ${corrected} attempts.\n${kept}${printProblems(problems)}\n`
  return { text, data: applied }
}

interface Period {
  from: string
  to: string
}

function readPeriod(from: string | undefined, to: string | undefined): Period | undefined {
  if (from === undefined && to === undefined) return undefined
  if (from === undefined || to === undefined) throw new UsageError('Pass --from and --to together.')
  return { from: readDay('--from', from), to: readDay('--to', to) }
}
