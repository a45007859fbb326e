import { useCallback, useEffect, useState, useSyncExternalStore } from 'react'
import type { LiveTask } from '../api/generated.ts'
import type { Feed } from './feed.ts'
import type { Link } from './link-state.ts'
import type { ReviewSummary, ReviewWatch } from './review-watch.ts'
import type { Slots } from './slots.ts'
import type { TaskStore } from './task-store.ts'

export function useLiveTask(store: TaskStore, id: string): LiveTask | undefined {
  const subscribe = useCallback((listener: () => void) => store.subscribeTask(id, listener), [store, id])
  return useSyncExternalStore(subscribe, () => store.get(id))
}

export function useSlots(store: TaskStore): Slots {
  return useSyncExternalStore(store.subscribe, store.slots)
}

export function useDone(store: TaskStore): readonly string[] {
  return useSyncExternalStore(store.subscribe, store.done)
}

/** Ids of all tasks that are shown, newest first. */
export function useListed(store: TaskStore): readonly string[] {
  return useSyncExternalStore(store.subscribe, store.listed)
}

export function useWaitingCount(store: TaskStore): number {
  return useSyncExternalStore(store.subscribe, store.waitingCount)
}

/** Whether no task is shown. */
export function useHasNothing(store: TaskStore): boolean {
  return useSyncExternalStore(
    store.subscribe,
    () => store.slots().entries.length === 0 && store.done().length === 0,
  )
}

/** Whether no task is known. */
export function useHasNoTask(store: TaskStore): boolean {
  return useSyncExternalStore(store.subscribe, () => store.size() === 0)
}

export function useLink(feed: Feed): Link {
  return useSyncExternalStore(feed.subscribe, feed.link)
}

export function useFeedStatus(feed: Feed): { isLoaded: boolean; error: Error | undefined } {
  const isLoaded = useSyncExternalStore(feed.subscribe, feed.isLoaded)
  const error = useSyncExternalStore(feed.subscribe, feed.error)
  return { isLoaded, error }
}

/** What waits for a decision. Undefined until it was read. */
export function useReviewSummary(review: ReviewWatch): ReviewSummary | undefined {
  return useSyncExternalStore(review.subscribe, review.summary)
}

/** The time, renewed every `intervalMs` while the page is visible. */
export function useNow(intervalMs: number): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) setNow(Date.now())
    }, intervalMs)
    return () => clearInterval(timer)
  }, [intervalMs])
  return now
}

/** Whether the browser has a network. */
export function useOnline(): boolean {
  const [isOnline, setIsOnline] = useState(() => navigator.onLine)
  useEffect(() => {
    const update = () => setIsOnline(navigator.onLine)
    addEventListener('online', update)
    addEventListener('offline', update)
    return () => {
      removeEventListener('online', update)
      removeEventListener('offline', update)
    }
  }, [])
  return isOnline
}
