import type { Usage } from '../../domain.ts'
import type { CallResult } from '../../providers/provider.ts'
import { toStorable } from '../../text.ts'

type Done = Extract<CallResult, { state: 'DONE' }>

/** No image call comes near it. The sum over a task's attempts stays a 32-bit number. */
const MAX_TOKENS = 100_000_000

/** What came beside the images never prevents that they are stored: texts are cleaned, and impossible counts are unknown. */
export function toStorableResult({ images, usage, resolved, state }: Done): Done {
  return {
    state,
    images: images.map(({ revisedPrompt, ...image }) => ({
      ...('url' in image ? { url: toStorable(image.url) } : image),
      revisedPrompt: revisedPrompt === null ? null : toStorable(revisedPrompt),
    })),
    usage: toStorableUsage(usage),
    resolved: { ...resolved, ...(resolved.size !== undefined && { size: toStorable(resolved.size) }) },
  }
}

function toStorableUsage(usage: Usage): Usage {
  return {
    inputTokens: toCount(usage.inputTokens),
    outputTokens: toCount(usage.outputTokens),
    totalTokens: toCount(usage.totalTokens),
    inputTextTokens: toCount(usage.inputTextTokens),
    inputImageTokens: toCount(usage.inputImageTokens),
    outputTextTokens: toCount(usage.outputTextTokens),
    outputImageTokens: toCount(usage.outputImageTokens),
    source: usage.source,
  }
}

function toCount(tokens: number | null): number | null {
  return tokens !== null && Number.isInteger(tokens) && tokens >= 0 && tokens <= MAX_TOKENS ? tokens : null
}
