export const TABS = ['health', 'models', 'prices'] as const

export type ProviderTab = (typeof TABS)[number]

/** Parameters of the URL of a provider. */
export interface ProvidersSearch {
  tab?: ProviderTab | undefined
}

export function readProvidersSearch({ tab }: Readonly<Record<string, unknown>>): ProvidersSearch {
  const known = TABS.find((one) => one === tab)
  return known && known !== 'health' ? { tab: known } : {}
}
