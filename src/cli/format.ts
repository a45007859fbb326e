/** `31740` micro-USD as `$0.03174`: at least cents, and every digit there is. Never through a float. */
export function formatUsd(micros: bigint): string {
  const digits = (micros < 0n ? -micros : micros).toString().padStart(7, '0')
  const cents = digits.slice(-6).replace(/0{1,4}$/, '')
  return `${micros < 0n ? '-' : ''}$${grouped(digits.slice(0, -6))}.${cents}`
}

/** `1056` as `1,056`; a dash for what nobody told us. */
export function formatCount(count: number | null | undefined): string {
  return count === null || count === undefined ? '–' : grouped(String(count))
}

/** `1310720` as `1.3 MB`, in powers of ten. */
export function formatBytes(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`
  if (bytes < 999_500) return `${Math.round(bytes / 1_000)} kB`
  return `${(bytes / 1_000_000).toFixed(1)} MB`
}

/** `740` as `740 ms`, `4180` as `4.2 s`, `125000` as `2 min 5 s`. */
export function formatMs(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`
  const seconds = Math.round(ms / 1_000)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

function grouped(digits: string): string {
  return digits.replace(/\B(?=(?:\d{3})+$)/g, ',')
}
