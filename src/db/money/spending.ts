// Sums of the ledger, updated in its transactions.
import { and, eq, inArray, or, sql, type Placeholder, type SQL } from 'drizzle-orm'
import { conflict } from '../../errors.ts'
import { PERIODS, type Caller, type Period } from '../../domain.ts'
import { startOf } from '../../period.ts'
import type { Queries, Transaction } from '../connection/database.ts'
import { statement } from '../connection/statement.ts'
import type { BudgetRow, Tables } from '../tables/tables.ts'

export type SpendingRow = Tables['spending']['$inferSelect']

/** Both have spending and may have budgets. */
function ownersOf({ projectId, apiKeyId }: Caller): string[] {
  return apiKeyId === null ? [projectId] : [projectId, apiKeyId]
}

/** Lock after the task and before any ledger row of the project, against deadlocks. */
export async function lockLedger(q: Transaction, projectId: string): Promise<void> {
  // SQLite has one writer at a time.
  if (q.dialect === 'postgresql') await ledgerLock(q, { projectId })
}

const ledgerLock = statement<{ projectId: string }, unknown>('lock_ledger', (q) => {
  const { projects } = q.tables
  const isProject = eq(projects.id, sql.placeholder('projectId'))
  // Does not block the FOR KEY SHARE that a new task's foreign key takes.
  return q.sql.select({ id: projects.id }).from(projects).where(isProject).for('no key update')
})

export interface ExhaustedBudget extends BudgetRow {
  remainingMicros: number
}

/**
 * Returns the budget that does not allow it, and then holds nothing. The UPDATE itself checks the limit, so
 * concurrent holds cannot exceed it.
 */
export async function hold(
  q: Transaction,
  by: Caller,
  at: number,
  micros: number,
): Promise<ExhaustedBudget | undefined> {
  const held = await holdAll(q, { ...periodsOf(by, at), micros })
  for (const key of keysOf(by, at)) {
    if (held.some(({ owner, period }) => owner === key.owner && period === key.period)) continue
    // A new period, or an exhausted budget.
    await insertPeriod(q, key)
    const [row] = await holdOne(q, { ...key, micros })
    if (!row) {
      for (const other of held) await holdOne(q, { ...other, micros: -micros })
      return (await findExhausted(q, key)) ?? fullLedger(by, key, at)
    }
    held.push(row)
  }
  return undefined
}

/** Of a period, in micro-USD; also the limit without a budget. Larger integers are not exact in JSON. */
const MAX_SUM_MICROS = Number.MAX_SAFE_INTEGER

function fullLedger({ projectId }: Caller, { owner, period }: SpendingKey, setAt: number): ExhaustedBudget {
  return { owner, period, projectId, limitMicros: MAX_SUM_MICROS, remainingMicros: 0, setAt }
}

type SpendingKey = Pick<SpendingRow, 'owner' | 'period' | 'startsAt'>

function keysOf(by: Caller, at: number): SpendingKey[] {
  return ownersOf(by).flatMap((owner) =>
    PERIODS.map((period) => ({ owner, period, startsAt: startOf(period, at) })),
  )
}

const holdOne = statement<SpendingKey & { micros: number }, SpendingKey[]>('hold', (q) => {
  const { owner, period, startsAt } = q.tables.spending
  const isKey = and(
    eq(owner, sql.placeholder('owner')),
    eq(period, sql.placeholder('period')),
    eq(startsAt, sql.placeholder('startsAt')),
  )
  return updateHeld(q, isKey)
})

const holdAll = statement<CallerPeriods & { micros: number }, SpendingKey[]>('hold_all', (q) =>
  updateHeld(q, isInPeriods(q)),
)

function updateHeld(q: Queries, which: SQL | undefined) {
  const { spending } = q.tables
  const micros = sql.placeholder('micros')
  return q.sql
    .update(spending)
    .set({ heldMicros: sql`${spending.heldMicros} + ${micros}` })
    .where(and(which, isAllowed(q, micros)))
    .returning({ owner: spending.owner, period: spending.period, startsAt: spending.startsAt })
}

interface CallerPeriods extends Record<string, unknown> {
  projectId: string
  /** Without a key: the project's id. */
  keyId: string
  day: number
  month: number
}

function periodsOf({ projectId, apiKeyId }: Caller, at: number): CallerPeriods {
  return { projectId, keyId: apiKeyId ?? projectId, day: startOf('DAY', at), month: startOf('MONTH', at) }
}

/** Full keys, each one index lookup: an owner gets a new row every day. */
function isInPeriods({ tables: { spending } }: Queries): SQL | undefined {
  const starts = { DAY: sql.placeholder('day'), MONTH: sql.placeholder('month'), TOTAL: 0 }
  return or(
    ...(['projectId', 'keyId'] as const).flatMap((owner) =>
      PERIODS.map((period) =>
        and(
          eq(spending.owner, sql.placeholder(owner)),
          eq(spending.period, period),
          eq(spending.startsAt, starts[period]),
        ),
      ),
    ),
  )
}

const insertPeriod = statement<SpendingKey, unknown>('insert_period', ({ sql: into, tables: { spending } }) =>
  into
    .insert(spending)
    .values({
      owner: sql.placeholder('owner'),
      period: sql.placeholder('period'),
      startsAt: sql.placeholder('startsAt'),
    })
    .onConflictDoNothing(),
)

function isAllowed({ sql: from, tables: { spending, budgets } }: Queries, micros: Placeholder): SQL {
  const limit = from
    .select({ limitMicros: budgets.limitMicros })
    .from(budgets)
    .where(and(eq(budgets.owner, spending.owner), eq(budgets.period, spending.period)))
  return sql`${spending.spentMicros} + ${spending.heldMicros} + ${micros} <= coalesce((${limit}), ${sql.raw(`${MAX_SUM_MICROS}`)})`
}

/** Ignores budgets. Throws CONFLICT, before any commit, if a sum would not be exact. */
export async function addSpending(
  q: Transaction,
  by: Caller,
  at: number,
  { heldMicros, spentMicros }: { heldMicros: number; spentMicros: number },
): Promise<void> {
  const sums = await addToAll(q, { ...periodsOf(by, at), heldMicros, spentMicros })
  if (spentMicros > 0 && sums.some((sum) => sum.spentMicros > MAX_SUM_MICROS))
    throw conflict(
      `The spending of ${by.projectId} would exceed ${MAX_SUM_MICROS} micro-USD, which cannot be kept.`,
    )
}

const addToAll = statement<
  CallerPeriods & { heldMicros: number; spentMicros: number },
  { spentMicros: number }[]
>('add_spending', (q) => {
  const { spending } = q.tables
  const heldMicros = sql`${spending.heldMicros} + ${sql.placeholder('heldMicros')}`
  const spentMicros = sql`${spending.spentMicros} + ${sql.placeholder('spentMicros')}`
  const sums = { spentMicros: spending.spentMicros }
  return q.sql.update(spending).set({ heldMicros, spentMicros }).where(isInPeriods(q)).returning(sums)
})

/** Without periods that have no requests. */
export async function listSpending(q: Queries, owner: string, at: number): Promise<SpendingRow[]> {
  const { spending } = q.tables
  const current = PERIODS.map((period) =>
    and(eq(spending.period, period), eq(spending.startsAt, startOf(period, at))),
  )
  const isCurrent = and(eq(spending.owner, owner), or(...current))
  return q.sql.select().from(spending).where(isCurrent)
}

export async function listBudgetsOf(q: Queries, owner: string): Promise<BudgetRow[]> {
  const { budgets } = q.tables
  return q.sql.select().from(budgets).where(eq(budgets.owner, owner))
}

export async function listBudgetsOn(q: Queries, by: Caller): Promise<BudgetRow[]> {
  const { budgets } = q.tables
  return q.sql
    .select()
    .from(budgets)
    .where(inArray(budgets.owner, ownersOf(by)))
}

async function findExhausted(
  q: Queries,
  { owner, period, startsAt }: SpendingKey,
): Promise<ExhaustedBudget | undefined> {
  const { budgets, spending } = q.tables
  const [row] = await q.sql
    .select({ budget: budgets, held: spending.heldMicros, spent: spending.spentMicros })
    .from(budgets)
    .innerJoin(spending, and(eq(spending.owner, budgets.owner), eq(spending.period, budgets.period)))
    .where(and(eq(budgets.owner, owner), eq(budgets.period, period), eq(spending.startsAt, startsAt)))
  return row && { ...row.budget, remainingMicros: Math.max(0, row.budget.limitMicros - row.held - row.spent) }
}

/** Amounts stay, even above the limit. */
export async function putBudget(q: Transaction, row: BudgetRow): Promise<void> {
  const { budgets } = q.tables
  const { limitMicros, setAt } = row
  await q.sql
    .insert(budgets)
    .values(row)
    .onConflictDoUpdate({ target: [budgets.owner, budgets.period], set: { limitMicros, setAt } })
}

export async function removeBudget(q: Transaction, owner: string, period: Period): Promise<void> {
  const { budgets } = q.tables
  await q.sql.delete(budgets).where(and(eq(budgets.owner, owner), eq(budgets.period, period)))
}
