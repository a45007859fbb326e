import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent as lazyComponent,
  retainSearchParams,
} from '@tanstack/react-router'
import { BASE_URL } from './api/connection.ts'
import { readAccessSearch } from './access/access-search.ts'
import { readCompareSearch } from './compare/compare-search.ts'
import { readConnectSearch } from './connect/connect-search.ts'
import { readImagesSearch } from './images/images-search.ts'
import { LivePage } from './live-page/live-page.tsx'
import { readLiveSearch } from './live/filter.ts'
import { MissingPage, PageFailed } from './shell/missing-page.tsx'
import { Shell } from './shell/shell.tsx'
import { readProvidersSearch } from './providers/providers-search.ts'
import { readReviewSearch } from './review/review-search.ts'
import { readStudioSearch } from './studio/studio-search.ts'
import { readTaskSearch } from './task/task-search.ts'
import { readUsageSearch } from './usage/usage-search.ts'
import { readWebhooksSearch } from './webhooks/webhooks-search.ts'

/** Of every page. */
interface RootSearch {
  /** The project that an operator chose. */
  project?: string | undefined
}

/** The router would reload the page if a script is missing, and the key in memory would be lost. */
const lazyRouteComponent: typeof lazyComponent = (load, name) =>
  lazyComponent(
    () =>
      load()
        .catch(load)
        .catch((cause: unknown) => {
          throw new Error('A script of this page could not be loaded.', { cause })
        }),
    name,
  )

const root = createRootRoute({
  validateSearch: ({ project }: Readonly<Record<string, unknown>>): RootSearch =>
    typeof project === 'string' && project !== '' ? { project } : {},
  search: { middlewares: [retainSearchParams(['project'])] },
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

const usage = createRoute({
  getParentRoute: () => root,
  path: '/usage',
  validateSearch: readUsageSearch,
  component: lazyRouteComponent(() => import('./usage/usage-page.tsx'), 'UsagePage'),
})

const review = createRoute({
  getParentRoute: () => root,
  path: '/review',
  validateSearch: readReviewSearch,
  component: lazyRouteComponent(() => import('./review/review-page.tsx'), 'ReviewPage'),
})

const providers = createRoute({
  getParentRoute: () => root,
  path: '/providers',
  component: lazyRouteComponent(() => import('./providers/providers-page.tsx'), 'ProvidersPage'),
})

const provider = createRoute({
  getParentRoute: () => root,
  path: '/providers/$name',
  validateSearch: readProvidersSearch,
  component: lazyRouteComponent(() => import('./providers/provider-page.tsx'), 'ProviderPage'),
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

const images = createRoute({
  getParentRoute: () => root,
  path: '/images',
  validateSearch: readImagesSearch,
  component: lazyRouteComponent(() => import('./images/images-page.tsx'), 'ImagesPage'),
})

const image = createRoute({
  getParentRoute: () => root,
  path: '/images/$id',
  validateSearch: readImagesSearch,
  component: lazyRouteComponent(() => import('./images/image-page.tsx'), 'ImagePage'),
})

const connect = createRoute({
  getParentRoute: () => root,
  path: '/connect',
  validateSearch: readConnectSearch,
  component: lazyRouteComponent(() => import('./connect/connect-page.tsx'), 'ConnectPage'),
})

const access = createRoute({
  getParentRoute: () => root,
  path: '/access',
  validateSearch: readAccessSearch,
  component: lazyRouteComponent(() => import('./access/access-page.tsx'), 'AccessPage'),
})

const apiKey = createRoute({
  getParentRoute: () => root,
  path: '/access/keys/$id',
  component: lazyRouteComponent(() => import('./access/key-page.tsx'), 'KeyPage'),
})

const webhooks = createRoute({
  getParentRoute: () => root,
  path: '/webhooks',
  validateSearch: readWebhooksSearch,
  component: lazyRouteComponent(() => import('./webhooks/webhooks-page.tsx'), 'WebhooksPage'),
})

const webhook = createRoute({
  getParentRoute: () => root,
  path: '/webhooks/$id',
  validateSearch: readWebhooksSearch,
  component: lazyRouteComponent(() => import('./webhooks/webhook-page.tsx'), 'WebhookPage'),
})

const delivery = createRoute({
  getParentRoute: () => root,
  path: '/webhooks/deliveries/$id',
  component: lazyRouteComponent(() => import('./webhooks/delivery-page.tsx'), 'DeliveryPage'),
})

export const router = createRouter({
  routeTree: root.addChildren([
    live,
    task,
    studio,
    compare,
    images,
    image,
    usage,
    review,
    providers,
    provider,
    connect,
    access,
    apiKey,
    webhooks,
    webhook,
    delivery,
  ]),
  basepath: BASE_URL.pathname.replace(/\/$/, '') || '/',
  defaultPreload: 'intent',
  defaultErrorComponent: PageFailed,
  scrollRestoration: true,
  // Plain values instead of JSON, so that addresses can be read and written by people.
  parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
  stringifySearch(search) {
    const entries = Object.entries(search).filter(([, value]) => value !== undefined)
    const text = new URLSearchParams(entries.map(([name, value]) => [name, String(value)]))
    const query = String(text).replaceAll('%2C', ',').replaceAll('%3A', ':')
    return query === '' ? '' : `?${query}`
  },
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
