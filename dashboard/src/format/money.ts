/**
 * Dollars of an amount in micro-USD: cents from $1, else up to six decimals without trailing zeros. Null is "unknown",
 * never zero.
 */
export function formatMoney(micros: number | null | undefined): string {
  if (micros === null || micros === undefined) return 'unknown'
  const sign = micros < 0 ? '−' : ''
  const absolute = Math.abs(micros)
  const whole = Math.floor(absolute / 1_000_000)
  if (whole >= 1) return `${sign}$${(Math.round(absolute / 10_000) / 100).toFixed(2)}`
  const decimals = String(absolute).padStart(6, '0').replace(/0+$/, '').padEnd(2, '0')
  return `${sign}$0.${decimals}`
}

/** All six decimals. */
export function formatExactMoney(micros: number | null | undefined): string {
  if (micros === null || micros === undefined) return 'unknown'
  const absolute = Math.abs(micros)
  const decimals = String(absolute % 1_000_000).padStart(6, '0')
  return `${micros < 0 ? '−' : ''}$${Math.floor(absolute / 1_000_000)}.${decimals}`
}
