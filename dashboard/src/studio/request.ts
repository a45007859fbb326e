// The form as the input of `quote` and `generateImage`. Settings that do not apply to the format are left out.
import type { GenerateImageInput, QuoteInput } from '../api/generated.ts'
import { moreInputOf, moreObstacleOf } from './more.ts'
import { withoutImpossible, type Rules } from './rules.ts'
import type { StudioSettings } from './settings.ts'

type SharedInput = Omit<GenerateImageInput, 'images' | 'mask' | 'markup' | 'idempotencyKey'>

export interface Inputs {
  imageCount: number
  mask: boolean
  markup: boolean
}

/** Without files and key. Impossible values are not in it. */
export function requestOf(prompt: string, settings: StudioSettings, rules: Rules): SharedInput {
  const sent = withoutImpossible(settings, rules.impossible)
  const { model, provider, size, quality, background, moderation, outputFormat, n, partialImages } = sent
  const partials = Math.min(partialImages, rules.partialImages?.max ?? 0)
  const hasFrames = rules.frames && (sent.frames !== null || sent.frameDurationMs !== null)
  return {
    prompt: prompt.trim(),
    model,
    size,
    n,
    ...(provider !== undefined && { providers: [provider] }),
    ...(quality !== 'AUTO' && { quality }),
    ...(background !== 'AUTO' && { background }),
    ...(moderation !== 'AUTO' && { moderation }),
    ...(outputFormat !== 'PNG' && { outputFormat }),
    ...(partials > 0 && { partialImages: partials }),
    ...(rules.outputCompression &&
      sent.outputCompression !== null && { outputCompression: sent.outputCompression }),
    ...(rules.inputFidelity && sent.inputFidelity !== null && { inputFidelity: sent.inputFidelity }),
    ...(sent.style !== null && { style: sent.style }),
    ...(sent.complexity !== null && { complexity: sent.complexity }),
    ...(hasFrames && {
      animation: {
        ...(sent.frames !== null && { frames: sent.frames }),
        ...(sent.frameDurationMs !== null && { frameDurationMs: sent.frameDurationMs }),
      },
    }),
    ...(rules.svg &&
      sent.svgModel !== '' && {
        svg: { model: sent.svgModel, ...(sent.svgEffort !== null && { effort: sent.svgEffort }) },
      }),
    ...moreInputOf(sent, namesOf(rules)),
  }
}

function namesOf({ extra }: Rules): readonly string[] {
  return extra?.options.map(({ value }) => value) ?? []
}

export function quoteInputOf(request: SharedInput, { imageCount, mask, markup }: Inputs): QuoteInput {
  const { callbackUrl: _, maxCharges: _1, metadata: _2, onUnknownOutcome: _3, ...settings } = request
  return {
    ...settings,
    ...(imageCount > 0 && { imageCount }),
    ...(mask && { mask }),
    ...(markup && { markup }),
  }
}

/** Why nothing can be sent. Undefined if it can. */
export function obstacleOf(
  prompt: string,
  rules: Rules,
  settings: StudioSettings,
  inputs: Inputs,
): string | undefined {
  const { model } = settings
  const { imageCount, mask, markup } = inputs
  const length = Array.from(prompt.trim()).length
  if (length === 0) return 'Describe the picture.'
  if (length > rules.maxPromptLength)
    return `The prompt has ${length.toLocaleString('en')} characters; ${model} takes ${rules.maxPromptLength.toLocaleString('en')}.`
  if (imageCount === 0 && !rules.canGenerate) return `${model} only edits images. Add one.`
  if (imageCount > 0 && rules.maxImages === 0)
    return `${model} does not edit images. Remove them, or choose another model.`
  if (imageCount > rules.maxImages)
    return `${model} takes ${rules.maxImages === 1 ? 'one image' : `${rules.maxImages} images`}; there are ${imageCount}.`
  if (mask && !rules.mask) return `${model} does not take a mask here. Clear it, or choose another model.`
  if (markup && !rules.markup)
    return `${model} does not take markup here. Remove it, or choose another model.`
  if (mask && markup) return 'A mask and markup cannot be combined. Remove one of them.'
  return moreObstacleOf(settings, namesOf(rules))
}
