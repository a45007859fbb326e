import { formatUsd } from '../../money.ts'
import { EXIT } from '../command.ts'
import { countOrDash, formatMs, wrap } from '../format.ts'
import type { Paint } from '../screen.ts'
import { renderFacts, renderTable, type Column } from '../table.ts'
import type { TaskResult, TaskUsage } from './operations.ts'

const SOURCES = {
  REPORTED: 'reported by the provider',
  ESTIMATED: 'estimated: not reported by the provider',
  UNKNOWN: 'unknown: not reported by the provider',
} as const

export function summary(task: TaskResult, acceptedMs: number, paint: Paint): string[] {
  const facts = [
    ['Cost', costText(task) + sandboxNote(task)],
    ['Provider', task.provider ? `${task.provider.name}, model ${task.model}` : 'none'],
    ['Time', timeText(task, acceptedMs)],
    ['Attempts', attemptsText(task)],
  ] as const
  const warnings = task.warnings.map(
    ({ field, message }) =>
      [{ text: 'Warning', format: 'yellow' }, `${field ? `${field}: ` : ''}${message}`] as const,
  )
  return [
    ...tokenTable(task.usage, paint),
    '',
    ...renderFacts([...facts, ...warnings], paint, 9).map((line) => `  ${line}`),
  ]
}

/** Unknown is not zero. */
export function costText({ costMicros, charged }: Pick<TaskResult, 'costMicros' | 'charged'>): string {
  if (costMicros !== null) return formatUsd(costMicros)
  return charged === 'NO' ? 'not charged' : 'unknown'
}

function sandboxNote({ provider, costMicros }: TaskResult): string {
  return provider?.dialect === 'sandbox' && costMicros ? ' by list price; the sandbox is free' : ''
}

const TOKEN_COLUMNS: readonly Column[] = [
  { head: 'Tokens', minWidth: 10 },
  ...['text', 'image', 'total'].map((head) => ({ head, align: 'right' as const, minWidth: 7 })),
  { format: 'dim' },
]

export function tokenTable(usage: TaskUsage | null, paint: Paint): string[] {
  const rows = [
    row('Input', usage?.inputTokensDetails, usage?.inputTokens),
    row('Output', usage?.outputTokensDetails, usage?.outputTokens),
    ['Total', '', '', countOrDash(usage?.totalTokens), SOURCES[usage?.source ?? 'UNKNOWN']],
  ]
  return renderTable({ columns: TOKEN_COLUMNS, rows }, paint).map((line) => `  ${line}`)
}

function row(
  label: string,
  details: TaskUsage['inputTokensDetails'] | undefined,
  total: number | null | undefined,
): string[] {
  return [label, countOrDash(details?.textTokens), countOrDash(details?.imageTokens), countOrDash(total)]
}

function timeText({ createdAt, startedAt, finishedAt }: TaskResult, acceptedMs: number): string {
  const parts = [`accepted in ${formatMs(acceptedMs)}`]
  if (startedAt) parts.push(`queued for ${formatMs(msBetween(createdAt, startedAt))}`)
  if (startedAt && finishedAt) parts.push(`generated in ${formatMs(msBetween(startedAt, finishedAt))}`)
  return parts.join(', ')
}

function msBetween(from: string, to: string): number {
  return Math.max(0, Date.parse(to) - Date.parse(from))
}

function attemptsText({ attempts }: TaskResult): string {
  const texts = attempts.map(({ number, state }) => `${number} ${state.toLowerCase().replaceAll('_', ' ')}`)
  return texts.join(', ') || 'none'
}

/** For a task that did not succeed. */
export function conclusion(task: TaskResult, paint: Paint): { lines: string[]; exitCode: number } {
  if (task.status === 'SUCCEEDED') return { lines: [], exitCode: EXIT.ok }
  const title = TITLES[task.status] ?? `The task is ${task.status}.`
  const lines = [
    ...(task.error ? wrap(`${task.error.message} (${task.error.code})`, MAX_WIDTH) : []),
    ...wrap(chargeText(task), MAX_WIDTH),
    ...(task.error?.retryable && task.charged === 'NO' ? ['Another attempt later may succeed.'] : []),
  ]
  return {
    lines: [paint(['bold', 'red'], title), ...lines].map((line) => `  ${line}`),
    exitCode: EXIT.failed,
  }
}

const MAX_WIDTH = 96

const TITLES: Partial<Record<TaskResult['status'], string>> = {
  FAILED: 'The task failed.',
  CANCELED: 'The task was canceled.',
  OUTCOME_UNKNOWN: 'The outcome is unknown: the request was sent, but its response was lost.',
}

function chargeText(task: TaskResult): string {
  if (task.charged === 'NO') return 'It was not charged.'
  const isKnown = task.costMicros !== null
  if (task.charged === 'YES')
    return isKnown ? `It cost ${costText(task)}.` : 'It was charged; the amount is unknown.'
  const account = task.provider ? `the account at ${task.provider.name}` : "the provider's account"
  const limit = isKnown ? `, up to ${costText(task)}` : ''
  return `It may have been charged${limit}: check ${account}. It is not sent again automatically.`
}
