import { createHash } from 'node:crypto'
import { z } from 'zod'
import {
  BACKGROUNDS,
  COMPLEXITIES,
  INPUT_FIDELITIES,
  MODERATIONS,
  OPERATIONS,
  OUTPUT_FORMATS,
  QUALITIES,
  STYLES,
  SVG_EFFORTS,
} from '../../domain.ts'
import type { Capabilities, Offer, Price } from '../provider.ts'
import { findModel, NO_LATER_CAPABILITIES } from './catalogue.ts'

export const MAX_FRAMES = 1000
/** A GIF has 16 bits for hundredths of a second. */
export const MAX_FRAME_DURATION_MS = 655_350
export const EXTRA_NAME = /^[A-Za-z][\w.-]{0,63}$/

// The whole text of an SVG is output; its reference image and instructions are input.
const DEFAULT_MAX_SVG_INPUT_TOKENS = 64_000
const DEFAULT_MAX_SVG_OUTPUT_TOKENS = 128_000

/** Fields of dialects in any spelling. */
const RESERVED = new Set(
  (
    'model prompt n size quality background moderation outputformat outputcompression inputfidelity style user ' +
    'safetyidentifier complexity framecount framedurationms svg stream partialimages responseformat image images mask ' +
    'markup async callbackurl traceid ratio resolution'
  ).split(' '),
)

/** Counts over ten times the maximum of the published rules are dropped from results. */
const MAX_IMAGE_TOKENS = 200_000

const count = z.int().nonnegative()
const sizes = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('list'), auto: z.boolean(), values: z.array(z.string()) }),
  z.strictObject({
    kind: z.literal('rule'),
    auto: z.boolean(),
    multipleOf: z.int().positive(),
    maxEdge: z.int().positive(),
    maxRatio: z.number().positive(),
    minPixels: count,
    maxPixels: z.int().positive(),
  }),
])

const boundedByFormat = {
  operations: z.array(z.enum(OPERATIONS)).min(1),
  sizes,
  qualities: z.array(z.enum(QUALITIES)),
  backgrounds: z.array(z.enum(BACKGROUNDS)),
  outputCompression: z.boolean(),
  maxN: z.int().min(1).max(10),
  maxInputImages: count,
  mask: z.boolean(),
  markup: z.boolean(),
  maxPartialImages: z.int().min(0).max(3),
}

const animation = z.strictObject({
  minFrames: z.int().positive(),
  maxFrames: z.int().positive().max(MAX_FRAMES),
  defaultFrames: z.int().positive().max(MAX_FRAMES),
  frameStepMs: z.int().positive(),
  maxFrameMs: z.int().positive().max(MAX_FRAME_DURATION_MS),
})
const svg = z.strictObject({
  models: z.array(z.string().min(1)).min(1).nullable(),
  efforts: z.array(z.enum(SVG_EFFORTS)),
})

/** Of the JSON or form, beside those that Darkroom sends. */
export const extraNames = z.array(
  z
    .string()
    .regex(EXTRA_NAME, 'must be 1 to 64 letters, digits, dots, dashes or underscores')
    .refine((name) => !RESERVED.has(name.replaceAll('_', '').toLowerCase()), 'is sent by Darkroom itself'),
)

const capabilities = z
  .strictObject({
    ...boundedByFormat,
    moderations: z.array(z.enum(MODERATIONS)),
    outputFormats: z.array(z.enum(OUTPUT_FORMATS)).min(1),
    inputFidelities: z.array(z.enum(INPUT_FIDELITIES)),
    styles: z.array(z.enum(STYLES)),
    complexities: z.array(z.enum(COMPLEXITIES)),
    user: z.boolean(),
    safetyIdentifier: z.boolean(),
    maxPromptLength: z.int().positive(),
    animation: animation.nullable(),
    svg: svg.nullable(),
    formatRules: z.partialRecord(z.enum(OUTPUT_FORMATS), z.strictObject(boundedByFormat).partial()),
    extra: extraNames,
  })
  .partial()

const imageSettings = z.strictObject({ size: z.string().optional(), quality: z.enum(QUALITIES).optional() })
const version = z.string().min(1).optional()

const price = z
  .union([
    z.strictObject({
      inputTextMicros: count,
      inputImageMicros: count.nullable().default(null),
      outputImageMicros: count,
      outputTextMicros: count.nullable().default(null),
      imageTokens: z.array(imageSettings.extend({ tokens: count.max(MAX_IMAGE_TOKENS) })).optional(),
      version,
    }),
    z.strictObject({
      imageMicros: count,
      bySettings: z.array(imageSettings.extend({ imageMicros: count })).default([]),
      version,
    }),
  ])
  .transform(({ version: configured, ...figures }) => ({
    ...figures,
    version: configured ?? `configured-${hashOf(figures)}`,
  }))

/** By the name of the author. */
export const svgPrices = z.record(
  z.string().min(1),
  z
    .strictObject({
      inputMicros: count,
      outputMicros: count,
      maxInputTokens: z.int().positive().default(DEFAULT_MAX_SVG_INPUT_TOKENS),
      maxOutputTokens: z.int().positive().default(DEFAULT_MAX_SVG_OUTPUT_TOKENS),
      version,
    })
    .transform(({ version: configured, ...figures }) => ({
      ...figures,
      version: configured ?? `configured-${hashOf(figures)}`,
    })),
)

function hashOf(figures: object): string {
  return createHash('sha256').update(JSON.stringify(figures)).digest('hex').slice(0, 8)
}

export const modelsOption = z
  .array(
    z.union([
      z.string().min(1),
      z.strictObject({
        name: z.string().min(1),
        upstreamModel: z.string().min(1).optional(),
        capabilities: capabilities.optional(),
        price: price.nullable().optional(),
        retiresOn: z.iso.date().nullable().optional(),
        successor: z.string().min(1).nullable().optional(),
      }),
    ]),
  )
  .min(1)

export type ModelsOption = z.infer<typeof modelsOption>
type ModelEntry = Exclude<ModelsOption[number], string>

/** Precedence: configuration, a reseller's `page` and `prices`, catalogue. Catalogue prices and dates are not a reseller's. */
export function offersFrom(
  models: ModelsOption,
  page?: (model: string) => Partial<Capabilities>,
  prices: ReadonlyMap<string, Price> = new Map(),
): Offer[] {
  return models.map((model) => {
    const {
      name,
      upstreamModel = name,
      ...entry
    }: ModelEntry = typeof model === 'string' ? { name: model } : model
    const published = findModel(name)
    const listPrice = (page ? prices.get(name) : published?.price) ?? null
    const configured = Object.entries(entry.capabilities ?? {}).filter(([, value]) => value !== undefined)
    return {
      model: name,
      upstreamModel,
      capabilities: {
        ...(published?.capabilities ?? COMMON),
        ...page?.(name),
        ...Object.fromEntries(configured),
      },
      price: entry.price === undefined ? listPrice : entry.price,
      svgPrices: {},
      retiresOn: entry.retiresOn === undefined ? (published?.retiresOn ?? null) : entry.retiresOn,
      ...(page && entry.retiresOn === undefined && { endsElsewhere: true }),
      successor: entry.successor === undefined ? (published?.successor ?? null) : entry.successor,
    }
  })
}

/** What an account's entry sets for all of its models. A model's own list of extra parameters stays. */
export function forAccount(
  offers: readonly Offer[],
  {
    extra = [],
    svgPrices: prices = {},
  }: { extra?: readonly string[] | undefined; svgPrices?: Offer['svgPrices'] | undefined },
): Offer[] {
  return offers.map((offer) => {
    const own = offer.capabilities.extra
    return {
      ...offer,
      svgPrices: { ...offer.svgPrices, ...prices },
      capabilities: { ...offer.capabilities, extra: own.length > 0 ? own : extra },
    }
  })
}

/** Only size, n and prompt. */
export const TEXT_TO_IMAGE = {
  operations: ['GENERATE'],
  qualities: ['AUTO'],
  backgrounds: ['AUTO'],
  moderations: ['AUTO'],
  outputFormats: ['PNG'],
  outputCompression: false,
  inputFidelities: [],
  styles: [],
  maxInputImages: 0,
  mask: false,
  maxPartialImages: 0,
  user: false,
  ...NO_LATER_CAPABILITIES,
} satisfies Partial<Capabilities>

const COMMON: Capabilities = {
  ...TEXT_TO_IMAGE,
  sizes: { kind: 'list', auto: true, values: ['1024x1024'] },
  maxN: 1,
  maxPromptLength: 4000,
}
