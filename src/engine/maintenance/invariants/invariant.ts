import type { AssetStore } from '../../../assets/store.ts'
import type { Queries } from '../../../db/connection/database.ts'
import type { IntegrityPage } from '../../../db/maintenance/integrity-pages.ts'

/** A condition that always holds. The checks return one sentence per violation. */
export interface Invariant {
  /** `I1` and so on, never reused. I16 compares with the ledgers of providers, in tests only. */
  id: string
  sentence: string
  /** Checks one page of tasks. */
  checkPage?: (page: IntegrityPage, store: AssetStore) => Promise<string[]> | string[]
  /** Checks the whole database at once. */
  checkAll?: (q: Queries) => Promise<string[]>
}

/** No violation when the condition holds, else one. */
export function ensure(condition: boolean, violation: string): string[] {
  return condition ? [] : [violation]
}
