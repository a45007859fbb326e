import { renderTable } from '../../src/cli/table.ts'
import type { StormResult } from './storm.ts'

/** The lines of a report: injected faults, ends of tasks, charges and images, and discrepancies by kind. */
export function renderResult(result: StormResult): string[] {
  const { faults, ends, tasks, charges, paidAgain, arrived, received, counts } = result
  const rows: [string, number][] = [
    ...[...faults].map(([kind, count]): [string, number] => [kind, count]),
    ['faults in all', [...faults.values()].reduce((sum, count) => sum + count, 0)],
    ['', NaN],
    ['tasks', tasks],
    ...Object.entries(ends).map(([status, count]): [string, number] => [`  ${status}`, count]),
    ['charges of the upstreams', charges],
    ['tasks charged twice, with permission', paidAgain - (counts['paidTwiceWithoutPermission'] ?? 0)],
    ['images that arrived at a process that lived on', arrived],
    ['answers on disk at a death', received],
    ['', NaN],
    ...Object.entries(counts).map(([kind, count]): [string, number] => [SAYS[kind] ?? kind, count]),
  ]
  const cells = rows.map(([name, count]) => [name, Number.isNaN(count) ? '' : count.toLocaleString('en')])
  return renderTable({ columns: [{}, { align: 'right' }], rows: cells }, (_, text) => text)
}

const SAYS: Record<string, string> = {
  open: 'tasks without an end',
  unrequested: 'tasks that no client requested',
  violatedInvariants: 'violated invariants',
  attention: 'cases that need attention, in the list of the doctor',
  lostTasks: 'lost tasks',
  ledgerDifferences: 'differences between ledger and bills',
  paidTwiceWithoutPermission: 'paid twice without permission',
  paidTwiceBesideAnswer: 'paid twice while the first answer was on a disk that came back',
  lostImages: 'lost images that had arrived',
  unlisted: 'attempts outside every list',
  unended: 'attempts that wait after the end of their task',
  gaps: 'gaps and repeated events of watching clients',
}
