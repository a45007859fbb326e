import { z } from 'zod'
import { OPERATIONS } from '../../domain.ts'
import { DEFAULT_INPUT } from '../../engine/tasks/input.ts'
import { describeSizes } from '../../engine/routing/match.ts'
import { expectedMicros } from '../../engine/usage/expected-cost.ts'
import type { Offer, Provider } from '../../providers/provider.ts'
import { COST, toCost } from './task-result.ts'
import { defineTool, toWord, wordsOf } from './tool.ts'

const MODEL = z.object({
  model: z.string().describe('For `model` of generate_image.'),
  provider: z.string().describe('For `providers` of generate_image.'),
  operations: z.array(wordsOf(OPERATIONS)).describe('"edit" for edit_image.'),
  sizes: z.string(),
  qualities: z.array(z.string()),
  backgrounds: z.array(z.string()).describe('Empty if it cannot be chosen.'),
  output_formats: z.array(z.string()),
  max_input_images: z.int(),
  mask: z.boolean(),
  markup: z.boolean(),
  complexities: z.array(z.string()).describe('Empty if it cannot be chosen.'),
  animation: z
    .object({ min_frames: z.int(), max_frames: z.int(), max_frame_duration_ms: z.int() })
    .nullable()
    .describe('Of a gif.'),
  svg: z
    .object({
      models: z.array(z.string()).nullable().describe('For svg.model. Null if they are not known.'),
      efforts: z.array(z.string()),
    })
    .nullable(),
  max_prompt_length: z.int().describe('In characters.'),
  usual_cost: COST.describe(
    'Of one image of 1024x1024 in medium quality, or the nearest. estimate_cost is exact.',
  ),
  retires_on: z.string().nullable(),
})

export const listModels = defineTool({
  name: 'list_models',
  description:
    'Lists the image models with their sizes, qualities and usual cost, by provider. Call it before you set model, size or ' +
    'quality. Costs nothing.',
  scope: 'READ',
  annotations: { title: 'List image models', readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({
    operation: wordsOf(OPERATIONS).optional().describe('Only models that can do this.'),
  }),
  output: z.object({ models: z.array(MODEL) }),
  async run({ operation }, { context }) {
    const models = context.providers
      .flatMap((provider) => provider.offers.map((offer) => toModel(provider, offer)))
      .filter(({ operations }) => operation === undefined || operations.includes(operation))
    return { text: models.map(toLine).join('\n') || 'No model was found.', data: { models } }
  },
})

function toModel({ name }: Provider, offer: Offer) {
  const { capabilities: can, model, retiresOn } = offer
  const request = { ...DEFAULT_INPUT, prompt: 'an image', images: [], mask: null }
  return {
    model,
    provider: name,
    operations: can.operations.map(toWord),
    sizes: describeSizes(can.sizes),
    qualities: can.qualities.map(toWord),
    backgrounds: can.backgrounds.map(toWord),
    output_formats: can.outputFormats.map(toWord),
    max_input_images: can.maxInputImages,
    mask: can.mask,
    markup: can.markup,
    complexities: can.complexities.map(toWord),
    animation: can.animation && {
      min_frames: can.animation.minFrames,
      max_frames: can.animation.maxFrames,
      max_frame_duration_ms: can.animation.maxFrameMs,
    },
    svg: can.svg && { models: can.svg.models && [...can.svg.models], efforts: can.svg.efforts.map(toWord) },
    max_prompt_length: can.maxPromptLength,
    usual_cost: toCost(expectedMicros(request, offer, 1)),
    retires_on: retiresOn,
  }
}

function toLine({
  model,
  provider,
  operations,
  sizes,
  qualities,
  output_formats: formats,
  usual_cost: cost,
  ...more
}: ReturnType<typeof toModel>) {
  const retiring = more.retires_on === null ? '' : `; retires on ${more.retires_on}`
  return (
    `${model} at ${provider}: ${operations.join(' and ')}; sizes ${sizes}; qualities ${qualities.join(', ') || 'auto'}; ` +
    `formats ${formats.join(', ')}; ` +
    `usually ${cost.text} per image${retiring}`
  )
}
