// What projects and keys hold and have spent, by period: sums of the ledger, kept in the transactions that write it.
import { and, eq, inArray, or, sql, type Placeholder, type SQL } from 'drizzle-orm'
import { PERIODS, type Caller, type Period } from '../../domain.ts'
import { startOf } from '../../period.ts'
import type { Queries, Transaction } from '../connection/database.ts'
import { statement } from '../connection/statement.ts'
import type { BudgetRow, Tables } from '../tables/tables.ts'

export type SpendingRow = Tables['spending']['$inferSelect']

/** Whose money it is: the project's always, and the key's where one was used. */
function ownersOf({ projectId, apiKeyId }: Caller): string[] {
  return apiKeyId === null ? [projectId] : [projectId, apiKeyId]
}

/**
 * Locks the ledger of a project until the transaction ends. Take it after the task's lock and before any other row of the
 * project's money, so that two transactions never wait for each other.
 */
export async function lockLedger(q: Transaction, projectId: string): Promise<void> {
  // SQLite has one writer at a time, and no such clause.
  if (q.dialect === 'postgresql') await ledgerOf(q, { projectId })
}

const ledgerOf = statement<{ projectId: string }, unknown>(
  'lock_books',
  ({ sql: from, tables: { projects } }) =>
    from
      .select({ id: projects.id })
      .from(projects)
      .where(eq(projects.id, sql.placeholder('projectId')))
      // New tasks refer to the project, which takes the weakest lock there is; this one must not wait for those.
      .for('no key update'),
)

/** A budget that does not allow what was asked, and how much it has left. */
export interface Exhausted extends BudgetRow {
  leftMicros: number
}

/**
 * Holds `micros` for a caller in every period that `at` lies in, or nothing: then it answers the first budget that does
 * not allow it. A limit is kept by the condition of the UPDATE, so no two holders can both take what is left.
 */
export async function hold(
  q: Transaction,
  by: Caller,
  at: number,
  micros: number,
): Promise<Exhausted | undefined> {
  const owners = ownersOf(by)
  const held = await holdAll(q, { ...placesOf(by, at), micros })
  if (held.length === owners.length * PERIODS.length) return undefined
  // One of them is exhausted, or nothing was asked in it yet: which one, and why, is found out in order.
  for (const place of held) await holdOne(q, { ...place, micros: -micros })
  return holdInTurn(q, by, at, micros)
}

async function holdInTurn(
  q: Transaction,
  by: Caller,
  at: number,
  micros: number,
): Promise<Exhausted | undefined> {
  const held: Place[] = []
  for (const owner of ownersOf(by)) {
    for (const period of PERIODS) {
      const place = { owner, period, startsAt: startOf(period, at) }
      if (!(await holdIn(q, place, micros))) {
        for (const other of held) await holdOne(q, { ...other, micros: -micros })
        return findExhausted(q, place)
      }
      held.push(place)
    }
  }
  return undefined
}

/** One row of `spending`. */
type Place = Pick<SpendingRow, 'owner' | 'period' | 'startsAt'>

async function holdIn(q: Transaction, place: Place, micros: number): Promise<boolean> {
  if ((await holdOne(q, { ...place, micros })).length > 0) return true
  // Nothing was asked in this period yet, or there is nothing left.
  await openPeriod(q, place)
  return (await holdOne(q, { ...place, micros })).length > 0
}

const holdOne = statement<{ owner: string; period: Period; startsAt: number; micros: number }, unknown[]>(
  'hold',
  (q) => {
    const { spending } = q.tables
    const micros = sql.placeholder('micros')
    return q.sql
      .update(spending)
      .set({ heldMicros: sql`${spending.heldMicros} + ${micros}` })
      .where(and(sameRow(q), allows(q, micros)))
      .returning({ owner: spending.owner })
  },
)

const holdAll = statement<Places & { micros: number }, Place[]>('hold_all', (q) => {
  const { spending } = q.tables
  const micros = sql.placeholder('micros')
  return q.sql
    .update(spending)
    .set({ heldMicros: sql`${spending.heldMicros} + ${micros}` })
    .where(and(anyPlace(q), allows(q, micros)))
    .returning({ owner: spending.owner, period: spending.period, startsAt: spending.startsAt })
})

/** Every row of `spending` that a request counts in. */
interface Places extends Record<string, unknown> {
  projectId: string
  /** The project once more where no key was used. */
  keyId: string
  day: number
  month: number
}

function placesOf({ projectId, apiKeyId }: Caller, at: number): Places {
  return { projectId, keyId: apiKeyId ?? projectId, day: startOf('DAY', at), month: startOf('MONTH', at) }
}

/** Each of them spelled out, so that each is one step into the index: an owner gets a row more every day. */
function anyPlace({ tables: { spending } }: Queries): SQL | undefined {
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

const openPeriod = statement<{ owner: string; period: Period; startsAt: number }, unknown>(
  'open_period',
  ({ sql: into, tables: { spending } }) =>
    into
      .insert(spending)
      .values({
        owner: sql.placeholder('owner'),
        period: sql.placeholder('period'),
        startsAt: sql.placeholder('startsAt'),
      })
      .onConflictDoNothing(),
)

/** Whether the budget of a row of `spending` has so much left; without one, there is as much as can be counted. */
function allows(q: Queries, micros: Placeholder): SQL {
  const { spending } = q.tables
  return sql`${spending.spentMicros} + ${spending.heldMicros} + ${micros} <= coalesce(${limitOf(q)}, ${sql.raw(`${Number.MAX_SAFE_INTEGER}`)})`
}

/** What the budget of a row of `spending` allows; null where there is none. */
function limitOf({ sql: from, tables: { spending, budgets } }: Queries): SQL {
  return sql`(${from
    .select({ limitMicros: budgets.limitMicros })
    .from(budgets)
    .where(and(eq(budgets.owner, spending.owner), eq(budgets.period, spending.period)))})`
}

function sameRow({ tables: { spending } }: Queries): SQL | undefined {
  return and(
    eq(spending.owner, sql.placeholder('owner')),
    eq(spending.period, sql.placeholder('period')),
    eq(spending.startsAt, sql.placeholder('startsAt')),
  )
}

/** Changes what is held and spent in the periods that `at` lies in, whatever the budgets say: it has happened. */
export async function addSpending(
  q: Transaction,
  by: Caller,
  at: number,
  { heldMicros, spentMicros }: { heldMicros: number; spentMicros: number },
): Promise<void> {
  await addToAll(q, { ...placesOf(by, at), heldMicros, spentMicros })
}

const addToAll = statement<Places & { heldMicros: number; spentMicros: number }, unknown>(
  'add_spending',
  (q) => {
    const { spending } = q.tables
    return q.sql
      .update(spending)
      .set({
        heldMicros: sql`${spending.heldMicros} + ${sql.placeholder('heldMicros')}`,
        spentMicros: sql`${spending.spentMicros} + ${sql.placeholder('spentMicros')}`,
      })
      .where(anyPlace(q))
  },
)

/** What an owner holds and has spent in the periods that `at` lies in; a period in which nothing was asked is left out. */
export async function listSpending(q: Queries, owner: string, at: number): Promise<SpendingRow[]> {
  const { spending } = q.tables
  return q.sql
    .select()
    .from(spending)
    .where(
      and(
        eq(spending.owner, owner),
        or(
          ...PERIODS.map((period) =>
            and(eq(spending.period, period), eq(spending.startsAt, startOf(period, at))),
          ),
        ),
      ),
    )
}

/** The budgets of a project and of its keys. */
export async function listBudgets(q: Queries, projectId: string): Promise<BudgetRow[]> {
  const { budgets } = q.tables
  return q.sql.select().from(budgets).where(eq(budgets.projectId, projectId))
}

/** The budgets of one project, or of one key. */
export async function listBudgetsOf(q: Queries, owner: string): Promise<BudgetRow[]> {
  const { budgets } = q.tables
  return q.sql.select().from(budgets).where(eq(budgets.owner, owner))
}

/** The budgets that a caller's requests count against. */
export async function listBudgetsOn(q: Queries, by: Caller): Promise<BudgetRow[]> {
  const { budgets } = q.tables
  return q.sql
    .select()
    .from(budgets)
    .where(inArray(budgets.owner, ownersOf(by)))
}

async function findExhausted(q: Queries, { owner, period, startsAt }: Place): Promise<Exhausted | undefined> {
  const { budgets, spending } = q.tables
  const [row] = await q.sql
    .select({ budget: budgets, held: spending.heldMicros, spent: spending.spentMicros })
    .from(budgets)
    .innerJoin(spending, and(eq(spending.owner, budgets.owner), eq(spending.period, budgets.period)))
    .where(and(eq(budgets.owner, owner), eq(budgets.period, period), eq(spending.startsAt, startsAt)))
  return row && { ...row.budget, leftMicros: Math.max(0, row.budget.limitMicros - row.held - row.spent) }
}

/** Sets a budget, or changes it. What is held and spent already stays, even where it is more. */
export async function putBudget(q: Transaction, row: BudgetRow): Promise<void> {
  const { budgets } = q.tables
  const { limitMicros, setAt } = row
  await q.sql
    .insert(budgets)
    .values(row)
    .onConflictDoUpdate({ target: [budgets.owner, budgets.period], set: { limitMicros, setAt } })
}

/** Takes a budget away: what it was for is unlimited again. */
export async function removeBudget(q: Transaction, owner: string, period: Period): Promise<void> {
  const { budgets } = q.tables
  await q.sql.delete(budgets).where(and(eq(budgets.owner, owner), eq(budgets.period, period)))
}
