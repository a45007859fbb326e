import type { Paint } from '../screen.ts'
import { countOrDash, formatMs } from '../format.ts'
import { formatUsd } from '../../money.ts'
import { renderFacts, renderTable, type Column } from '../table.ts'
import type { TaskResult, TokenDetails, UsageReply } from './replies.ts'

const SOURCES = {
  REPORTED: 'as the provider reported',
  ESTIMATED: 'estimated, the provider did not say',
  UNKNOWN: 'unknown, the provider did not say',
} as const

/** What the picture took: tokens of each class, money, provider, time. What nobody told us says so. */
export function bill(task: TaskResult, acceptedMs: number, paint: Paint): string[] {
  const facts = [
    ['cost', costText(task) + sandboxText(task)],
    ['provider', task.provider ? `${task.provider.name}, ${task.model}` : 'none'],
    ['time', timeText(task, acceptedMs)],
    ['attempts', attemptsText(task)],
  ] as const
  const warnings = task.warnings.map(({ field, message }) => {
    return [{ text: 'warning', format: 'yellow' }, `${field ? `${field}: ` : ''}${message}`] as const
  })
  return [
    ...tokenTable(task.usage, paint),
    '',
    ...renderFacts([...facts, ...warnings], paint, 9).map((line) => `  ${line}`),
  ]
}

/** `$0.03174`, or `unknown`, which is not nothing. */
export function costText({ costMicros, charged }: Pick<TaskResult, 'costMicros' | 'charged'>): string {
  if (costMicros !== null) return formatUsd(costMicros)
  return charged === 'NO' ? 'nothing was charged' : 'unknown'
}

/** The sandbox counts like a real provider, but nobody is billed. */
function sandboxText({ provider, costMicros }: TaskResult): string {
  return provider?.dialect === 'sandbox' && costMicros ? ' by list price; the sandbox is free' : ''
}

/** Tokens by direction and class, right-aligned. */
export function tokenTable(usage: UsageReply | null, paint: Paint): string[] {
  const rows = [
    row('input', usage?.inputTokensDetails, usage?.inputTokens),
    row('output', usage?.outputTokensDetails, usage?.outputTokens),
    ['total', '', '', countOrDash(usage?.totalTokens), SOURCES[usage?.source ?? 'UNKNOWN']],
  ]
  return renderTable({ columns: TOKEN_COLUMNS, rows }, paint).map((line) => `  ${line}`)
}

const TOKEN_COLUMNS: readonly Column[] = [
  { head: 'tokens', minWidth: 10 },
  ...['text', 'image', 'both'].map((head) => ({ head, align: 'right' as const, minWidth: 7 })),
  { format: 'dim' },
]

function row(
  label: string,
  details: TokenDetails | null | undefined,
  both: number | null | undefined,
): string[] {
  return [label, countOrDash(details?.textTokens), countOrDash(details?.imageTokens), countOrDash(both)]
}

function timeText({ createdAt, startedAt, finishedAt }: TaskResult, acceptedMs: number): string {
  const parts = [`accepted in ${formatMs(acceptedMs)}`]
  if (startedAt) parts.push(`queued for ${formatMs(between(createdAt, startedAt))}`)
  if (startedAt && finishedAt) parts.push(`developed in ${formatMs(between(startedAt, finishedAt))}`)
  return parts.join(', ')
}

function attemptsText({ attempts }: TaskResult): string {
  return (
    attempts.map(({ number, state }) => `${number} ${state.toLowerCase().replaceAll('_', ' ')}`).join(', ') ||
    'none'
  )
}

function between(from: string, to: string): number {
  return Math.max(0, Date.parse(to) - Date.parse(from))
}
