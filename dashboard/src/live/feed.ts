// The live feed of the project: the newest tasks, then every event. It goes on through lost connections.
import { DarkroomError, type Connection } from '../api/connection.ts'
import { ListTasks, ReadFeedCursor, ReadTile, WatchFeed, type LiveEvent } from '../api/generated.ts'
import { createCatchUp, type Link } from './link-state.ts'
import type { TaskStore } from './task-store.ts'

export interface Feed {
  start: () => void
  stop: () => void
  link: () => Link
  /** Why the first page could not be read. Undefined while it is read, and afterwards. */
  error: () => Error | undefined
  isLoaded: () => boolean
  /** Page info of the first read, from which the list of finished tasks goes on. */
  subscribe: (listener: () => void) => () => void
  /** Every event, in order. */
  subscribeEvents: (listener: (event: LiveEvent) => void) => () => void
}

export const PAGE_SIZE = 60
const CAUGHT_UP_MS = 4_000
/** A tab that is hidden for this long closes its connection, and reads the list when it is shown again. */
const HIDDEN_MS = 5 * 60_000
/** After a longer absence the list is read, instead of every event since. */
const STALE_MS = 60_000
/** Read at once after an absence. */
const MAX_PAGES = 5

export function createFeed(options: {
  connection: Connection
  store: TaskStore
  /** The key is not valid any more. */
  onRefused: (message: string) => void
}): Feed {
  const { connection, store, onRefused } = options
  const listeners = new Set<() => void>()
  const eventListeners = new Set<(event: LiveEvent) => void>()
  const catchUp = createCatchUp()
  let link: Link = { state: 'connecting' }
  let error: Error | undefined
  let isLoaded = false
  let run: AbortController | undefined
  let hiddenTimer: ReturnType<typeof setTimeout> | undefined
  let lastCursor: string | undefined
  let lastDataAt = Date.now()
  let wasLost = false
  let lostAt = 0

  function notify(next?: Link): void {
    if (next) link = next
    for (const listener of listeners) listener()
  }

  function becomeLive(missed: number | undefined): void {
    if (missed === undefined) return
    if (missed === 0) return notify({ state: 'live' })
    notify({ state: 'caught-up', count: missed })
    setTimeout(() => link.state === 'caught-up' && notify({ state: 'live' }), CAUGHT_UP_MS)
  }

  async function opened(): Promise<void> {
    if (!wasLost) return notify({ state: 'live' })
    if (Date.now() - lostAt > STALE_MS) return start()
    wasLost = false
    const last = lastCursor
    catchUp.start()
    const { feedCursor } = await connection.read(ReadFeedCursor, {})
    becomeLive(catchUp.present(feedCursor, last))
  }

  const sink = {
    opened: () => void opened().catch(() => notify({ state: 'live' })),
    lost() {
      if (!wasLost) lostAt = Date.now()
      wasLost = true
      if (link.state !== 'reconnecting') notify({ state: 'reconnecting', since: lastDataAt })
    },
  }

  /** The newest tasks, down to one that is known, and those that were running. Returns the cursor of the present. */
  async function readNewest(signal: AbortSignal): Promise<string> {
    const isFirst = store.size() === 0
    const running = store.running()
    const first = await connection.read(ListTasks, { first: PAGE_SIZE }, signal)
    const read = new Set<string>()
    for (let page = first, count = 1; ; count++) {
      const isKnown = page.nodes.some(({ id }) => store.get(id))
      for (const { id } of page.nodes) read.add(id)
      store.put(page.nodes)
      const { hasNextPage, endCursor } = page.pageInfo
      if (isFirst || isKnown || !hasNextPage || count === MAX_PAGES) break
      page = await connection.read(ListTasks, { first: PAGE_SIZE, after: endCursor }, signal)
    }
    for (const id of running) {
      if (read.has(id)) continue
      const task = await connection.read(ReadTile, { id }, signal).catch(() => undefined)
      if (task) store.put([task])
    }
    return first.feedCursor
  }

  /** `from`: the cursor of the last event. Without one, the list is read first. */
  async function watch(signal: AbortSignal, from?: string): Promise<void> {
    const after = from ?? (await readNewest(signal))
    isLoaded = true
    error = undefined
    lastCursor = after
    notify()
    for await (const event of connection.events(WatchFeed, {}, { after, signal, link: sink })) {
      lastCursor = event.cursor
      lastDataAt = Date.now()
      store.apply(event)
      for (const listener of eventListeners) listener(event)
      becomeLive(catchUp.event(event.cursor))
      if (event.type === 'TaskSnapshot' && event.resync) await readNewest(signal)
    }
  }

  function start(): void {
    wasLost = false
    notify({ state: 'connecting' })
    begin(undefined)
  }

  function begin(from: string | undefined): void {
    run?.abort()
    const own = new AbortController()
    run = own
    watch(own.signal, from).catch((problem: unknown) => {
      if (own.signal.aborted) return
      if (problem instanceof DarkroomError && problem.code === 'UNAUTHENTICATED')
        return onRefused(problem.message)
      error = problem as Error
      notify({ state: 'reconnecting', since: lastDataAt })
    })
  }

  /** Without the rest of the wait between two tries. */
  function reconnect(): void {
    if (link.state !== 'reconnecting') return
    if (!isLoaded || Date.now() - lostAt > STALE_MS) start()
    else begin(lastCursor)
  }

  function onVisibility(): void {
    clearTimeout(hiddenTimer)
    if (document.hidden)
      hiddenTimer = setTimeout(() => {
        run?.abort()
        notify({ state: 'paused' })
      }, HIDDEN_MS)
    else if (link.state === 'paused') start()
    else reconnect()
  }

  return {
    start() {
      document.addEventListener('visibilitychange', onVisibility)
      addEventListener('online', reconnect)
      start()
    },
    stop() {
      document.removeEventListener('visibilitychange', onVisibility)
      removeEventListener('online', reconnect)
      clearTimeout(hiddenTimer)
      run?.abort()
    },
    link: () => link,
    error: () => error,
    isLoaded: () => isLoaded,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    subscribeEvents(listener) {
      eventListeners.add(listener)
      return () => eventListeners.delete(listener)
    },
  }
}
