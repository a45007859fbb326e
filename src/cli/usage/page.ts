// A report for people.
import type { UsageQuery } from '../../engine/usage/query.ts'
import { knownCost, told, type UsageTotals, type UsageReport } from '../../engine/usage/report.ts'
import { findZone } from '../../engine/usage/time-zone.ts'
import { keyColumns, usd } from '../../http/usage/columns.ts'
import type { Paint } from '../screen.ts'

/** What a person reads of the sums: those that are 0 in the whole report are left out where they may be. */
const COLUMNS: readonly {
  name: string
  optional?: keyof UsageTotals
  read: (figures: UsageTotals, digits: number) => string
}[] = [
  { name: 'tasks', read: ({ tasks }) => grouped(tasks) },
  { name: 'attempts', read: ({ attempts }) => grouped(attempts) },
  { name: 'images', read: ({ images }) => grouped(images) },
  { name: 'tokens in', read: ({ inputTokens }) => orDash(told(inputTokens)) },
  { name: 'tokens out', read: ({ outputTokens }) => orDash(told(outputTokens)) },
  { name: 'cost', read: (figures, digits) => cost(knownCost(figures), digits) },
  { name: 'held', optional: 'heldMicros', read: ({ heldMicros }, digits) => dollars(heldMicros, digits) },
  {
    name: 'cost unknown',
    optional: 'unknownCosts',
    read: ({ unknownCosts }) => orDash(told(unknownCosts)),
  },
  {
    name: 'tokens unknown',
    optional: 'unknownUsages',
    read: ({ unknownUsages }) => orDash(told(unknownUsages)),
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
  const digits = digitsOf([totals, ...rows.map(({ figures }) => figures)])
  const cells = (figures: UsageTotals) => columns.map(({ read }) => read(figures, digits))
  const lines = [
    [...keys.map(({ name }) => name.replaceAll('_', ' ')), ...columns.map(({ name }) => name)],
    ...rows.map((row) => [...keys.map(({ read }) => read(row) ?? '–'), ...cells(row.figures)]),
    [...keys.map((_, nth) => (nth === 0 ? 'total' : '')), ...cells(totals)],
  ]
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)))
  const drawn = lines.map((line) =>
    line
      .map((cell, column) =>
        column < keys.length ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
      )
      .join('  ')
      .trimEnd(),
  )
  const rule = '─'.repeat(widths.reduce((sum, width) => sum + width + 2, -2))
  return [
    '',
    `  ${paint('bold', `Usage, ${stretchOf(report)}`)}`,
    `  ${paint('dim', location)}`,
    '',
    ...(rows.length === 0 && totals.attempts === 0
      ? ['  Nothing was asked for.']
      : [
          `  ${paint('dim', drawn[0]!)}`,
          ...drawn.slice(1, -1).map((line) => `  ${line}`),
          ...(keys.length > 0 ? [`  ${paint('dim', rule)}`] : []),
          `  ${paint('bold', drawn.at(-1)!)}`,
          ...unknowns(totals).map((line) => `\n  ${paint('yellow', line)}`),
        ]),
    '',
    '',
  ].join('\n')
}

function someCharged(count: number): string {
  return count === 1 ? 'One attempt was or may have been' : `${grouped(count)} attempts were or may have been`
}

function* unknowns({ unknownCosts, unknownUsages }: UsageTotals): Generator<string> {
  if (unknownCosts > 0) yield `${someCharged(unknownCosts)} charged what nobody told: it is not in the cost.`
  if (unknownUsages > 0)
    yield `${someCharged(unknownUsages)} charged without a word of tokens: they are not in the tokens.`
}

function stretchOf({ from, to, timeZone }: UsageReport): string {
  const zone = findZone(timeZone)
  const say = (at: number) => {
    const text = new Date(at + (zone?.offsetAt(at) ?? 0)).toISOString()
    return text.endsWith('T00:00:00.000Z') ? text.slice(0, 10) : text.slice(0, 16).replace('T', ' ')
  }
  return `${say(from)} to ${say(to)} (${timeZone})`
}

/** Cents, unless something needs more. */
function digitsOf(figures: readonly UsageTotals[]): number {
  const amounts = figures.flatMap(({ costMicros, heldMicros }) => [costMicros, heldMicros])
  return [2, 3, 4, 5].find((digits) => amounts.every((micros) => micros % 10 ** (6 - digits) === 0)) ?? 6
}

function money(micros: number, digits: number): string {
  const [whole = '', part] = usd(micros, digits).split('.')
  return `${grouped(Number(whole))}.${part}`
}

function cost(micros: number | null, digits: number): string {
  return micros === null ? '?' : `$${money(micros, digits)}`
}

function dollars(micros: number, digits: number): string {
  return micros === 0 ? '–' : `$${money(micros, digits)}`
}

function orDash(count: number | null): string {
  return count === null ? '–' : grouped(count)
}

function grouped(count: number): string {
  return count.toLocaleString('en-US')
}
