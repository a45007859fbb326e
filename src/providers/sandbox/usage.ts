import type { Usage } from '../../domain.ts'
import { UNKNOWN_USAGE, type ProviderRequest } from '../provider.ts'
import { inputImageTokens, outputImageTokens, PARTIAL_IMAGE_TOKENS, textTokens } from '../models/tokens.ts'
import type { ResolvedRequest } from './resolve.ts'

/** As the real model reports it: ESTIMATED as gpt-image-2 for the 2.5 family, UNKNOWN for DALL·E, which reports none. */
export function countUsage(
  request: ProviderRequest,
  resolved: ResolvedRequest,
  partialImages: number,
): Usage {
  const byRule = outputImageTokens(request.model, resolved.quality, resolved.width, resolved.height)
  const perImage = byRule ?? estimate(request.model, resolved)
  if (perImage === null) return UNKNOWN_USAGE
  const inputTextTokens = textTokens(request.prompt)
  const inputImages = request.images.map((image) => inputImageTokens(image.width, image.height))
  const inputImage = inputImages.reduce((sum, tokens) => sum + tokens, 0)
  const outputImage = request.n * (perImage + partialImages * PARTIAL_IMAGE_TOKENS)
  return {
    inputTokens: inputTextTokens + inputImage,
    outputTokens: outputImage,
    totalTokens: inputTextTokens + inputImage + outputImage,
    inputTextTokens,
    inputImageTokens: inputImage,
    outputTextTokens: 0,
    outputImageTokens: outputImage,
    source: byRule === null ? 'ESTIMATED' : 'REPORTED',
  }
}

function estimate(model: string, { quality, width, height }: ResolvedRequest): number | null {
  if (model.startsWith('dall-e')) return null
  const nearest = quality === 'LOW' || quality === 'MEDIUM' ? quality : 'HIGH'
  return outputImageTokens('gpt-image-2', nearest, width, height)
}
