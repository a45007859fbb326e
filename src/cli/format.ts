import { formatCount } from '../quantity.ts'

/** `1056` as `1,056`; a dash for an unknown count. */
export function countOrDash(count: number | null | undefined): string {
  return count === null || count === undefined ? '–' : formatCount(count)
}

/** `740` as `740 ms`, `4180` as `4.2 s`, `125000` as `2 min 5 s`. */
export function formatMs(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`
  const seconds = Math.round(ms / 1_000)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}
