import type { Usage } from '../domain.ts'
import type { Price } from '../providers/provider.ts'

/**
 * What an attempt cost, in micro-USD: each class of tokens at its price, rounded half up once at the end. Null when a
 * class was used but not reported, or has no price: unknown is not zero.
 */
export function costMicros(usage: Usage, price: Price | null): number | null {
  if (!price || usage.source === 'UNKNOWN') return null
  const classes: [tokens: number | null, perMillion: number | null][] = [
    [usage.inputTextTokens, price.inputTextMicros],
    [usage.inputImageTokens, price.inputImageMicros],
    [usage.outputTextTokens, price.outputTextMicros],
    [usage.outputImageTokens, price.outputImageMicros],
  ]
  let sum = 0n
  for (const [tokens, perMillion] of classes) {
    if (tokens === null) return null
    if (tokens === 0) continue
    if (perMillion === null) return null
    sum += BigInt(tokens) * BigInt(perMillion)
  }
  return Number((sum + 500_000n) / 1_000_000n)
}
