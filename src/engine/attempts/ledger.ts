// Every change of a held amount or cost is a ledger line, with the sums in the same transaction.
import { insertLine } from '../../db/money/ledger.ts'
import type { Transaction } from '../../db/connection/database.ts'
import {
  addSpending,
  hold,
  listBudgetsOn,
  lockLedger,
  type ExhaustedBudget,
} from '../../db/money/spending.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import { addUsage, USAGE_COUNTS, type UsageCounts } from '../../db/money/usage.ts'
import type { Caller, LedgerSource } from '../../domain.ts'
import { GatewayError } from '../../errors.ts'
import { newId } from '../../ids.ts'
import { formatUsd } from '../../money.ts'
import { firstLine, hasEnded, isHeld, type Transition, type Trigger } from './machine.ts'

export type HoldRefusal = ExhaustedBudget | 'PRICE_UNKNOWN'

/** Holds nothing when a budget refuses. `recordPlanned` writes the line. */
export async function holdWorstCase(
  q: Transaction,
  by: Caller,
  at: number,
  heldMicros: number | null,
): Promise<HoldRefusal | undefined> {
  await lockLedger(q, by.projectId)
  if (heldMicros === null && (await listBudgetsOn(q, by)).length > 0) return 'PRICE_UNKNOWN'
  return hold(q, by, at, heldMicros ?? 0)
}

export async function recordPlanned(
  q: Transaction,
  attempt: AttemptRow,
  priceVersion: string | null,
): Promise<void> {
  await write(q, attempt, firstLine(attempt), { at: attempt.createdAt, priceVersion, source: null })
  await addUsage(q, attempt, countsOf(attempt))
}

/** Of the amount that a transition posts or corrects. */
const SOURCES: Partial<Record<Trigger, LedgerSource>> = {
  receive: 'PRICE',
  succeed: 'PRICE',
  fail: 'OPERATOR',
  adjustCost: 'OPERATOR',
  bill: 'BILL',
  waive: 'OPERATOR',
  estimateCost: 'ESTIMATE',
}

export function sourceOf(trigger: Trigger): LedgerSource | null {
  return SOURCES[trigger] ?? null
}

export async function recordTransition(
  q: Transaction,
  before: AttemptRow,
  after: AttemptRow,
  { reversal, line }: Pick<Transition, 'reversal' | 'line'>,
  { at, source }: { at: number; source: LedgerSource | null },
): Promise<void> {
  const change = countsOf(after)
  const previous = countsOf(before)
  for (const name of USAGE_COUNTS) change[name] -= previous[name]
  if (USAGE_COUNTS.every((name) => change[name] === 0) && !line) return
  await lockLedger(q, after.projectId)
  const { heldMicros } = change
  const spentMicros = change.costMicros + change.estimatedMicros
  if (heldMicros !== 0 || spentMicros !== 0)
    await addSpending(q, after, after.createdAt, { heldMicros, spentMicros })
  // A billed cost comes from no price table.
  const priceVersion = line?.kind === 'POST' && before.state !== after.state ? after.priceVersion : null
  if (reversal) await write(q, after, reversal, { at, priceVersion: null, source: 'ESTIMATE' })
  const svgMicros = line?.kind === 'POST' && source === 'PRICE' ? after.svgCostMicros : null
  if (line)
    await write(q, after, line, { at, priceVersion, svgMicros, source: line.kind === 'VOID' ? null : source })
  await addUsage(q, after, change)
}

export function countsOf(attempt: AttemptRow): UsageCounts {
  const { state, charged, costMicros, estimatedMicros } = attempt
  const settled = charged !== 'NO' && (hasEnded(state) || state === 'UNKNOWN')
  return {
    tasks: attempt.number === 1 ? 1 : 0,
    attempts: 1,
    images: attempt.images,
    unknownCosts: settled && costMicros === null && estimatedMicros === null ? 1 : 0,
    unknownUsages: settled && attempt.usageSource === 'UNKNOWN' ? 1 : 0,
    estimatedCosts: estimatedMicros === null ? 0 : 1,
    heldMicros: isHeld(attempt) ? (attempt.heldMicros ?? 0) : 0,
    costMicros: costMicros ?? 0,
    svgCostMicros: attempt.svgCostMicros ?? 0,
    estimatedMicros: estimatedMicros ?? 0,
    inputTokens: attempt.inputTokens ?? 0,
    outputTokens: attempt.outputTokens ?? 0,
    totalTokens: attempt.totalTokens ?? 0,
    inputTextTokens: attempt.inputTextTokens ?? 0,
    inputImageTokens: attempt.inputImageTokens ?? 0,
    outputTextTokens: attempt.outputTextTokens ?? 0,
    outputImageTokens: attempt.outputImageTokens ?? 0,
    svgInputTokens: attempt.svgInputTokens ?? 0,
    svgOutputTokens: attempt.svgOutputTokens ?? 0,
    svgReasoningTokens: attempt.svgReasoningTokens ?? 0,
  }
}

async function write(
  q: Transaction,
  { id: attemptId, projectId }: AttemptRow,
  line: NonNullable<Transition['line']>,
  more: { at: number; priceVersion: string | null; svgMicros?: number | null; source: LedgerSource | null },
): Promise<void> {
  await insertLine(q, { id: newId('led', more.at), projectId, attemptId, svgMicros: null, ...line, ...more })
}

const PERIOD_WORDS = { DAY: 'for today', MONTH: 'for this month', TOTAL: 'in total' } as const

export function toGatewayError(
  refusal: HoldRefusal,
  attempt: Pick<AttemptRow, 'provider' | 'model' | 'heldMicros' | 'apiKeyId'>,
): GatewayError {
  const { provider, model, heldMicros, apiKeyId } = attempt
  if (refusal === 'PRICE_UNKNOWN') {
    const message =
      `A budget applies, but model ${model} has no price at provider ${provider}. ` +
      'Configure a price, or name a provider that has one.'
    return new GatewayError('PRICE_UNKNOWN', message, { field: 'providers' })
  }
  const { limitMicros, remainingMicros, period, owner } = refusal
  const ownerName = owner === apiKeyId ? 'API key' : 'project'
  return new GatewayError(
    'BUDGET_EXCEEDED',
    `The attempt may cost ${formatUsd(heldMicros ?? 0)}, but ${formatUsd(remainingMicros)} is left of the ` +
      `${ownerName}'s budget of ${formatUsd(limitMicros)} ${PERIOD_WORDS[period]}. Wait for running tasks to end, ` +
      'request less, or have the budget raised.',
  )
}
