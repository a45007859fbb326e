import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router'
import { BASE_URL } from './api/connection.ts'
import { LivePage } from './live-page/live-page.tsx'
import { readLiveSearch } from './live/filter.ts'
import { MissingPage, PageFailed } from './shell/missing-page.tsx'
import { Shell } from './shell/shell.tsx'
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

export const router = createRouter({
  routeTree: root.addChildren([live, task]),
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
