// What must hold of the books: they are kept twice, as lines and as sums, and both must tell what the attempts tell.
import {
  listAttemptPages,
  listAllUsage,
  listAllSpending,
  type IntegrityPage,
} from '../../../db/maintenance/integrity-pages.ts'
import type { Queries } from '../../../db/connection/database.ts'
import type { AttemptRow, LedgerRow } from '../../../db/tables/tables.ts'
import { USAGE_COUNTS, type UsageCounts, type UsageCountRow } from '../../../db/money/usage.ts'
import { startOf, startOfDay, startOfQuarterHour } from '../../../period.ts'
import { PERIODS } from '../../../domain.ts'
import { countsOf } from '../../attempts/ledger.ts'
import { isHeld } from '../../attempts/machine.ts'

/** I6. */
export function everyAttemptHasItsLines({ attempts, lines }: IntegrityPage): string[] {
  const linesOf = Map.groupBy(lines, ({ attemptId }) => attemptId)
  return attempts.flatMap((attempt) => {
    const kinds = (linesOf.get(attempt.id) ?? []).map(({ kind }) => kind).filter((kind) => kind !== 'ADJUST')
    const right = isHeld(attempt) ? ['HOLD'] : ['HOLD', attempt.costMicros === null ? 'VOID' : 'POST']
    return kinds.toSorted().join() === right.join()
      ? []
      : [`${attempt.id} is ${attempt.state}, and its lines are ${kinds.join(', ') || 'none'}`]
  })
}

/** I15. */
export function costsAreTheirLines({ attempts, lines }: IntegrityPage): string[] {
  const linesOf = Map.groupBy(lines, ({ attemptId }) => attemptId)
  return attempts
    .map(({ id, costMicros }) => ({ id, cost: costMicros ?? 0, posted: postedIn(linesOf.get(id) ?? []) }))
    .filter(({ cost, posted }) => cost !== posted || cost < 0)
    .map(({ id, cost, posted }) => `${id} cost ${cost}, and its lines come to ${posted}`)
}

function postedIn(lines: LedgerRow[]): number {
  return lines
    .filter(({ kind }) => kind === 'POST' || kind === 'ADJUST')
    .reduce((sum, { amountMicros }) => sum + (amountMicros ?? 0), 0)
}

/** I5. */
export async function spendingIsItsLedger(q: Queries): Promise<string[]> {
  const expected = new Map<string, { held: number; spent: number }>()
  for await (const attempts of listAttemptPages(q)) {
    for (const attempt of attempts) {
      const { heldMicros: held, costMicros: spent } = countsOf(attempt)
      for (const place of placesOf(attempt)) {
        const sum = expected.get(place) ?? { held: 0, spent: 0 }
        expected.set(place, { held: sum.held + held, spent: sum.spent + spent })
      }
    }
  }
  const rows = await listAllSpending(q)
  const kept = new Map(rows.map((row) => [`${row.owner} ${row.period} ${row.startsAt}`, row]))
  return [...new Set([...expected.keys(), ...kept.keys()])].flatMap((place) => {
    const { held, spent } = expected.get(place) ?? { held: 0, spent: 0 }
    const row = kept.get(place) ?? { heldMicros: 0, spentMicros: 0 }
    return row.heldMicros === held && row.spentMicros === spent
      ? []
      : [
          `${place} says ${row.heldMicros} held and ${row.spentMicros} spent; its attempts ${held} and ${spent}`,
        ]
  })
}

function placesOf({ projectId, apiKeyId, createdAt }: AttemptRow): string[] {
  return [projectId, apiKeyId]
    .filter((owner) => owner !== null)
    .flatMap((owner) => PERIODS.map((period) => `${owner} ${period} ${startOf(period, createdAt)}`))
}

/** I21. */
export async function usageIsItsAttempts(q: Queries): Promise<string[]> {
  const [days, quarters] = [new Map<string, UsageCounts>(), new Map<string, UsageCounts>()]
  for await (const attempts of listAttemptPages(q)) {
    for (const attempt of attempts) {
      add(days, keyOf({ ...attempt, startsAt: startOfDay(attempt.createdAt) }), countsOf(attempt))
      add(quarters, keyOf({ ...attempt, startsAt: startOfQuarterHour(attempt.createdAt) }), countsOf(attempt))
    }
  }
  const kept = await listAllUsage(q)
  return [...differences('day', days, kept.days), ...differences('quarter', quarters, kept.quarterHours)]
}

type Key = Pick<UsageCountRow, 'startsAt' | 'provider' | 'model' | 'projectId'> & { apiKeyId: string | null }

function keyOf({ startsAt, provider, model, projectId, apiKeyId }: Key): string {
  const at = new Date(startsAt).toISOString()
  return [at, provider, model, projectId, apiKeyId ?? ''].join(' ').trim()
}

function add(sums: Map<string, UsageCounts>, key: string, counts: UsageCounts): void {
  const sum = sums.get(key)
  sums.set(key, sum ? combine(sum, counts) : counts)
}

function combine(a: UsageCounts, b: UsageCounts): UsageCounts {
  const sum = { ...a }
  for (const name of USAGE_COUNTS) sum[name] += b[name]
  return sum
}

function differences(unit: string, expected: Map<string, UsageCounts>, rows: UsageCountRow[]): string[] {
  const kept = new Map(rows.map((row) => [keyOf(row), row]))
  return [...new Set([...expected.keys(), ...kept.keys()])].flatMap((key) =>
    USAGE_COUNTS.filter((name) => (expected.get(key)?.[name] ?? 0) !== (kept.get(key)?.[name] ?? 0)).map(
      (name) =>
        `the ${unit} ${key} counts ${kept.get(key)?.[name] ?? 0} ${name}, and its attempts ${expected.get(key)?.[name] ?? 0}`,
    ),
  )
}
