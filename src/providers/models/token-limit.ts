import { parseSize, type Quality, type Settings } from '../../domain.ts'
import { outputImageTokens, PARTIAL_IMAGE_TOKENS } from './tokens.ts'

export interface TokenRequest extends Pick<Settings, 'prompt' | 'size' | 'quality' | 'partialImages'> {
  /** Input images and mask together. */
  inputImages: number
}

export interface TokenLimit {
  inputText: number
  inputImage: number
  outputImage: number
}

/** Around a prompt, whose tokens are at most its bytes. */
const MAX_WRAPPING_TOKENS = 32

/** Per image: the most expensive published rule, of gpt-image-1 at high fidelity ("Images and vision" guide). */
const MAX_INPUT_IMAGE_TOKENS = 6_240 + 65 + 8 * 129

/** 2880x2880 at high quality: the maximum of all published rules. */
const MAX_OUTPUT_TOKENS = 23_719

/** What upstreams choose for `auto`. */
const AUTO_SIZES = ['1024x1024', '1536x1024', '1024x1536']

/** Published prices of gpt-image-1-mini exceed those of its tokens by this. */
const MINI_SURCHARGE_TOKENS = 325

/** For `n` images. `auto` counts as the most expensive choice, a model without a published rule as the most expensive one. */
export function maxTokens(model: string, request: TokenRequest, n: number): TokenLimit {
  const { prompt, inputImages, partialImages } = request
  return {
    inputText: Buffer.byteLength(prompt) + MAX_WRAPPING_TOKENS,
    inputImage: inputImages * MAX_INPUT_IMAGE_TOKENS,
    outputImage: n * (maxOutputTokens(model, request) + partialImages * PARTIAL_IMAGE_TOKENS),
  }
}

function maxOutputTokens(model: string, { size, quality }: TokenRequest): number {
  const sizes = size === 'auto' ? AUTO_SIZES : [size]
  const qualities: readonly Quality[] = quality === 'AUTO' ? ['LOW', 'MEDIUM', 'HIGH'] : [quality]
  const tokens = sizes.flatMap((one) => {
    const { width, height } = parseSize(one)!
    return qualities.map((value) => outputImageTokens(model, value, width, height) ?? MAX_OUTPUT_TOKENS)
  })
  return Math.max(...tokens) + (model === 'gpt-image-1-mini' ? MINI_SURCHARGE_TOKENS : 0)
}
