import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router'
import { BASE_URL } from './api/connection.ts'
import { readCompareSearch } from './compare/compare-search.ts'
import { LivePage } from './live-page/live-page.tsx'
import { readLiveSearch } from './live/filter.ts'
import { MissingPage, PageFailed } from './shell/missing-page.tsx'
import { Shell } from './shell/shell.tsx'
import { readStudioSearch } from './studio/studio-search.ts'
import { readTaskSearch } from './task/task-search.ts'

const root = createRootRoute({
  component: Shell,
  notFoundComponent: MissingPage,
  errorComponent: PageFailed,
})

const live = createRoute({
  getParentRoute: () => root,
  path: '/',
  validateSearch: readLiveSearch,
  component: LivePage,
})

const task = createRoute({
  getParentRoute: () => root,
  path: '/tasks/$id',
  validateSearch: readTaskSearch,
  component: lazyRouteComponent(() => import('./task/task-page.tsx'), 'TaskPage'),
})

const studio = createRoute({
  getParentRoute: () => root,
  path: '/studio',
  validateSearch: readStudioSearch,
  component: lazyRouteComponent(() => import('./studio/studio-page.tsx'), 'StudioPage'),
})

const compare = createRoute({
  getParentRoute: () => root,
  path: '/compare',
  validateSearch: readCompareSearch,
  component: lazyRouteComponent(() => import('./compare/compare-page.tsx'), 'ComparePage'),
})

export const router = createRouter({
  routeTree: root.addChildren([live, task, studio, compare]),
  basepath: BASE_URL.pathname.replace(/\/$/, '') || '/',
  defaultPreload: 'intent',
  defaultErrorComponent: PageFailed,
  scrollRestoration: true,
  // Plain values instead of JSON, so that addresses can be read and written by people.
  parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
  stringifySearch(search) {
    const entries = Object.entries(search).filter(([, value]) => value !== undefined)
    const text = new URLSearchParams(entries.map(([name, value]) => [name, String(value)]))
    const query = String(text).replaceAll('%2C', ',')
    return query === '' ? '' : `?${query}`
  },
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
