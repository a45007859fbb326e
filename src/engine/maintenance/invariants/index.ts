import type { AssetStore } from '../../../assets/store.ts'
import { listIntegrityPages } from '../../../db/maintenance/integrity-pages.ts'
import type { Queries } from '../../../db/connection/database.ts'
import { ATTEMPT_INVARIANTS } from './attempts.ts'
import type { Invariant } from './invariant.ts'
import { LEDGER_INVARIANTS } from './ledger.ts'
import { RECORD_INVARIANTS } from './records.ts'
import { TASK_INVARIANTS } from './tasks.ts'

/** By number. `darkroom doctor` checks them, and every test that crashes something. */
export const INVARIANTS: readonly Invariant[] = [
  ...ATTEMPT_INVARIANTS,
  ...LEDGER_INVARIANTS,
  ...RECORD_INVARIANTS,
  ...TASK_INVARIANTS,
].toSorted((a, b) => Number(a.id.slice(1)) - Number(b.id.slice(1)))

export interface InvariantFinding extends Pick<Invariant, 'id' | 'sentence'> {
  /** Empty if it holds. */
  violations: string[]
}

/** Except those with the ids in `without`. */
export async function findViolations(
  q: Queries,
  store: AssetStore,
  { without = [] }: { without?: readonly string[] } = {},
): Promise<InvariantFinding[]> {
  const checked = INVARIANTS.filter(({ id }) => !without.includes(id))
  const found = new Map<string, string[]>(checked.map(({ id }) => [id, []]))
  for await (const page of listIntegrityPages(q))
    for (const { id, checkPage } of checked) found.get(id)?.push(...((await checkPage?.(page, store)) ?? []))
  for (const { id, checkAll } of checked) found.get(id)?.push(...((await checkAll?.(q)) ?? []))
  return checked.map(({ id, sentence }) => ({ id, sentence, violations: found.get(id) ?? [] }))
}
