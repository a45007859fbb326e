import { svgUsageOf } from '../../db/attempts/totals.ts'
import type { Usage } from '../../domain.ts'

/** Null unless all counts are known that typed clients require. */
export function usageBody(usage: Usage | null): UsageBody | null {
  if (!usage) return null
  const { inputTokens, outputTokens, totalTokens, inputTextTokens, inputImageTokens } = usage
  const { outputTextTokens, outputImageTokens } = usage
  if (inputTokens === null || outputTokens === null || totalTokens === null) return null
  if (inputTextTokens === null || inputImageTokens === null) return null
  return {
    input_tokens: inputTokens,
    output_tokens: outputTokens,
    total_tokens: totalTokens,
    input_tokens_details: { text_tokens: inputTextTokens, image_tokens: inputImageTokens },
    ...(outputTextTokens !== null &&
      outputImageTokens !== null && {
        output_tokens_details: { text_tokens: outputTextTokens, image_tokens: outputImageTokens },
      }),
  }
}

export interface UsageBody {
  input_tokens: number
  output_tokens: number
  total_tokens: number
  input_tokens_details: { text_tokens: number; image_tokens: number }
  output_tokens_details?: { text_tokens: number; image_tokens: number }
}

export interface SvgUsageBody {
  model: string
  input_tokens: number
  output_tokens: number
  reasoning_tokens: number
  total_tokens: number
}

/** Of the author of an SVG. Null unless it and all counts are known. */
export function svgUsageBody(usage: Usage | null, model: string | undefined): SvgUsageBody | null {
  const { inputTokens, outputTokens, reasoningTokens } = (usage && svgUsageOf(usage)) ?? NO_SVG
  if (model === undefined || inputTokens === null || outputTokens === null || reasoningTokens === null)
    return null
  return {
    model,
    input_tokens: inputTokens,
    output_tokens: outputTokens,
    reasoning_tokens: reasoningTokens,
    total_tokens: inputTokens + outputTokens,
  }
}

const NO_SVG = { inputTokens: null, outputTokens: null, reasoningTokens: null }

/** Every number in whole parts that differ by one at most, and add up to it. Empty for null. */
export function splitCounts<Counts extends object>(total: Counts | null, count: number): Counts[] {
  if (!total) return []
  return Array.from({ length: count }, (_, i) => partOf(total, count, i))
}

function partOf<Value>(total: Value, count: number, i: number): Value {
  if (typeof total === 'object')
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same names
    return Object.fromEntries(
      Object.entries(total ?? {}).map(([name, one]) => [name, partOf(one, count, i)]),
    ) as Value
  if (typeof total !== 'number') return total
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a number
  return (Math.floor(total / count) + (i < total % count ? 1 : 0)) as Value
}
