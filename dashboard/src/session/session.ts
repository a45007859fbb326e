// Whether the page has a viewer, with a connection and the live tasks of its project.
import { createConnection, DarkroomError, type Connection } from '../api/connection.ts'
import { ReadViewer, type Scope } from '../api/generated.ts'
import { createFeed, type Feed } from '../live/feed.ts'
import { createReviewWatch, type ReviewWatch } from '../live/review-watch.ts'
import { createTaskStore, type TaskStore } from '../live/task-store.ts'
import { createKeyHolder } from './key.ts'

export type Viewer = Awaited<ReturnType<typeof readViewer>>

export interface Session {
  viewer: Viewer
  connection: Connection
  store: TaskStore
  feed: Feed
  /** Counts of what waits for a decision. Stays empty without READ. */
  review: ReviewWatch
  /** The project that an operator chose. Undefined for that of the key. */
  project: string | undefined
  may: (scope: Scope) => boolean
}

export type SessionState =
  | { name: 'starting' }
  | { name: 'signed-out'; reason?: string | undefined }
  | { name: 'failed'; error: Error }
  | { name: 'ready'; session: Session }

const readViewer = (connection: Connection) => connection.read(ReadViewer, {})

/** The state of the page, and the ways to change it. Start it once. */
export function createSessions() {
  const keys = createKeyHolder(() => leave())
  const listeners = new Set<() => void>()
  let state: SessionState = { name: 'starting' }
  let project = readProject()

  function become(next: SessionState): void {
    if (state.name === 'ready') {
      state.session.feed.stop()
      state.session.review.stop()
      state.session.connection.close()
      state.session.store.clear()
    }
    state = next
    for (const listener of listeners) listener()
  }

  function leave(reason?: string): void {
    become({ name: 'signed-out', reason })
  }

  function onRefused(message: string): void {
    keys.forget()
    leave(message)
  }

  async function enter(key: string | undefined): Promise<void> {
    const connection = createConnection(key, project)
    const viewer = await readViewer(connection).catch((error: unknown) => {
      connection.close()
      throw error
    })
    const store = createTaskStore({ schedule: scheduleFrame, now: () => Date.now() })
    const feed = createFeed({ connection, store, onRefused })
    const may = (scope: Scope) => viewer.scopes.includes(scope)
    const review = createReviewWatch(connection, feed)
    become({ name: 'ready', session: { viewer, connection, store, feed, review, project, may } })
    if (!may('READ')) return
    feed.start()
    review.start()
  }

  async function start(): Promise<void> {
    become({ name: 'starting' })
    const key = await keys.find()
    try {
      await enter(key)
    } catch (error) {
      if (!isUnauthenticated(error)) return become({ name: 'failed', error: error as Error })
      keys.forget()
      leave(key === undefined ? undefined : (error as Error).message)
    }
  }

  return {
    state: () => state,
    subscribe: (listener: () => void) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    start,
    /** For operators. Undefined for the project of the key. Everything is read again. */
    async chooseProject(next: string | undefined): Promise<void> {
      if (next === project) return
      project = next
      if (state.name !== 'signed-out') await start()
    },
    /** Rejects with the server's message for a key that is not valid. */
    async signIn(key: string, isKept: boolean): Promise<void> {
      await enter(key)
      keys.set(key, isKept)
    },
    /** Of this page, to be shown when its user wants that. Undefined without one. */
    readKey: (): string | undefined => keys.read(),
    lock: (): void => {
      keys.forget()
      leave()
    },
  }
}

export type Sessions = ReturnType<typeof createSessions>

/** Of the address. The router keeps it on every link. */
function readProject(): string | undefined {
  return new URLSearchParams(location.search).get('project') ?? undefined
}

function isUnauthenticated(error: unknown): boolean {
  return error instanceof DarkroomError && error.code === 'UNAUTHENTICATED'
}

/** A hidden page has no frames; its queue must not grow. */
function scheduleFrame(flush: () => void, delayMs = 0): void {
  if (delayMs > 0 || document.hidden) setTimeout(flush, Math.max(delayMs, document.hidden ? 1_000 : 0))
  else requestAnimationFrame(flush)
}
