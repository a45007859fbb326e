// Live tasks by id. Events are queued and merged once per frame, so that a thousand a minute cost one update per frame.
import type { LiveEvent, LiveTask, Picture } from '../api/generated.ts'
import { assignSlots, EMPTY_SLOTS, LINGER_MS, type Slots } from './slots.ts'

export interface TaskStore {
  /** Queued until the next flush. */
  apply: (event: LiveEvent) => void
  /** States from a query, merged at once. */
  put: (tasks: readonly LiveTask[]) => void
  get: (id: string) => LiveTask | undefined
  slots: () => Slots
  /** Ids of finished tasks without a slot, newest first. */
  done: () => readonly string[]
  /** Ids of all tasks that are shown, newest first. */
  listed: () => readonly string[]
  /** Ids of all running tasks, also of those that are not shown. */
  running: () => readonly string[]
  /** Running tasks for which there is no slot. */
  waitingCount: () => number
  size: () => number
  /** Which tasks are shown. All by default. The others are kept. */
  setFilter: (accepts: (task: LiveTask) => boolean) => void
  setMaxSlots: (count: number) => void
  subscribe: (listener: () => void) => () => void
  subscribeTask: (id: string, listener: () => void) => () => void
  flush: () => void
  clear: () => void
}

export interface TaskStoreOptions {
  /** Calls `flush` at the next frame, or after `delayMs`. */
  schedule: (flush: () => void, delayMs?: number) => void
  now: () => number
  maxSlots?: number
}

/** Finished tasks beyond this number are dropped, oldest first. */
export const MAX_TASKS = 2_000
const DEFAULT_MAX_SLOTS = 48
/** An event that arrives again within this many events is ignored. */
const MAX_KNOWN_CURSORS = 5_000
/** Signed addresses live for at least 15 minutes. Until then a picture keeps its address: it is not loaded again. */
const ADDRESS_LIFE_MS = 14 * 60_000

const acceptsAll = () => true

export function isRunning({ status }: Pick<LiveTask, 'status'>): boolean {
  return status === 'QUEUED' || status === 'RUNNING'
}

export function createTaskStore(options: TaskStoreOptions): TaskStore {
  const { schedule, now } = options
  const tasks = new Map<string, LiveTask>()
  /** Ids of all running tasks, and of all others, newest first. */
  const running = new Set<string>()
  let ended: string[] = []
  /** Whether the filter accepts a state of a task. Each state is another object. */
  let verdicts = new WeakMap<LiveTask, boolean>()
  const addressedAt = new Map<string, number>()
  const known = new Set<string>()
  const listeners = new Set<() => void>()
  const taskListeners = new Map<string, Set<() => void>>()
  let queue: LiveEvent[] = []
  let accepts: (task: LiveTask) => boolean = acceptsAll
  let isScheduled = false
  let isReleaseScheduled = false
  let slots: Slots = EMPTY_SLOTS
  let done: readonly string[] = []
  let waiting = 0
  let listed: readonly string[] = []
  let isListStale = false
  let maxSlots = options.maxSlots ?? DEFAULT_MAX_SLOTS

  function scheduleFlush(): void {
    if (isScheduled) return
    isScheduled = true
    schedule(flush)
  }

  function merge(task: LiveTask, changed: Set<string>): void {
    const old = tasks.get(task.id)
    if (old && old.revision > task.revision) return
    tasks.set(task.id, old ? { ...old, ...keepAddresses(old, task) } : task)
    for (const { id } of picturesOf(task)) if (!addressedAt.has(id)) addressedAt.set(id, now())
    changed.add(task.id)
  }

  function keepAddresses(old: LiveTask, task: LiveTask): LiveTask {
    const pictures = new Map(picturesOf(old).map((one) => [one.id, one]))
    const keep = (picture: Picture) => {
      const last = pictures.get(picture.id)
      if (last && now() - (addressedAt.get(picture.id) ?? 0) < ADDRESS_LIFE_MS) return last
      addressedAt.set(picture.id, now())
      return picture
    }
    const partialImages = task.partialImages.map((one) => ({ ...one, image: keep(one.image) }))
    return { ...task, images: task.images.map(keep), partialImages }
  }

  function flush(): void {
    isScheduled = false
    const events = queue
    queue = []
    const changed = new Set<string>()
    for (const event of events) {
      // A snapshot has the cursor of the present, which the next event may share.
      if (event.type !== 'TaskSnapshot') {
        if (known.has(event.cursor)) continue
        known.add(event.cursor)
      }
      merge(event.task, changed)
    }
    for (const cursor of known) {
      if (known.size <= MAX_KNOWN_CURSORS) break
      known.delete(cursor)
    }
    arrange(changed)
  }

  function isAccepted(id: string): boolean {
    const task = tasks.get(id)
    if (!task) return false
    const verdict = verdicts.get(task) ?? accepts(task)
    verdicts.set(task, verdict)
    return verdict
  }

  /** Costs little per task: a thousand a minute end while two thousand are known. */
  function place(id: string): void {
    if (isRunning(tasks.get(id)!)) {
      if (!running.has(id)) ended = ended.filter((one) => one !== id)
      running.add(id)
      return
    }
    running.delete(id)
    const index = ended.findIndex((one) => one <= id)
    if (index === -1) ended.push(id)
    else if (ended[index] !== id) ended.splice(index, 0, id)
  }

  function arrange(changed: ReadonlySet<string>): void {
    for (const id of changed) place(id)
    for (const id of ended.splice(MAX_TASKS)) forget(id)
    const ids = [...running].filter(isAccepted)
    const next = assignSlots(slots, new Set(ids), { now: now(), maxSlots, isShown: isAccepted })
    const placed = new Set(next.entries.flatMap((entry) => (entry ? [entry.id] : [])))
    const kept = ended.filter((id) => !placed.has(id) && isAccepted(id))
    const stillWaiting = ids.filter((id) => !placed.has(id)).length
    const isSame = next === slots && stillWaiting === waiting && isEqual(kept, done)
    slots = next
    waiting = stillWaiting
    isListStale = true
    if (!isSame) {
      done = kept
      for (const listener of listeners) listener()
    }
    for (const id of changed) for (const listener of taskListeners.get(id) ?? []) listener()
    // A slot is released by time, not by an event.
    if (isReleaseScheduled || next.entries.every((entry) => entry?.endedAt === undefined)) return
    isReleaseScheduled = true
    schedule(() => {
      isReleaseScheduled = false
      flush()
    }, LINGER_MS)
  }

  function list(): readonly string[] {
    const all = [...running, ...ended].filter(isAccepted)
    return all.toSorted((a, b) => (a < b ? 1 : -1))
  }

  function forget(id: string): void {
    for (const picture of picturesOf(tasks.get(id)!)) addressedAt.delete(picture.id)
    tasks.delete(id)
  }

  return {
    apply(event) {
      queue.push(event)
      scheduleFlush()
    },
    put(given) {
      const changed = new Set<string>()
      for (const task of given) merge(task, changed)
      arrange(changed)
    },
    get: (id) => tasks.get(id),
    slots: () => slots,
    done: () => done,
    listed() {
      if (!isListStale) return listed
      isListStale = false
      const fresh = list()
      if (!isEqual(listed, fresh)) listed = fresh
      return listed
    },
    running: () => [...running],
    waitingCount: () => waiting,
    size: () => tasks.size,
    setFilter(given) {
      accepts = given
      verdicts = new WeakMap()
      slots = EMPTY_SLOTS
      arrange(new Set())
    },
    setMaxSlots(count) {
      if (count === maxSlots) return
      maxSlots = count
      arrange(new Set())
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    subscribeTask(id, listener) {
      const own = taskListeners.get(id) ?? new Set()
      taskListeners.set(id, own.add(listener))
      return () => {
        own.delete(listener)
        if (own.size === 0) taskListeners.delete(id)
      }
    },
    flush,
    clear() {
      tasks.clear()
      running.clear()
      ended = []
      addressedAt.clear()
      known.clear()
      queue = []
      slots = EMPTY_SLOTS
      done = []
      waiting = 0
      listed = []
      for (const listener of listeners) listener()
    },
  }
}

function picturesOf({ images, partialImages }: LiveTask): Picture[] {
  return [...images, ...partialImages.map(({ image }) => image)]
}

function isEqual(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((id, index) => id === b[index])
}
