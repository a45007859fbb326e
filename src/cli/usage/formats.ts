// A report for programs.
import { FIGURE_COLUMNS, keyColumns } from '../../engine/usage/columns.ts'
import type { UsageQuestion } from '../../engine/usage/query.ts'
import type { Figures, UsageReport } from '../../engine/usage/report.ts'

/** The same lines as `GET /usage.csv`. */
export async function toCsv(question: UsageQuestion, report: UsageReport): Promise<string> {
  const { listLines } = await import('../../http/usage.ts')
  return [...listLines(question, report)].join('')
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
