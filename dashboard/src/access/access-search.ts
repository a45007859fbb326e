// Parameters of the URL of the Access page.
export const ACCESS_TABS = ['keys', 'budgets', 'limits', 'projects'] as const

export type AccessTab = (typeof ACCESS_TABS)[number]

export interface AccessSearch {
  /** Absent for keys. */
  tab?: AccessTab | undefined
  /** Revoked keys are listed as well. */
  revoked?: true | undefined
}

export function readAccessSearch({ tab, revoked }: Readonly<Record<string, unknown>>): AccessSearch {
  const known = ACCESS_TABS.find((one) => one === tab)
  return {
    ...(known && known !== 'keys' && { tab: known }),
    ...(String(revoked) === 'true' && { revoked: true }),
  }
}
