import type { AssetStore } from '../../../assets/store.ts'
import type { Queries } from '../../../db/connection/database.ts'
import type { IntegrityPage } from '../../../db/maintenance/integrity-pages.ts'

/** Checks return one sentence per violation. */
export interface Invariant {
  /** `I1` etc., never reused. I16 compares with providers' ledgers, in tests only. */
  id: string
  sentence: string
  /** `isRead`: whether to read the next image from the store. */
  checkPage?: (page: IntegrityPage, store: AssetStore, isRead: () => boolean) => Promise<string[]> | string[]
  checkAll?: (q: Queries) => Promise<string[]>
}

export function ensure(condition: boolean, violation: string): string[] {
  return condition ? [] : [violation]
}
