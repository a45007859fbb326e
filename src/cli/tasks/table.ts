import { formatUsd } from '../../money.ts'
import { formatMs } from '../format.ts'
import type { Screen } from '../screen.ts'
import { cut, indented, renderTable, type TableCell } from '../table.ts'
import { STATUS_FORMATS, statusText } from './words.ts'
import type { ListedTask } from './operations.ts'

/** Where the width is unknown. */
const PROMPT_WIDTH = 60
const MIN_PROMPT_WIDTH = 16

const COLUMNS = [
  'ID',
  'Status',
  'Created (UTC)',
  { head: 'Took', align: 'right' as const },
  'Model',
  'Provider',
  { head: 'Cost', align: 'right' as const },
]

export function taskTable(tasks: readonly ListedTask[], screen: Screen): string {
  const rows = tasks.map(cellsOf)
  const used = renderTable({ columns: COLUMNS, rows: [...rows] }, (_, text) => text)
  const width = Math.max(...used.map((line) => line.length)) + 6
  const promptWidth = screen.isTerminal
    ? Math.max(MIN_PROMPT_WIDTH, screen.size().columns - width)
    : PROMPT_WIDTH
  const complete = rows.map((row, nth) => [...row, cut(tasks[nth]?.prompt ?? '', promptWidth)])
  return indented(renderTable({ columns: [...COLUMNS, 'Prompt'], rows: complete }, screen.paint))
}

function cellsOf(task: ListedTask): TableCell[] {
  const { id, status, createdAt, startedAt, finishedAt, model, provider } = task
  const tookMs = startedAt && finishedAt ? Date.parse(finishedAt) - Date.parse(startedAt) : undefined
  return [
    id,
    { text: statusText(status), format: STATUS_FORMATS[status] },
    createdAt.slice(0, 16).replace('T', ' '),
    tookMs === undefined ? '–' : formatMs(Math.max(0, tookMs)),
    model,
    provider?.name ?? '–',
    costCell(task),
  ]
}

/** Unknown is not zero. */
function costCell({ costMicros, charged, finishedAt }: ListedTask): string {
  if (costMicros !== null) return formatUsd(costMicros)
  return finishedAt === null || charged === 'NO' ? '–' : '?'
}
