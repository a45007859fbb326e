import { useEffect, useRef, useState } from 'react'

const INSERT_MS = 1_000

export interface Held {
  shown: readonly string[]
  /** Tasks that are newer than those shown. */
  newCount: number
  isPaused: boolean
  setIsPaused: (isPaused: boolean) => void
  showNew: () => void
}

/**
 * A list that takes new tasks once a second, while the page is at its top and the list is neither
 * paused nor under the pointer nor focused.
 */
export function useHeld(ids: readonly string[], section: { current: HTMLElement | null }): Held {
  const [shown, setShown] = useState(ids)
  const [isPaused, setIsPaused] = useState(false)
  const latest = useRef(ids)
  useEffect(() => {
    latest.current = ids
    // Older pages and removed tasks do not move what is in view.
    setShown((last) => {
      const newest = last[0]
      if (newest === undefined) return ids
      const kept = ids.filter((id) => id <= newest)
      return isEqual(kept, last) ? last : kept
    })
  }, [ids])

  useEffect(() => {
    if (isPaused) return undefined
    const timer = setInterval(() => {
      const isBusy = section.current?.matches(':hover') || section.current?.contains(document.activeElement)
      const isAtTop = (section.current?.getBoundingClientRect().top ?? 0) > 0
      if (!isBusy && isAtTop && !document.hidden) setShown(latest.current)
    }, INSERT_MS)
    return () => clearInterval(timer)
  }, [isPaused, section])

  const newest = shown[0]
  const newCount = newest === undefined ? 0 : ids.findIndex((id) => id <= newest)
  return {
    shown,
    newCount: Math.max(0, newCount),
    isPaused,
    setIsPaused,
    showNew: () => setShown(latest.current),
  }
}

function isEqual(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((id, index) => id === b[index])
}
