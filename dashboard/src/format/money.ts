const DOLLARS = new Intl.NumberFormat('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 })

/**
 * Dollars of an amount in micro-USD: cents from $1, else up to six decimals without trailing zeros. Null is "unknown",
 * never zero.
 */
export function formatMoney(micros: number | null | undefined): string {
  if (micros === null || micros === undefined) return 'unknown'
  const sign = micros < 0 ? '−' : ''
  const absolute = Math.abs(micros)
  const whole = Math.floor(absolute / 1_000_000)
  if (whole >= 1) return `${sign}$${DOLLARS.format(Math.round(absolute / 10_000) / 100)}`
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

/**
 * Micro-USD of an amount that a person typed, such as `0.06174` or `$1,234.5`. Undefined for anything else, and for more
 * than six decimals.
 */
export function parseMoney(text: string): number | undefined {
  const match = /^\$?\s*(\d{1,3}(?:,\d{3})+|\d+)?(?:\.(\d{0,6}))?$/.exec(text.trim())
  const [, whole = '', decimals = ''] = match ?? []
  if (whole + decimals === '') return undefined
  const micros = Number(whole.replaceAll(',', '')) * 1_000_000 + Number(decimals.padEnd(6, '0'))
  return Number.isSafeInteger(micros) ? micros : undefined
}
