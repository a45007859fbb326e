/** `850 ms`, `4.2 s`, `3 min 05 s`, `2 h 14 min`. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`
  const seconds = Math.floor(ms / 1_000)
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${String(seconds % 60).padStart(2, '0')} s`
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`
}

/** `+4.2 s` between two moments. */
export function formatOffset(from: string, to: string): string {
  return `+${(Math.max(0, Date.parse(to) - Date.parse(from)) / 1_000).toFixed(1)} s`
}

/** `just now`, `12 s ago`, `5 min ago`, `3 h ago`, then the date. */
export function formatAge(at: string, now: number): string {
  const seconds = Math.floor((now - Date.parse(at)) / 1_000)
  if (seconds < 5) return 'just now'
  if (seconds < 60) return `${seconds} s ago`
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ago`
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ago`
  return new Date(at).toLocaleDateString('en', { day: 'numeric', month: 'short', year: 'numeric' })
}

/** With seconds, in the zone of the browser. */
export function formatExactTime(at: string): string {
  return new Date(at).toLocaleString('en', { dateStyle: 'medium', timeStyle: 'medium' })
}

export function formatClock(at: string | number): string {
  return new Date(at).toLocaleTimeString('en', { hourCycle: 'h23' })
}

/** How long something waits: `now`, `5 min`, `21 h`, `7 d`. */
export function formatWait(ms: number): string {
  const minutes = Math.floor(ms / 60_000)
  if (minutes < 1) return 'now'
  if (minutes < 60) return `${minutes} min`
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h`
  return `${Math.floor(minutes / 1_440)} d`
}
