import { useSyncExternalStore } from 'react'

const query = matchMedia('(max-width: 1000px)')

/** Whether there is room for one column only. */
export function useIsNarrow(): boolean {
  return useSyncExternalStore(subscribe, () => query.matches)
}

function subscribe(listener: () => void): () => void {
  query.addEventListener('change', listener)
  return () => query.removeEventListener('change', listener)
}
