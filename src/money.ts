// Amounts of money as text. All amounts are integer micro-USD, and no digit passes through a floating-point number.
import { formatCount } from './quantity.ts'

/** One micro-USD is the sixth decimal of a dollar. */
const MICRO_DECIMALS = 6

/**
 * An amount for people: 31740 is `$0.03174`, 1230450000 is `$1,230.45`. Shows every digit there is, and at least
 * `minDecimals` of them (2 to 6), so that a column of amounts lines up. Throws RangeError for a fraction of a micro-USD.
 */
export function formatUsd(micros: number | bigint, minDecimals = 2): string {
  const { sign, whole, decimals } = split(micros)
  return `${sign}$${formatCount(BigInt(whole))}.${significant(decimals).padEnd(minDecimals, '0')}`
}

/** An amount for programs and spreadsheets, always with six decimals: 41160 is `0.041160`. Throws as `formatUsd`. */
export function formatDecimalUsd(micros: number | bigint): string {
  const { sign, whole, decimals } = split(micros)
  return `${sign}${whole}.${decimals}`
}

/** How many decimals show every digit of each amount: 2 to 6. Throws as `formatUsd`. */
export function decimalsOf(amounts: readonly (number | bigint)[]): number {
  return amounts.reduce(
    (most: number, micros) => Math.max(most, significant(split(micros).decimals).length),
    2,
  )
}

const AMOUNT = /^(-?)\$?(\d+|[1-9]\d{0,2}(?:,\d{3})+)(?:\.(\d{1,6}))?$/

/**
 * A typed amount in micro-USD: `250`, `0.5`, `-$0.25`, and whatever `formatUsd` and `formatDecimalUsd` write. Undefined
 * for other texts, for more than six decimals, and beyond the integers that a number holds exactly (about 9 billion USD).
 */
export function parseUsd(text: string): number | undefined {
  const [, sign, whole, decimals = ''] = AMOUNT.exec(text) ?? []
  if (whole === undefined) return undefined
  const micros = Number(whole.replaceAll(',', '') + decimals.padEnd(MICRO_DECIMALS, '0'))
  if (!Number.isSafeInteger(micros)) return undefined
  // Not `-0`, which is no amount.
  return sign === '-' && micros > 0 ? -micros : micros
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
