// The images of one filter, read by page, newest first. They outlive the page: after Back, the grid is as it was.
import type { GalleryImage, Picture } from '../api/generated.ts'

export interface GalleryPage {
  nodes: readonly GalleryImage[]
  pageInfo: { endCursor: string | null; hasNextPage: boolean }
}

/** The operations of the server that it needs. */
export interface GallerySource {
  readPage: (after: string | undefined) => Promise<GalleryPage>
  count: () => Promise<number>
  /** With new addresses, at most 100 at once. Without those that were deleted. */
  renew: (ids: readonly string[]) => Promise<readonly Picture[]>
}

export interface GalleryState {
  /** Undefined until the first page was read. */
  images: readonly GalleryImage[] | undefined
  /** Undefined until it was counted. */
  total: number | undefined
  hasMore: boolean
  isReading: boolean
  error: Error | undefined
}

export interface Gallery {
  state: () => GalleryState
  subscribe: (listener: () => void) => () => void
  /** Reads the first page, unless it was read. */
  start: () => void
  readMore: () => void
  /** Puts newer images before those that are known. */
  refresh: () => Promise<void>
  /** The address of an image has expired. Those of one moment are renewed together. */
  renew: (id: string) => void
  remove: (ids: readonly string[]) => void
}

const RENEWAL_DELAY_MS = 50
const MAX_RENEWED = 100

export function createGallery(source: GallerySource): Gallery {
  const listeners = new Set<() => void>()
  const expired = new Set<string>()
  let timer: ReturnType<typeof setTimeout> | undefined
  let after: string | null = null
  let state: GalleryState = {
    images: undefined,
    total: undefined,
    hasMore: false,
    isReading: false,
    error: undefined,
  }

  function change(part: Partial<GalleryState>): void {
    state = { ...state, ...part }
    for (const listener of listeners) listener()
  }

  /** One read at a time. */
  async function read(action: () => Promise<Partial<GalleryState>>): Promise<void> {
    if (state.isReading) return
    change({ isReading: true, error: undefined })
    try {
      change({ ...(await action()), isReading: false })
    } catch (error) {
      change({ isReading: false, error: error as Error })
    }
  }

  function startOver({ nodes, pageInfo }: GalleryPage): Partial<GalleryState> {
    after = pageInfo.endCursor
    return { images: nodes, hasMore: pageInfo.hasNextPage }
  }

  async function count(): Promise<void> {
    // The number beside the title: without it the page still works.
    const total = await source.count().catch(() => undefined)
    if (total !== undefined) change({ total })
  }

  const refresh = () =>
    read(async () => {
      void count()
      const page = await source.readPage(undefined)
      const known = state.images ?? []
      const ids = new Set(known.map(({ id }) => id))
      // Without one that is known, there may be a gap.
      if (!page.nodes.some(({ id }) => ids.has(id))) return startOver(page)
      return { images: [...page.nodes.filter(({ id }) => !ids.has(id)), ...known] }
    })

  async function renewExpired(): Promise<void> {
    timer = undefined
    const ids = [...expired].slice(0, MAX_RENEWED)
    for (const id of ids) expired.delete(id)
    if (expired.size > 0) timer = setTimeout(() => void renewExpired(), RENEWAL_DELAY_MS)
    // A picture that cannot be renewed keeps its placeholder.
    const found = new Map((await source.renew(ids).catch(() => [])).map((one) => [one.id, one]))
    const images = state.images?.map((image) => ({ ...image, ...found.get(image.id) }))
    if (found.size > 0) change({ images })
  }

  return {
    state: () => state,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    start() {
      if (state.images === undefined) void refresh()
    },
    readMore() {
      if (!state.hasMore || after === null) return
      void read(async () => {
        const { nodes, pageInfo } = await source.readPage(after ?? undefined)
        after = pageInfo.endCursor
        return { images: [...(state.images ?? []), ...nodes], hasMore: pageInfo.hasNextPage }
      })
    },
    refresh,
    renew(id) {
      expired.add(id)
      timer ??= setTimeout(() => void renewExpired(), RENEWAL_DELAY_MS)
    },
    remove(ids) {
      const images = state.images?.filter(({ id }) => !ids.includes(id))
      const removed = (state.images?.length ?? 0) - (images?.length ?? 0)
      change({ images, total: state.total === undefined ? undefined : state.total - removed })
    },
  }
}
