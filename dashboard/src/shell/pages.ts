import { useMemo } from 'react'
import type { Scope } from '../api/generated.ts'
import { useSession } from '../session/context.ts'
import type { IconName } from '../ui/icon.tsx'

interface Page {
  to: '/' | '/usage' | '/review' | '/providers'
  text: string
  icon: IconName
  scope: Scope
  /** It follows `g`. */
  key: string
}

/** In the order of the navigation. */
const PAGES: readonly Page[] = [
  { to: '/', text: 'Live', icon: 'grid', scope: 'READ', key: 'l' },
  { to: '/usage', text: 'Usage', icon: 'bars', scope: 'REPORT', key: 'u' },
  { to: '/review', text: 'Review', icon: 'flag', scope: 'READ', key: 'r' },
  { to: '/providers', text: 'Providers', icon: 'server', scope: 'READ', key: 'p' },
]

/** Pages that the key may read. */
export function usePages() {
  const { may } = useSession()
  return useMemo(() => PAGES.filter(({ scope }) => may(scope)), [may])
}
