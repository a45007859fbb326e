// The most tokens that a request can consume, for the amount that is held before it is sent.
import { parseSize, type Quality, type Settings } from '../../domain.ts'
import { outputImageTokens, PARTIAL_IMAGE_TOKENS } from './tokens.ts'

/** The facts of a request on which its tokens depend. */
export interface TokenRequest extends Pick<Settings, 'prompt' | 'size' | 'quality' | 'partialImages'> {
  /** Input images and mask together. */
  inputImages: number
}

/** Tokens by class, as prices count them. */
export interface TokenLimit {
  inputText: number
  inputImage: number
  outputImage: number
}

/** No tokenizer makes more tokens than there are bytes; this is for the wrapping around a prompt. */
const MAX_WRAPPING_TOKENS = 32

/**
 * Of one input image at high fidelity, by the most expensive published rule: 6,240 on top of 65 and 129 for each of eight
 * tiles ("Images and vision" guide, gpt-image-1). The patch rule of later models stays below it.
 */
const MAX_INPUT_IMAGE_TOKENS = 6_240 + 65 + 8 * 129

/** Of one image of 2880x2880 at high quality: the maximum of all published rules. */
const MAX_OUTPUT_TOKENS = 23_719

/** The sizes among which an upstream chooses for `auto`. */
const AUTO_SIZES = ['1024x1024', '1536x1024', '1024x1536']

/** By this the published price of an image of gpt-image-1-mini exceeds that of its tokens. No page says why. */
const MINI_SURCHARGE_TOKENS = 325

/**
 * The most tokens that `n` images of a request can consume, where the provider chooses included. Models without a
 * published rule, the 2.5 family for example, count by the most expensive known rule. An upstream may charge more than
 * any published rule says.
 */
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
