import { TOKEN_COUNTS, type Usage } from '../../domain.ts'
import type { CallResult } from '../../providers/provider.ts'
import { toStorable } from '../../text.ts'

type Done = Extract<CallResult, { state: 'DONE' }>

/** Unreachable for one call; the sum over a task stays a 32-bit number. */
const MAX_TOKENS = 100_000_000

/** So that an image is always stored: cleans texts, and impossible counts are unknown. */
export function toStorableResult({ images, usage, resolved, ...result }: Done): Done {
  return {
    ...result,
    images: images.map(({ revisedPrompt, ...image }) => ({
      ...('url' in image ? { url: toStorable(image.url) } : image),
      revisedPrompt: revisedPrompt === null ? null : toStorable(revisedPrompt),
    })),
    usage: toStorableUsage(usage),
    resolved: {
      ...resolved,
      ...(resolved.size !== undefined && { size: toStorable(resolved.size) }),
      ...(resolved.svgModel !== undefined && { svgModel: toStorable(resolved.svgModel) }),
    },
  }
}

function toStorableUsage(usage: Usage): Usage {
  const unknown = TOKEN_COUNTS.filter((name) => !isCount(usage[name]))
  return { ...usage, ...Object.fromEntries(unknown.map((name) => [name, null])) }
}

function isCount(tokens: number | null): boolean {
  return tokens !== null && Number.isInteger(tokens) && tokens >= 0 && tokens <= MAX_TOKENS
}
