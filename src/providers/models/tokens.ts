import { parseSize, type Quality, type Settings } from '../../domain.ts'
import type { ImageTokens, Offer } from '../offer.ts'

/** Per partial image ("Image generation" guide, streaming). */
export const PARTIAL_IMAGE_TOKENS = 100

const TABLE_MODELS = new Set(['gpt-image-1', 'gpt-image-1-mini', 'gpt-image-1.5'])

// "Image generation" guide, cost and latency.
const TABLE: Readonly<Record<string, Readonly<Partial<Record<Quality, number>>>>> = {
  '1024x1024': { LOW: 272, MEDIUM: 1056, HIGH: 4160 },
  '1024x1536': { LOW: 408, MEDIUM: 1584, HIGH: 6240 },
  '1536x1024': { LOW: 400, MEDIUM: 1568, HIGH: 6208 },
}

const LONG_EDGE_PATCHES: Readonly<Partial<Record<Quality, number>>> = { LOW: 16, MEDIUM: 48, HIGH: 96 }

/** Per image. Null without a published rule: 2.5 family, DALL·E, AUTO, other sizes. */
export function outputImageTokens(
  model: string,
  quality: Quality,
  width: number,
  height: number,
): number | null {
  if (TABLE_MODELS.has(model)) return TABLE[`${width}x${height}`]?.[quality] ?? null
  if (model !== 'gpt-image-2' && !/^gpt-image-2-\d/.test(model)) return null
  const long = LONG_EDGE_PATCHES[quality]
  return long === undefined ? null : patchFormula(long, width, height)
}

/** Per image: as configured, else by the published rule of the model. Null without either. */
export function offeredImageTokens(
  { model, price }: Pick<Offer, 'model' | 'price'>,
  quality: Quality,
  width: number,
  height: number,
): number | null {
  const configured = price && 'imageTokens' in price ? (price.imageTokens ?? []) : []
  const match = configured.find((entry) => covers(entry, { size: `${width}x${height}`, quality }))
  return match?.tokens ?? outputImageTokens(model, quality, width, height)
}

function covers(entry: ImageTokens, { size, quality }: Pick<Settings, 'size' | 'quality'>): boolean {
  return (
    (entry.size === undefined || entry.size === size) &&
    (entry.quality === undefined || entry.quality === quality)
  )
}

/** Whether a request may become what the entry describes. */
function mayBe(entry: ImageTokens, { size, quality }: Pick<Settings, 'size' | 'quality'>): boolean {
  return covers(entry, {
    size: size === 'auto' ? (entry.size ?? size) : size,
    quality: quality === 'AUTO' ? (entry.quality ?? quality) : quality,
  })
}

// By users (community.openai.com/t/1382699). Agrees with all published image prices.
function patchFormula(long: number, width: number, height: number): number {
  const longest = Math.max(width, height)
  const shortest = Math.min(width, height)
  const short = Math.floor((2 * long * shortest + longest) / (2 * longest))
  return Math.ceil((long * short * (2_000_000 + width * height)) / 4_000_000)
}

const PATCH_EDGE = 32
const MAX_PATCHES = 1536
const MIN_LONGEST = 1024
const MAX_RATIO = 3

/** Per image, by users (community.openai.com). */
export function inputImageTokens(width: number, height: number): number {
  const longest = Math.max(width, height, MIN_LONGEST)
  const ratio = Math.min(Math.max(width, height) / Math.min(width, height), MAX_RATIO)
  const patches = Math.ceil(longest / PATCH_EDGE) * Math.ceil(longest / ratio / PATCH_EDGE)
  return Math.min(patches, MAX_PATCHES)
}

/** Estimate: four Latin letters or one other character per token, plus 7 per prompt. */
export function textTokens(prompt: string): number {
  let quarters = 0
  for (const character of prompt) quarters += (character.codePointAt(0) ?? 0) < 0x0250 ? 1 : 4
  return 7 + Math.ceil(quarters / 4)
}

export interface TokenRequest extends Pick<Settings, 'prompt' | 'size' | 'quality' | 'partialImages'> {
  /** Including the mask. */
  inputImages: number
  /** Of the price. */
  imageTokens?: readonly ImageTokens[] | undefined
}

export interface TokenLimit {
  inputText: number
  inputImage: number
  outputImage: number
}

/** Around a prompt; its tokens are at most its bytes. */
const MAX_WRAPPING_TOKENS = 32

/** gpt-image-1 at high fidelity ("Images and vision" guide). */
const MAX_INPUT_IMAGE_TOKENS = 6_240 + 65 + 8 * 129

/** 2880x2880 at high quality: the maximum of all rules. */
const MAX_OUTPUT_TOKENS = 23_719

const AUTO_SIZES = ['1024x1024', '1536x1024', '1024x1536']

/** Excess of gpt-image-1-mini's published prices over its tokens'. */
const MINI_SURCHARGE_TOKENS = 325

/** For `n` images. `auto` and models without a rule count as the most expensive. */
export function maxTokens(model: string, request: TokenRequest, n: number): TokenLimit {
  const { prompt, inputImages, partialImages } = request
  return {
    inputText: Buffer.byteLength(prompt) + MAX_WRAPPING_TOKENS,
    inputImage: inputImages * MAX_INPUT_IMAGE_TOKENS,
    outputImage: n * (maxOutputTokens(model, request) + partialImages * PARTIAL_IMAGE_TOKENS),
  }
}

function maxOutputTokens(model: string, request: TokenRequest): number {
  const { imageTokens = [] } = request
  const possible = imageTokens.filter((entry) => mayBe(entry, request)).map(({ tokens }) => tokens)
  // What `auto` becomes may be in no entry.
  if (imageTokens.some((entry) => covers(entry, request))) return Math.max(...possible)
  return Math.max(maxByRule(model, request), ...possible)
}

function maxByRule(model: string, { size, quality }: TokenRequest): number {
  const sizes = size === 'auto' ? AUTO_SIZES : [size]
  const qualities: readonly Quality[] = quality === 'AUTO' ? ['LOW', 'MEDIUM', 'HIGH'] : [quality]
  const tokens = sizes.flatMap((one) => {
    const { width, height } = parseSize(one)!
    return qualities.map((value) => outputImageTokens(model, value, width, height) ?? MAX_OUTPUT_TOKENS)
  })
  return Math.max(...tokens) + (model === 'gpt-image-1-mini' ? MINI_SURCHARGE_TOKENS : 0)
}
