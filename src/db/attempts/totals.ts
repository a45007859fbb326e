import type { AttemptRow } from '../tables/tables.ts'
import type { Charged, TaskStatus, Usage } from '../../domain.ts'

/** Null when it was not charged, and until its result was received. */
export function usageOf(attempt: AttemptRow): Usage | null {
  if (attempt.charged === 'NO' || (attempt.finishedAt === null && attempt.state !== 'FETCHING')) return null
  const { usageSource: source, inputTokens, outputTokens, totalTokens } = attempt
  const { inputTextTokens, inputImageTokens, outputTextTokens, outputImageTokens } = attempt
  return {
    source,
    inputTokens,
    outputTokens,
    totalTokens,
    inputTextTokens,
    inputImageTokens,
    outputTextTokens,
    outputImageTokens,
  }
}

/** Null when no attempt is charged. A count that one attempt lacks is null. */
export function usageOfAll(attempts: AttemptRow[]): Usage | null {
  const [first, ...others] = attempts.map(usageOf).filter((usage) => usage !== null)
  return first ? others.reduce(addUsage, first) : null
}

/** One certain charge outweighs possible ones. */
export function chargedOfAll(attempts: AttemptRow[]): Charged {
  const all = new Set(attempts.map(({ charged }) => charged))
  return all.has('YES') ? 'YES' : all.has('UNKNOWN') ? 'UNKNOWN' : 'NO'
}

/** In micro-USD; null while it runs, and when a possible charge has no known cost. */
export function costOfAll(attempts: AttemptRow[], status: TaskStatus): number | null {
  if (status === 'QUEUED' || status === 'RUNNING') return null
  const costs = attempts.filter(({ charged }) => charged !== 'NO').map(({ costMicros }) => costMicros)
  return costs.reduce(add, 0)
}

function addUsage(a: Usage, b: Usage): Usage {
  return {
    inputTokens: add(a.inputTokens, b.inputTokens),
    outputTokens: add(a.outputTokens, b.outputTokens),
    totalTokens: add(a.totalTokens, b.totalTokens),
    inputTextTokens: add(a.inputTextTokens, b.inputTextTokens),
    inputImageTokens: add(a.inputImageTokens, b.inputImageTokens),
    outputTextTokens: add(a.outputTextTokens, b.outputTextTokens),
    outputImageTokens: add(a.outputImageTokens, b.outputImageTokens),
    source: a.source === b.source ? a.source : 'UNKNOWN',
  }
}

function add(x: number | null, y: number | null): number | null {
  return x === null || y === null ? null : x + y
}
