import { csvLine } from '../../csv.ts'
import type { UsageQuery } from '../../engine/usage/query.ts'
import { knownCost, nullIfZero, type UsageReport, type UsageTotals } from '../../engine/usage/report.ts'
import { localTime } from '../../engine/usage/time-zone.ts'
import { keyColumns, tableOf, TOTALS_COLUMNS } from '../../http/usage/columns.ts'
import { countDecimals, formatUsd } from '../../money.ts'
import { formatCount } from '../../quantity.ts'
import { countOrDash } from '../format.ts'
import type { Paint } from '../screen.ts'
import { indented, renderTable } from '../table.ts'

interface TotalsColumn {
  head: string
  /** Hidden when this total is 0. */
  optional?: keyof UsageTotals
  read: (totals: UsageTotals, decimals: number) => string
}

const countOf = (name: keyof UsageTotals) => (totals: UsageTotals) => countOrDash(nullIfZero(totals[name]))

const COLUMNS: readonly TotalsColumn[] = [
  { head: 'Tasks', read: ({ tasks }) => formatCount(tasks) },
  { head: 'Attempts', read: ({ attempts }) => formatCount(attempts) },
  { head: 'Images', read: ({ images }) => formatCount(images) },
  { head: 'Tokens in', read: countOf('inputTokens') },
  { head: 'Tokens out', read: countOf('outputTokens') },
  {
    head: 'Cost',
    read: (totals, decimals) => {
      const cost = knownCost(totals)
      return cost === null ? '?' : formatUsd(cost, decimals)
    },
  },
  {
    head: 'Of it SVG',
    optional: 'svgCostMicros',
    read: ({ svgCostMicros }, decimals) => (svgCostMicros === 0 ? '–' : formatUsd(svgCostMicros, decimals)),
  },
  {
    head: 'Held',
    optional: 'heldMicros',
    read: ({ heldMicros }, decimals) => (heldMicros === 0 ? '–' : formatUsd(heldMicros, decimals)),
  },
  {
    head: 'Estimated',
    optional: 'estimatedCosts',
    read: ({ estimatedCosts, estimatedMicros }, decimals) =>
      estimatedCosts === 0 ? '–' : formatUsd(estimatedMicros, decimals),
  },
  { head: 'Cost unknown', optional: 'unknownCosts', read: countOf('unknownCosts') },
  { head: 'Tokens unknown', optional: 'unknownUsages', read: countOf('unknownUsages') },
]

export function toPage(
  query: UsageQuery,
  report: UsageReport,
  { location, paint }: { location: string; paint: Paint },
): string {
  const { rows, totals } = report
  const keys = keyColumns(query)
  const columns = COLUMNS.filter(({ optional }) => optional === undefined || totals[optional] > 0)
  const amounts = [totals, ...rows.map(({ counts }) => counts)].flatMap(
    ({ costMicros, svgCostMicros, heldMicros, estimatedMicros }) => [
      costMicros,
      svgCostMicros,
      heldMicros,
      estimatedMicros,
    ],
  )
  const decimals = countDecimals(amounts)
  const cells = (of: UsageTotals) => columns.map(({ read }) => read(of, decimals))
  const table = renderTable(
    {
      columns: [
        ...keys.map(({ name }) => ({ head: headOf(name) })),
        ...columns.map(({ head }) => ({ head, align: 'right' as const })),
      ],
      rows: rows.map((row) => [...keys.map(({ read }) => read(row) ?? '–'), ...cells(row.counts)]),
      footer: [...keys.map((_, nth) => (nth === 0 ? 'Total' : '')), ...cells(totals)],
    },
    paint,
  )
  const isEmpty = rows.length === 0 && totals.attempts === 0
  const title = [paint('bold', `Usage, ${periodText(report)}`), paint('dim', location)]
  const notes = notesOn(totals).map((note) => paint('yellow', note))
  const body = isEmpty ? ['No attempts in this period.'] : table
  return `\n${indented(title)}\n${indented(body)}${notes.length > 0 ? '\n' : ''}${indented(notes)}\n`
}

/** `api_key` as `API key`; labels stay. */
function headOf(column: string): string {
  if (column.startsWith('metadata.')) return column
  return column === 'api_key' ? 'API key' : `${column.charAt(0).toUpperCase()}${column.slice(1)}`
}

function notesOn({ unknownCosts, unknownUsages, estimatedCosts }: UsageTotals): string[] {
  return [
    ...(estimatedCosts > 0
      ? [`The cost excludes ${chargedAttempts(estimatedCosts)} at an estimated cost.`]
      : []),
    ...(unknownCosts > 0 ? [`The cost excludes ${chargedAttempts(unknownCosts)} at an unknown cost.`] : []),
    ...(unknownUsages > 0
      ? [`The tokens exclude ${chargedAttempts(unknownUsages)} with unknown usage.`]
      : []),
  ]
}

function chargedAttempts(count: number): string {
  return count === 1
    ? '1 attempt that was or may have been charged'
    : `${formatCount(count)} attempts that were or may have been charged`
}

function periodText({ from, to, timeZone }: UsageReport): string {
  const textOf = (at: number) => {
    const [day = '', time = ''] = localTime(timeZone, at).split('T')
    return time === '00:00:00' ? day : `${day} ${time.slice(0, 5)}`
  }
  return `${textOf(from)} to ${textOf(to)} (${timeZone})`
}

/** As `GET /usage.csv`, without byte order mark: a pipe would see it in the first name. */
export function toCsv(query: UsageQuery, report: UsageReport): string {
  return Array.from(tableOf(query, report), csvLine).join('')
}

/** Field names are the CSV columns. */
export function toJson(query: UsageQuery, { from, to, timeZone, rows, totals }: UsageReport): string {
  const keys = keyColumns(query)
  const report = {
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    time_zone: timeZone,
    rows: rows.map((row) => ({
      ...Object.fromEntries(keys.map(({ name, read }) => [name, read(row)])),
      ...namedTotals(row.counts),
    })),
    totals: namedTotals(totals),
  }
  return `${JSON.stringify(report, null, 2)}\n`
}

function namedTotals(totals: UsageTotals): Record<string, number | string | null> {
  return Object.fromEntries(TOTALS_COLUMNS.map(([name, read]) => [name, read(totals)]))
}
