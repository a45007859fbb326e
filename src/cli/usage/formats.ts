import { csvLine } from '../../csv.ts'
import type { UsageQuery } from '../../engine/usage/query.ts'
import type { UsageReport, UsageTotals } from '../../engine/usage/report.ts'
import { keyColumns, tableOf, TOTALS_COLUMNS } from '../../http/usage/columns.ts'

/** As `GET /usage.csv`, without its byte order mark, which would be part of the first name in a pipe. */
export function toCsv(query: UsageQuery, report: UsageReport): string {
  return Array.from(tableOf(query, report), csvLine).join('')
}

/** An object whose fields have the names of the CSV columns. */
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
