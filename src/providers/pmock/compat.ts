// What sets pmock's OpenAI-compatible route apart: docs.pmock.com, "openai compat generate".
import type { ProviderRequest } from '../provider.ts'

/** The base URL of the page's sample client. */
export const PMOCK_COMPAT = 'https://ai.pmock.com/api/ai/openai/v1'

export interface CompatOptions {
  naming?: 'snake' | 'camel' | undefined
  responseFormat?: 'url' | 'b64_json' | undefined
}

/**
 * The page's fields in the page's order. Whatever has an `auto` says it: a size that is left out is 1024x1024 there, and
 * of the others no default is stated.
 */
export function toCompatParameters(
  request: ProviderRequest,
  { naming = 'snake', responseFormat = 'b64_json' }: CompatOptions,
): Record<string, string | number> {
  const fields = {
    prompt: request.prompt,
    model: request.upstreamModel,
    background: request.background.toLowerCase(),
    moderation: request.moderation.toLowerCase(),
    n: request.n,
    outputCompression: request.outputCompression,
    outputFormat: request.outputFormat.toLowerCase(),
    partialImages: request.partialImages === 0 ? null : request.partialImages,
    quality: request.quality.toLowerCase(),
    responseFormat,
    size: request.size,
    inputFidelity: request.inputFidelity?.toLowerCase() ?? null,
    user: request.user,
  }
  const said = Object.entries(fields).flatMap(([name, value]): [string, string | number][] =>
    value === null ? [] : [[naming === 'camel' ? name : toSnake(name), value]],
  )
  return Object.fromEntries(said)
}

// The page's table is in camelCase; its sample, github.com/openai/openai-java, writes snake_case.
function toSnake(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
