// Integer micro-USD, without floating-point arithmetic.
import { formatCount } from './quantity.ts'

const MICRO_DECIMALS = 6

/** Of one attempt: a million USD; more is a mistake. */
export const MAX_COST_MICROS = 1_000_000_000_000

/** `$1,230.45`. Throws RangeError for a fraction. */
export function formatUsd(micros: number | bigint, minDecimals = 2): string {
  const { sign, whole, decimals } = split(micros)
  return `${sign}$${formatCount(BigInt(whole))}.${significant(decimals).padEnd(minDecimals, '0')}`
}

/** `0.041160`. Throws like `formatUsd`. */
export function formatDecimalUsd(micros: number | bigint): string {
  const { sign, whole, decimals } = split(micros)
  return `${sign}${whole}.${decimals}`
}

/** The `minDecimals` that align a column: 2 to 6. */
export function countDecimals(amounts: readonly (number | bigint)[]): number {
  return amounts.reduce((max: number, micros) => Math.max(max, significant(split(micros).decimals).length), 2)
}

const AMOUNT = /^(-?)\$?(\d+|[1-9]\d{0,2}(?:,\d{3})+)(?:\.(\d{1,6}))?$/

/** Undefined beyond six decimals or Number.MAX_SAFE_INTEGER. */
export function parseUsd(text: string): number | undefined {
  const [, sign, whole, decimals = ''] = AMOUNT.exec(text) ?? []
  if (whole === undefined) return undefined
  const micros = Number(whole.replaceAll(',', '') + decimals.padEnd(MICRO_DECIMALS, '0'))
  if (!Number.isSafeInteger(micros)) return undefined
  // Avoids -0.
  return sign === '-' && micros > 0 ? -micros : micros
}

const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/
const SUM_DECIMALS = 30

/** Exact, rounded half away from zero to micro-USD. Undefined for no JSON number, or above Number.MAX_SAFE_INTEGER. */
export function sumDecimalUsd(texts: readonly string[]): number | undefined {
  let sum = 0n
  for (const text of texts) {
    const [, sign, whole, decimals = '', exponent = '0'] = DECIMAL.exec(text) ?? []
    const shift = SUM_DECIMALS - decimals.length + Number(exponent)
    if (whole === undefined || shift < 0) return undefined
    const amount = BigInt(whole + decimals) * 10n ** BigInt(shift)
    sum += sign === '-' ? -amount : amount
  }
  const unit = 10n ** BigInt(SUM_DECIMALS - MICRO_DECIMALS)
  const half = sum < 0n ? -unit / 2n : unit / 2n
  const micros = Number((sum + half) / unit)
  return Number.isSafeInteger(micros) ? micros : undefined
}

/** Numbers as text: binary fractions are no amounts. Undefined if not JSON. */
export function parseExactJson(text: string): unknown {
  try {
    return JSON.parse(text, toDigits)
  } catch {
    return undefined
  }
}

function toDigits(_: string, value: unknown, context?: { source?: string }): unknown {
  return typeof value === 'number' ? (context?.source ?? String(value)) : value
}

function split(micros: number | bigint): { sign: string; whole: string; decimals: string } {
  const exact = BigInt(micros)
  const digits = (exact < 0n ? -exact : exact).toString().padStart(MICRO_DECIMALS + 1, '0')
  return {
    sign: exact < 0n ? '-' : '',
    whole: digits.slice(0, -MICRO_DECIMALS),
    decimals: digits.slice(-MICRO_DECIMALS),
  }
}

function significant(decimals: string): string {
  return decimals.replace(/0+$/, '')
}
