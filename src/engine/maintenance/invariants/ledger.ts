// Ledger and sums are redundant; both must match the attempts.
import { listAllSpending, listAllUsage, listAttemptPages } from '../../../db/maintenance/integrity-pages.ts'
import type { Queries } from '../../../db/connection/database.ts'
import type { AttemptRow, LedgerRow } from '../../../db/tables/tables.ts'
import { USAGE_COUNTS, type UsageCountRow } from '../../../db/money/usage.ts'
import { startOf, startOfDay, startOfQuarterHour } from '../../../period.ts'
import { PERIODS, type LedgerKind } from '../../../domain.ts'
import { countsOf } from '../../attempts/ledger.ts'
import { isHeld } from '../../attempts/machine.ts'
import { ensure, type Invariant } from './invariant.ts'

export const LEDGER_INVARIANTS: readonly Invariant[] = [
  { id: 'I5', sentence: 'Held and spent sums by period match the attempts', checkAll: checkSpending },
  {
    id: 'I6',
    sentence: 'Every attempt has one HOLD in the ledger, and one VOID or POST once its cost is known',
    checkPage({ attempts, lines }) {
      const linesOf = Map.groupBy(lines, ({ attemptId }) => attemptId)
      return attempts.flatMap((attempt) => {
        const { id, state } = attempt
        const kinds = (linesOf.get(id) ?? []).map(({ kind }) => kind)
        const found = kinds
          .filter((kind) => kind !== 'ADJUST')
          .toSorted()
          .join()
        const expected = closingsOf(attempt, kinds.includes('ADJUST')).map((kind) => ['HOLD', ...kind].join())
        return ensure(expected.includes(found), `${id} is ${state}; its ledger lines: ${found || 'none'}`)
      })
    },
  },
  {
    id: 'I15',
    sentence: 'The known and the estimated cost of an attempt are the sums of its ledger lines',
    checkPage({ attempts, lines }) {
      const linesOf = Map.groupBy(lines, ({ attemptId }) => attemptId)
      return attempts.flatMap(({ id, costMicros, estimatedMicros }) => {
        const [cost, estimate] = [costMicros ?? 0, estimatedMicros ?? 0]
        const ofAttempt = linesOf.get(id) ?? []
        const posted = postedIn(ofAttempt.filter(({ source }) => source !== 'ESTIMATE'))
        const estimated = postedIn(ofAttempt.filter(({ source }) => source === 'ESTIMATE'))
        return [
          ...ensure(cost === posted && cost >= 0, `${id} cost ${cost}; its ledger lines: ${posted}`),
          ...ensure(
            estimate === estimated && (estimatedMicros === null || costMicros === null),
            `the estimate of ${id} is ${estimate} beside the cost ${costMicros}; its ledger lines: ${estimated}`,
          ),
        ]
      })
    },
  },
  { id: 'I21', sentence: 'Usage counts match the attempts', checkAll: checkUsage },
]

/** What may close the hold. ADJUST reverses an uncharged estimate, or charges what was voided. */
function closingsOf(attempt: AttemptRow, isAdjusted: boolean): LedgerKind[][] {
  if (isHeld(attempt)) return [[]]
  const isPosted = attempt.costMicros !== null || attempt.estimatedMicros !== null
  return isAdjusted ? [['POST'], ['VOID']] : [[isPosted ? 'POST' : 'VOID']]
}

function postedIn(lines: LedgerRow[]): number {
  return lines
    .filter(({ kind }) => kind === 'POST' || kind === 'ADJUST')
    .reduce((sum, { amountMicros }) => sum + (amountMicros ?? 0), 0)
}

/** Named amounts by key. */
type Sums = Map<string, Record<string, number>>

function add(sums: Sums, key: string, amounts: Record<string, number>): void {
  const sum = sums.get(key) ?? {}
  for (const [name, amount] of Object.entries(amounts)) sum[name] = (sum[name] ?? 0) + amount
  sums.set(key, sum)
}

function differences(expected: Sums, stored: Sums): string[] {
  return [...new Set([...expected.keys(), ...stored.keys()])].flatMap((key) => {
    const [should, is] = [expected.get(key) ?? {}, stored.get(key) ?? {}]
    return Object.keys({ ...should, ...is }).flatMap((name) => {
      const [sum, amount] = [should[name] ?? 0, is[name] ?? 0]
      return ensure(amount === sum, `${name} of ${key} is ${amount}, but its attempts sum to ${sum}`)
    })
  })
}

async function checkSpending(q: Queries): Promise<string[]> {
  const [expected, stored]: [Sums, Sums] = [new Map(), new Map()]
  for await (const attempts of listAttemptPages(q))
    for (const attempt of attempts) {
      const { heldMicros, costMicros, estimatedMicros } = countsOf(attempt)
      const spentMicros = costMicros + estimatedMicros
      const { projectId, apiKeyId, createdAt } = attempt
      for (const owner of apiKeyId === null ? [projectId] : [projectId, apiKeyId])
        for (const period of PERIODS) {
          const key = `${owner} ${period} ${startOf(period, createdAt)}`
          add(expected, key, { heldMicros, spentMicros })
        }
    }
  for (const { owner, period, startsAt, heldMicros, spentMicros } of await listAllSpending(q))
    add(stored, `${owner} ${period} ${startsAt}`, { heldMicros, spentMicros })
  return differences(expected, stored)
}

async function checkUsage(q: Queries): Promise<string[]> {
  const [expected, stored]: [Sums, Sums] = [new Map(), new Map()]
  for await (const attempts of listAttemptPages(q))
    for (const attempt of attempts) {
      const counts = countsOf(attempt)
      add(expected, usageKey('day', attempt, startOfDay(attempt.createdAt)), counts)
      add(expected, usageKey('quarter hour', attempt, startOfQuarterHour(attempt.createdAt)), counts)
    }
  const { days, quarterHours } = await listAllUsage(q)
  for (const row of days) add(stored, usageKey('day', row, row.startsAt), countsIn(row))
  for (const row of quarterHours) add(stored, usageKey('quarter hour', row, row.startsAt), countsIn(row))
  return differences(expected, stored)
}

type UsageOwner = Pick<AttemptRow, 'provider' | 'model' | 'projectId' | 'apiKeyId'>

function usageKey(unit: string, of: UsageOwner, startsAt: number): string {
  const at = new Date(startsAt).toISOString()
  return ['the', unit, at, of.provider, of.model, of.projectId, of.apiKeyId ?? ''].join(' ').trim()
}

function countsIn(row: UsageCountRow): Record<string, number> {
  return Object.fromEntries(USAGE_COUNTS.map((name) => [name, row[name]]))
}
