// The ledger: every change of what an attempt holds or costs is a line, and the sums are updated with it.
import { insertLine } from '../../db/money/ledger.ts'
import type { Transaction } from '../../db/connection/database.ts'
import { addSpending, hold, listBudgetsOn, lockLedger, type Exhausted } from '../../db/money/spending.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import { addUsage, COUNTS, type Counts } from '../../db/money/usage.ts'
import type { Caller } from '../../domain.ts'
import { GatewayError } from '../../errors.ts'
import { newId } from '../../ids.ts'
import { formatUsd } from '../../money.ts'
import { firstLine, hasEnded, isHeld, type Transition } from './machine.ts'

/** Why nothing may be planned: a budget has too little left, or a budget applies and there is no price. */
export type HoldRefusal = Exhausted | 'PRICE_UNKNOWN'

/**
 * Holds the worst case of an attempt before it is planned, as far as the budgets allow. Returns why not, and then
 * nothing is held. `recordPlanned` writes the line.
 */
export async function reserve(
  q: Transaction,
  by: Caller,
  at: number,
  heldMicros: number | null,
): Promise<HoldRefusal | undefined> {
  await lockLedger(q, by.projectId)
  if (heldMicros === null && (await listBudgetsOn(q, by)).length > 0) return 'PRICE_UNKNOWN'
  return hold(q, by, at, heldMicros ?? 0)
}

/** Writes the first line of a new attempt, and its usage counts. */
export async function recordPlanned(
  q: Transaction,
  attempt: AttemptRow,
  priceVersion: string | null,
): Promise<void> {
  await write(q, attempt, firstLine(attempt), { at: attempt.createdAt, priceVersion })
  await addUsage(q, attempt, countsOf(attempt))
}

/** Writes what a move changes in the ledger, in spending and in usage. */
export async function recordMove(
  q: Transaction,
  before: AttemptRow,
  after: AttemptRow,
  line: Transition['line'],
  at: number,
): Promise<void> {
  const was = countsOf(before)
  const is = countsOf(after)
  const change = difference(is, was)
  if (COUNTS.every((name) => change[name] === 0) && !line) return
  await lockLedger(q, after.projectId)
  const { heldMicros, costMicros: spentMicros } = change
  if (heldMicros !== 0 || spentMicros !== 0)
    await addSpending(q, after, after.createdAt, { heldMicros, spentMicros })
  // The cost on a bill comes from no price table.
  const priceVersion = line?.kind === 'POST' && before.state !== after.state ? after.priceVersion : null
  if (line) await write(q, after, line, { at, priceVersion })
  await addUsage(q, after, change)
}

/** What an attempt adds to the usage counts in its current state. */
export function countsOf(attempt: AttemptRow): Counts {
  const { state, charged, costMicros } = attempt
  const settled = charged !== 'NO' && (hasEnded(state) || state === 'UNKNOWN')
  return {
    tasks: attempt.number === 1 ? 1 : 0,
    attempts: 1,
    images: attempt.images,
    unknownCosts: settled && costMicros === null ? 1 : 0,
    unknownUsages: settled && attempt.usageSource === 'UNKNOWN' ? 1 : 0,
    heldMicros: isHeld(attempt) ? (attempt.heldMicros ?? 0) : 0,
    costMicros: costMicros ?? 0,
    inputTokens: attempt.inputTokens ?? 0,
    outputTokens: attempt.outputTokens ?? 0,
    totalTokens: attempt.totalTokens ?? 0,
    inputTextTokens: attempt.inputTextTokens ?? 0,
    inputImageTokens: attempt.inputImageTokens ?? 0,
    outputTextTokens: attempt.outputTextTokens ?? 0,
    outputImageTokens: attempt.outputImageTokens ?? 0,
  }
}

function difference(is: Counts, was: Counts): Counts {
  const change = { ...is }
  for (const name of COUNTS) change[name] -= was[name]
  return change
}

async function write(
  q: Transaction,
  { id: attemptId, projectId }: AttemptRow,
  line: NonNullable<Transition['line']>,
  more: { at: number; priceVersion: string | null },
): Promise<void> {
  await insertLine(q, { id: newId('led', more.at), projectId, attemptId, ...line, ...more })
}

const PERIOD_WORDS = { DAY: 'today', MONTH: 'this month', TOTAL: 'in all' } as const

/** A refusal as the client is told: BUDGET_EXCEEDED or PRICE_UNKNOWN. */
export function refused(
  refusal: HoldRefusal,
  attempt: Pick<AttemptRow, 'provider' | 'model' | 'heldMicros' | 'apiKeyId'>,
): GatewayError {
  const { provider, model, heldMicros, apiKeyId } = attempt
  if (refusal === 'PRICE_UNKNOWN') {
    return new GatewayError(
      'PRICE_UNKNOWN',
      `There is a budget, and nobody knows what ${model} costs at ${provider}. ` +
        'Configure a price for it, or name a provider that has one.',
      { field: 'providers' },
    )
  }
  const { limitMicros, leftMicros, period, owner } = refusal
  const whose = owner === apiKeyId ? 'API key' : 'project'
  return new GatewayError(
    'BUDGET_EXCEEDED',
    `It could cost ${formatUsd(heldMicros ?? 0)}, and ${formatUsd(leftMicros)} is left of the ${formatUsd(limitMicros)} that the ${whose} ` +
      `may spend ${PERIOD_WORDS[period]}. Wait for what is under way to end, ask for less, or have the budget raised.`,
  )
}
