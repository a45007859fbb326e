import { z } from 'zod'
import { TOKEN_COUNTS, type Usage } from '../../domain.ts'
import { MAX_COST_MICROS, sumDecimalUsd } from '../../money.ts'
import { UNKNOWN_USAGE } from '../provider.ts'

const tokens = z.int().nonnegative().nullish().catch(null)
const details = z.object({ text_tokens: tokens, image_tokens: tokens }).nullish().catch(null)
const usage = z.object({
  input_tokens: tokens,
  output_tokens: tokens,
  total_tokens: tokens,
  input_tokens_details: details,
  output_tokens_details: details,
  // OpenRouter has the names of the chat API.
  prompt_tokens: tokens,
  completion_tokens: tokens,
  prompt_tokens_details: details,
  completion_tokens_details: details,
})

/** Unreported values are null; without any: UNKNOWN. */
export function toUsage(reported: unknown): Usage {
  const { data } = usage.safeParse(reported)
  const inputTokens = data?.input_tokens ?? data?.prompt_tokens ?? null
  const outputTokens = data?.output_tokens ?? data?.completion_tokens ?? null
  const totalTokens = data?.total_tokens ?? sum(inputTokens, outputTokens)
  if (!data || (inputTokens ?? outputTokens ?? totalTokens) === null) return UNKNOWN_USAGE
  const input = data.input_tokens_details ?? data.prompt_tokens_details
  return {
    ...UNKNOWN_USAGE,
    inputTokens,
    outputTokens,
    totalTokens,
    inputTextTokens: input?.text_tokens ?? null,
    inputImageTokens: input?.image_tokens ?? null,
    ...toOutput(outputTokens, data.output_tokens_details ?? data.completion_tokens_details),
    source: 'REPORTED',
  }
}

/** ESTIMATED: an event may count its image or the whole call. */
export function addUsages(usages: readonly Usage[]): Usage {
  if (usages.length === 0 || usages.some(({ source }) => source === 'UNKNOWN')) return UNKNOWN_USAGE
  return usages.reduce((total, next) => ({
    ...total,
    ...Object.fromEntries(TOKEN_COUNTS.map((name) => [name, sum(total[name], next[name])])),
    source: 'ESTIMATED',
  }))
}

const cost = z.object({ cost: z.unknown().optional(), is_byok: z.unknown().optional() })

/** `cost` in USD, in micro-USD. Null: unusable. Undefined: not reported, or only the fee on a call with the account's own key. */
export function toCostMicros(reported: unknown): number | null | undefined {
  const { data } = cost.safeParse(reported)
  if (data?.cost === undefined || data.cost === null || data.is_byok === true) return undefined
  if (typeof data.cost !== 'number' || data.cost < 0) return null
  // The shortest decimal of a number is the one that was sent.
  const micros = sumDecimalUsd([String(data.cost)])
  return micros !== undefined && micros <= MAX_COST_MICROS ? micros : null
}

const svgUsage = z.object({
  model: z.string().min(1).max(200).nullish().catch(null),
  input_tokens: tokens,
  output_tokens: tokens,
  reasoning_tokens: tokens,
})

type SvgCounts = Pick<Usage, 'svgInputTokens' | 'svgOutputTokens' | 'svgReasoningTokens'>

/** Of the author of an SVG, and its name. Undefined without counts. */
export function toSvgUsage(reported: unknown): { counts: SvgCounts; model: string | undefined } | undefined {
  const { data } = svgUsage.safeParse(reported)
  const counts = {
    svgInputTokens: data?.input_tokens ?? null,
    svgOutputTokens: data?.output_tokens ?? null,
    svgReasoningTokens: data?.reasoning_tokens ?? null,
  }
  if (Object.values(counts).every((count) => count === null)) return undefined
  return { counts, model: data?.model ?? undefined }
}

// Without details, "the number of image tokens in the output image".
function toOutput(outputTokens: number | null, parts: z.output<typeof details>) {
  if (parts?.image_tokens === undefined || parts.image_tokens === null) {
    return { outputTextTokens: outputTokens === null ? null : 0, outputImageTokens: outputTokens }
  }
  return { outputTextTokens: parts.text_tokens ?? null, outputImageTokens: parts.image_tokens }
}

function sum(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b
}
