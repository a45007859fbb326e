import { useMemo } from 'react'
import type { Scope } from '../api/generated.ts'
import { useSession } from '../session/context.ts'
import type { IconName } from '../ui/icon.tsx'

export interface Page {
  to: '/' | '/studio' | '/images' | '/usage' | '/review' | '/providers' | '/access' | '/webhooks' | '/connect'
  text: string
  icon: IconName
  /** The key needs all of them. */
  scopes: readonly Scope[]
  /** It follows `g`. */
  key: string
}

/** In the order of the navigation. */
const PAGES: readonly Page[] = [
  { to: '/', text: 'Live', icon: 'grid', scopes: ['READ'], key: 'l' },
  { to: '/studio', text: 'Studio', icon: 'brush', scopes: ['READ', 'GENERATE'], key: 's' },
  { to: '/images', text: 'Images', icon: 'library', scopes: ['READ'], key: 'i' },
  { to: '/usage', text: 'Usage', icon: 'bars', scopes: ['REPORT'], key: 'u' },
  { to: '/review', text: 'Review', icon: 'flag', scopes: ['READ'], key: 'r' },
  { to: '/providers', text: 'Providers', icon: 'server', scopes: ['READ'], key: 'p' },
  { to: '/access', text: 'Access', icon: 'key', scopes: ['READ', 'ADMIN'], key: 'a' },
  { to: '/webhooks', text: 'Webhooks', icon: 'hook', scopes: ['READ'], key: 'w' },
  { to: '/connect', text: 'Connect', icon: 'plug', scopes: ['READ'], key: 'n' },
]

/** Pages that the key may read. */
export function usePages() {
  const { may } = useSession()
  return useMemo(() => PAGES.filter(({ scopes }) => scopes.every(may)), [may])
}
