// A report for people.
import { keyColumns } from '../../http/usage/columns.ts'
import type { UsageQuery } from '../../engine/usage/query.ts'
import { knownCost, told, type UsageTotals, type UsageReport } from '../../engine/usage/report.ts'
import { localTime } from '../../engine/usage/time-zone.ts'
import { decimalsOf, formatUsd } from '../../money.ts'
import { formatCount } from '../../quantity.ts'
import { countOrDash } from '../format.ts'
import type { Paint } from '../screen.ts'
import { indented, renderTable } from '../table.ts'

/** What a person reads of the sums: those that are 0 in the whole report are left out where they may be. */
const COLUMNS: readonly {
  name: string
  optional?: keyof UsageTotals
  read: (figures: UsageTotals, decimals: number) => string
}[] = [
  { name: 'tasks', read: ({ tasks }) => formatCount(tasks) },
  { name: 'attempts', read: ({ attempts }) => formatCount(attempts) },
  { name: 'images', read: ({ images }) => formatCount(images) },
  { name: 'tokens in', read: ({ inputTokens }) => countOrDash(told(inputTokens)) },
  { name: 'tokens out', read: ({ outputTokens }) => countOrDash(told(outputTokens)) },
  { name: 'cost', read: (figures, decimals) => orUnknown(knownCost(figures), decimals) },
  {
    name: 'held',
    optional: 'heldMicros',
    read: ({ heldMicros }, decimals) => (heldMicros === 0 ? '–' : formatUsd(heldMicros, decimals)),
  },
  {
    name: 'cost unknown',
    optional: 'unknownCosts',
    read: ({ unknownCosts }) => countOrDash(told(unknownCosts)),
  },
  {
    name: 'tokens unknown',
    optional: 'unknownUsages',
    read: ({ unknownUsages }) => countOrDash(told(unknownUsages)),
  },
]

/** As wide as its cells; ends with a line of totals, and with a word about what nobody knows. */
export function toPage(
  query: UsageQuery,
  report: UsageReport,
  { location, paint }: { location: string; paint: Paint },
): string {
  const { rows, totals } = report
  const keys = keyColumns(query)
  const columns = COLUMNS.filter(({ optional }) => optional === undefined || totals[optional] > 0)
  const figures = [totals, ...rows.map((row) => row.figures)]
  const decimals = decimalsOf(figures.flatMap(({ costMicros, heldMicros }) => [costMicros, heldMicros]))
  const cells = (of: UsageTotals) => columns.map(({ read }) => read(of, decimals))
  const table = renderTable(
    {
      columns: [
        ...keys.map(({ name }) => ({ head: name.replaceAll('_', ' ') })),
        ...columns.map(({ name }) => ({ head: name, align: 'right' as const })),
      ],
      rows: rows.map((row) => [...keys.map(({ read }) => read(row) ?? '–'), ...cells(row.figures)]),
      footer: [...keys.map((_, nth) => (nth === 0 ? 'total' : '')), ...cells(totals)],
    },
    paint,
  )
  const isEmpty = rows.length === 0 && totals.attempts === 0
  const head = [paint('bold', `Usage, ${stretchOf(report)}`), paint('dim', location)]
  const notes = unknowns(totals).map((line) => `\n${indented([paint('yellow', line)])}`)
  return `\n${indented(head)}\n${indented(isEmpty ? ['Nothing was asked for.'] : table)}${[...notes].join('')}\n`
}

function someCharged(count: number): string {
  return count === 1
    ? 'One attempt was or may have been'
    : `${formatCount(count)} attempts were or may have been`
}

function* unknowns({ unknownCosts, unknownUsages }: UsageTotals): Generator<string> {
  if (unknownCosts > 0) yield `${someCharged(unknownCosts)} charged what nobody told: it is not in the cost.`
  if (unknownUsages > 0)
    yield `${someCharged(unknownUsages)} charged without a word of tokens: they are not in the tokens.`
}

function stretchOf({ from, to, timeZone }: UsageReport): string {
  const say = (at: number) => {
    const [day = '', time = ''] = localTime(timeZone, at).split('T')
    return time === '00:00:00' ? day : `${day} ${time.slice(0, 5)}`
  }
  return `${say(from)} to ${say(to)} (${timeZone})`
}

function orUnknown(micros: number | null, decimals: number): string {
  return micros === null ? '?' : formatUsd(micros, decimals)
}
