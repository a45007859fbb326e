import type { AttemptRow } from '../tables/tables.ts'
import { TOKEN_COUNTS, type Charged, type TaskStatus, type Usage } from '../../domain.ts'

/** Null if not charged, and before its result. */
export function usageOf(attempt: AttemptRow): Usage | null {
  if (attempt.charged === 'NO' || (attempt.finishedAt === null && attempt.state !== 'FETCHING')) return null
  return { ...countsBy((name) => attempt[name]), source: attempt.usageSource }
}

/** Of the author of an SVG; null without counts. */
export function svgUsageOf({ svgInputTokens, svgOutputTokens, svgReasoningTokens }: Usage): {
  inputTokens: number | null
  outputTokens: number | null
  reasoningTokens: number | null
} | null {
  if (svgInputTokens === null && svgOutputTokens === null && svgReasoningTokens === null) return null
  return { inputTokens: svgInputTokens, outputTokens: svgOutputTokens, reasoningTokens: svgReasoningTokens }
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
    ...countsBy((name) => add(a[name], b[name])),
    source: a.source === b.source ? a.source : 'UNKNOWN',
  }
}

type Counts = Omit<Usage, 'source'>

function countsBy(read: (name: keyof Counts) => number | null): Counts {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an entry for each count
  return Object.fromEntries(TOKEN_COUNTS.map((name) => [name, read(name)])) as Counts
}

function add(x: number | null, y: number | null): number | null {
  return x === null || y === null ? null : x + y
}
