import { formatUsd } from '../../money.ts'
import { tokenTable } from '../demo/summary.ts'
import { formatMs, wrap } from '../format.ts'
import type { Paint } from '../screen.ts'
import { indented, renderFacts, renderTable, type TableCell } from '../table.ts'
import type { TaskDetails } from './operations.ts'
import { STATUS_FORMATS, statusText } from './words.ts'

const MAX_WIDTH = 92

export function taskPage(task: TaskDetails, paint: Paint): string {
  const { id, status, prompt } = task
  const title = [
    `${paint('bold', id)}  ${paint(STATUS_FORMATS[status], statusText(status))}`,
    ...wrap(prompt.replace(/\p{Cc}+/gu, ' '), MAX_WIDTH),
  ]
  const parts = [
    indented(title),
    indented(renderFacts(factsOf(task), paint, 9)),
    ...(task.usage ? [`${tokenTable(task.usage, paint).join('\n')}\n`] : []),
    ...(task.attempts.length > 0 ? [indented(attemptTable(task, paint))] : []),
    ...(task.images.length > 0 ? [indented(imageTable(task, paint))] : []),
  ]
  return `\n${parts.join('\n')}\n`
}

function factsOf(task: TaskDetails): (readonly [TableCell, TableCell])[] {
  const { model, size, quality, n, provider, queuePosition, progress, error, warnings } = task
  return [
    ['Model', `${model}${provider ? ` at ${provider.name}` : ''}`],
    ['Settings', `size ${size}, quality ${quality.toLowerCase()}, ${n === 1 ? '1 image' : `${n} images`}`],
    ['Created', task.createdAt],
    ...(queuePosition === null ? [] : [['Queue', `${queuePosition} ahead`] as const]),
    ...(task.status === 'RUNNING' ? [['Progress', `${Math.floor(progress * 100)}%`] as const] : []),
    ...(task.cancelRequested && task.finishedAt === null ? [['Canceled', 'requested'] as const] : []),
    ['Time', timeText(task)],
    ['Cost', costText(task)],
    ...(error ? [[{ text: 'Error', format: 'red' }, `${error.message} (${error.code})`] as const] : []),
    ...warnings.map(
      ({ field, message }) =>
        [{ text: 'Warning', format: 'yellow' }, `${field ? `${field}: ` : ''}${message}`] as const,
    ),
  ]
}

function timeText({ createdAt, startedAt, finishedAt }: TaskDetails): string {
  if (startedAt === null) return finishedAt === null ? 'not started' : 'never started'
  const queued = `queued for ${between(createdAt, startedAt)}`
  return finishedAt === null
    ? `${queued}, started ${startedAt}`
    : `${queued}, took ${between(startedAt, finishedAt)}`
}

function between(from: string, to: string): string {
  return formatMs(Math.max(0, Date.parse(to) - Date.parse(from)))
}

/** Unknown is not zero. */
function costText({ costMicros, charged, finishedAt }: TaskDetails): string {
  if (costMicros !== null) return formatUsd(costMicros)
  if (charged === 'NO') return finishedAt === null ? 'nothing so far' : 'not charged'
  return finishedAt === null ? 'not known yet' : 'unknown'
}

function attemptTable({ attempts }: TaskDetails, paint: Paint): string[] {
  const columns = ['Attempt', 'Provider', 'State', 'Charged', { head: 'Cost', align: 'right' as const }]
  const rows = attempts.map(({ id, provider, state, charged, costMicros }) => [
    id,
    provider.name,
    state.toLowerCase(),
    charged.toLowerCase(),
    costMicros === null ? (charged === 'NO' ? '–' : '?') : formatUsd(costMicros),
  ])
  return renderTable({ columns, rows }, paint)
}

function imageTable({ images }: TaskDetails, paint: Paint): string[] {
  const rows = images.map(({ url, width, height }) => [`${width}×${height}`, url])
  return renderTable({ columns: ['Image', 'URL'], rows }, paint)
}
