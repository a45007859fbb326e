// A report for programs.
import { csvLine } from '../../csv.ts'
import { FIGURE_COLUMNS, keyColumns, tableOf } from '../../engine/usage/columns.ts'
import type { UsageQuestion } from '../../engine/usage/query.ts'
import type { Figures, UsageReport } from '../../engine/usage/report.ts'

/** The same lines as `GET /usage.csv`, without its byte order mark, which would be part of the first name in a pipe. */
export function toCsv(question: UsageQuestion, report: UsageReport): string {
  return Array.from(tableOf(question, report), csvLine).join('')
}

/** One object, its fields named like the columns of the table. */
export function toJson(question: UsageQuestion, { from, to, timeZone, rows, totals }: UsageReport): string {
  const keys = keyColumns(question)
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

function figuresOf(figures: Figures): Record<string, number | string | null> {
  return Object.fromEntries(FIGURE_COLUMNS.map(([name, read]) => [name, read(figures)]))
}
