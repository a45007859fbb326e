// The live feed of the project: the newest tasks, then every event. It goes on through lost connections.
import { DarkroomError, type Connection } from '../api/connection.ts'
import { ListTasks, ReadFeedCursor, WatchFeed, type LiveEvent } from '../api/generated.ts'
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
    wasLost = false
    const last = lastCursor
    catchUp.start()
    const { feedCursor } = await connection.read(ReadFeedCursor, {})
    becomeLive(catchUp.present(feedCursor, last))
  }

  const sink = {
    opened: () => void opened().catch(() => notify({ state: 'live' })),
    lost() {
      wasLost = true
      if (link.state !== 'reconnecting') notify({ state: 'reconnecting', since: lastDataAt })
    },
  }

  async function watch(signal: AbortSignal): Promise<void> {
    const page = await connection.read(ListTasks, { first: PAGE_SIZE }, signal)
    store.put(page.nodes)
    isLoaded = true
    error = undefined
    lastCursor = page.feedCursor
    notify()
    for await (const event of connection.events(
      WatchFeed,
      {},
      { after: page.feedCursor, signal, link: sink },
    )) {
      lastCursor = event.cursor
      lastDataAt = Date.now()
      store.apply(event)
      for (const listener of eventListeners) listener(event)
      becomeLive(catchUp.event(event.cursor))
      if (event.type === 'TaskSnapshot' && event.resync)
        store.put((await connection.read(ListTasks, { first: PAGE_SIZE }, signal)).nodes)
    }
  }

  function start(): void {
    run?.abort()
    const own = new AbortController()
    run = own
    wasLost = false
    notify({ state: 'connecting' })
    watch(own.signal).catch((problem: unknown) => {
      if (own.signal.aborted) return
      if (problem instanceof DarkroomError && problem.code === 'UNAUTHENTICATED')
        return onRefused(problem.message)
      error = problem as Error
      notify({ state: 'reconnecting', since: lastDataAt })
    })
  }

  function onVisibility(): void {
    clearTimeout(hiddenTimer)
    if (document.hidden)
      hiddenTimer = setTimeout(() => {
        run?.abort()
        notify({ state: 'paused' })
      }, HIDDEN_MS)
    else if (link.state === 'paused') start()
  }

  return {
    start() {
      document.addEventListener('visibilitychange', onVisibility)
      start()
    },
    stop() {
      document.removeEventListener('visibilitychange', onVisibility)
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
