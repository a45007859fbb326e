// How many tokens a picture or a prompt comes to, for estimates before sending and where an upstream reports nothing.
// What an upstream does report always wins over these numbers.
import type { Quality } from '../../domain.ts'

/** What each preview adds to the output image tokens of its picture ("Image generation" guide, streaming). */
export const PARTIAL_IMAGE_TOKENS = 100

const TABLE_MODELS = new Set(['gpt-image-1', 'gpt-image-1-mini', 'gpt-image-1.5'])

// "Image generation" guide, cost and latency.
const TABLE: Readonly<Record<string, Readonly<Partial<Record<Quality, number>>>>> = {
  '1024x1024': { LOW: 272, MEDIUM: 1056, HIGH: 4160 },
  '1024x1536': { LOW: 408, MEDIUM: 1584, HIGH: 6240 },
  '1536x1024': { LOW: 400, MEDIUM: 1568, HIGH: 6208 },
}

/** Patches along the long edge, from which the formula of gpt-image-2 starts. */
const LONG_EDGE_PATCHES: Readonly<Partial<Record<Quality, number>>> = { LOW: 16, MEDIUM: 48, HIGH: 96 }

/**
 * Output image tokens of one picture. Null where nobody knows: the 2.5 family (its counts differ and no rule is
 * published), DALL·E (billed per picture), quality AUTO, and sizes outside of a model's table.
 */
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

// Found by users (community.openai.com/t/1382699), not documented; it agrees with every published per-picture price.
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

/**
 * Input image tokens of one picture: an estimate by the rule that users found (community.openai.com), which OpenAI does
 * not document: patches of 32 px, small pictures scaled up to 1024 px, ratios clamped to 3:1, at most 1,536 patches.
 */
export function inputImageTokens(width: number, height: number): number {
  const longest = Math.max(width, height, MIN_LONGEST)
  const ratio = Math.min(Math.max(width, height) / Math.min(width, height), MAX_RATIO)
  const patches = Math.ceil(longest / PATCH_EDGE) * Math.ceil(longest / ratio / PATCH_EDGE)
  return Math.min(patches, MAX_PATCHES)
}

/**
 * Text tokens of a prompt: an estimate. Tokenizers of this family average four Latin letters to a token, while most
 * characters of Chinese, Japanese or Korean are one each; 7 stand for the wrapping around a prompt.
 */
export function textTokens(prompt: string): number {
  let quarters = 0
  for (const character of prompt) quarters += (character.codePointAt(0) ?? 0) < 0x0250 ? 1 : 4
  return 7 + Math.ceil(quarters / 4)
}
