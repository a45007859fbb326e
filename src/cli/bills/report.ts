import { z } from 'zod'
import { countDecimals, formatUsd } from '../../money.ts'
import { formatCount } from '../../quantity.ts'
import type { Paint } from '../screen.ts'
import { indented, renderTable, type Column } from '../table.ts'

export const BILL_REPORT = z.object({
  provider: z.string(),
  from: z.string(),
  to: z.string(),
  isComplete: z.boolean(),
  missingHereCount: z.number(),
  missingHere: z.array(
    z.object({
      number: z.number(),
      amountMicros: z.number(),
      attemptId: z.string().nullable(),
      requestId: z.string().nullable(),
      remoteId: z.string().nullable(),
      at: z.string().nullable(),
    }),
  ),
  missingThereCount: z.number(),
  missingThere: z.array(
    z.object({
      attemptId: z.string(),
      state: z.string(),
      charged: z.string(),
      costMicros: z.number().nullable(),
      sentAt: z.string().nullable(),
    }),
  ),
  differentCount: z.number(),
  different: z.array(
    z.object({
      attemptId: z.string(),
      billedMicros: z.number(),
      recordedMicros: z.number().nullable(),
      matchedBy: z.string(),
      lines: z.array(z.number()),
    }),
  ),
  running: z.number(),
  matched: z.number(),
  days: z.array(
    z.object({
      startsAt: z.string(),
      billedMicros: z.number(),
      recordedMicros: z.number(),
      estimatedMicros: z.number(),
      unknownCosts: z.number(),
    }),
  ),
})

export type PrintedReport = z.output<typeof BILL_REPORT>

export const REPORT_FIELDS = `provider from to isComplete running matched
  missingHereCount missingHere { number amountMicros attemptId requestId remoteId at }
  missingThereCount missingThere { attemptId state charged costMicros sentAt }
  differentCount different { attemptId billedMicros recordedMicros matchedBy lines }
  days { startsAt billedMicros recordedMicros estimatedMicros unknownCosts }`

/** Of each list; --json has more. */
const MAX_PRINTED = 50

/** What needs attention is first. */
export function printBillReport(report: PrintedReport, paint: Paint): string {
  const { provider, from, to, missingHere, missingThere, different, days } = report
  const here = {
    title: `${count(report.missingHereCount, 'UNMATCHED charge')}: on the bill, missing here`,
    heads: ['Line', 'Amount', 'Time', 'IDs'],
    rows: missingHere.map((line) => [
      String(line.number),
      amount(line.amountMicros),
      minute(line.at),
      [line.attemptId, line.requestId, line.remoteId].filter((id) => id !== null).join(', '),
    ]),
  }
  const there = {
    title: `${count(report.missingThereCount, 'attempt')} charged or possibly charged here, missing on the bill`,
    heads: ['Attempt', 'State', 'Charged', 'Cost', 'Sent'],
    rows: missingThere.map((one) => [
      one.attemptId,
      one.state,
      one.charged,
      amount(one.costMicros),
      minute(one.sentAt),
    ]),
  }
  const others = {
    title: `${count(report.differentCount, 'attempt')} with another cost on the bill`,
    heads: ['Attempt', 'Billed', 'Here', 'Difference', 'Matched by'],
    rows: different.map((one) => [
      one.attemptId,
      amount(one.billedMicros),
      amount(one.recordedMicros),
      one.recordedMicros === null ? '?' : formatUsd(one.billedMicros - one.recordedMicros),
      one.matchedBy.toLowerCase().replaceAll('_', ' '),
    ]),
  }
  const period = `Bill of ${provider}, ${minute(from)} to ${minute(to)} (UTC)`
  return [
    `\n${indented([paint('bold', period)])}`,
    ...[here, there, others].map((list) => section(list, paint)),
    `\n${indented([
      `${count(report.matched, 'attempt')} agree with the bill${report.running > 0 ? `; ${report.running} have not ended` : ''}`,
    ])}`,
    `\n${indented(daysTable(days, paint))}`,
  ].join('')
}

function amount(micros: number | null): string {
  return micros === null ? '?' : formatUsd(micros)
}

function section(
  { title, heads, rows }: { title: string; heads: readonly string[]; rows: readonly (readonly string[])[] },
  paint: Paint,
): string {
  if (rows.length === 0) return `\n${indented([paint('green', `no ${title.replace(/^\S+ /, '')}`)])}`
  const columns: Column[] = heads.map((head) => ({ head }))
  const more = rows.length > MAX_PRINTED ? [`… and more; --json lists up to 1,000.`] : []
  return `\n${indented([paint('yellow', title), ...renderTable({ columns, rows: rows.slice(0, MAX_PRINTED) }, paint), ...more])}`
}

function daysTable(days: PrintedReport['days'], paint: Paint): string[] {
  const decimals = countDecimals(
    days.flatMap((day) => [day.billedMicros, day.recordedMicros, day.estimatedMicros]),
  )
  const usd = (micros: number) => formatUsd(micros, decimals)
  const cells = (sum: Omit<PrintedReport['days'][number], 'startsAt'>) => [
    usd(sum.billedMicros),
    usd(sum.recordedMicros),
    usd(sum.billedMicros - sum.recordedMicros),
    usd(sum.estimatedMicros),
    formatCount(sum.unknownCosts),
  ]
  const heads = ['Billed', 'Recorded', 'Difference', 'Estimated', 'Cost unknown']
  return renderTable(
    {
      columns: [{ head: 'Day' }, ...heads.map((head) => ({ head, align: 'right' as const }))],
      rows: days.map((day) => [day.startsAt.slice(0, 10), ...cells(day)]),
      footer: [
        'Total',
        ...cells(
          days.reduce(add, { billedMicros: 0, recordedMicros: 0, estimatedMicros: 0, unknownCosts: 0 }),
        ),
      ],
    },
    paint,
  )
}

function add(
  sum: Omit<PrintedReport['days'][number], 'startsAt'>,
  day: PrintedReport['days'][number],
): Omit<PrintedReport['days'][number], 'startsAt'> {
  return {
    billedMicros: sum.billedMicros + day.billedMicros,
    recordedMicros: sum.recordedMicros + day.recordedMicros,
    estimatedMicros: sum.estimatedMicros + day.estimatedMicros,
    unknownCosts: sum.unknownCosts + day.unknownCosts,
  }
}

function count(number: number, what: string): string {
  return number === 1 ? `1 ${what}` : `${formatCount(number)} ${what}s`
}

function minute(date: string | null): string {
  return date?.slice(0, 16).replace('T', ' ') ?? '–'
}
