// A report for programs.
import { csvLine } from '../../csv.ts'
import { FIGURE_COLUMNS, keyColumns, tableOf } from '../../http/usage/columns.ts'
import type { UsageQuery } from '../../engine/usage/query.ts'
import type { UsageTotals, UsageReport } from '../../engine/usage/report.ts'

/** The same lines as `GET /usage.csv`, without its byte order mark, which would be part of the first name in a pipe. */
export function toCsv(query: UsageQuery, report: UsageReport): string {
  return Array.from(tableOf(query, report), csvLine).join('')
}

/** One object, its fields named like the columns of the table. */
export function toJson(query: UsageQuery, { from, to, timeZone, rows, totals }: UsageReport): string {
  const keys = keyColumns(query)
  const report = {
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    time_zone: timeZone,
    rows: rows.map((row) => ({
      ...Object.fromEntries(keys.map(({ name, read }) => [name, read(row)])),
      ...figuresOf(row.figures),
    })),
    totals: figuresOf(totals),
  }
  return `${JSON.stringify(report, null, 2)}\n`
}

function figuresOf(figures: UsageTotals): Record<string, number | string | null> {
  return Object.fromEntries(FIGURE_COLUMNS.map(([name, read]) => [name, read(figures)]))
}
