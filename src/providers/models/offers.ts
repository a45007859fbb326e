import { createHash } from 'node:crypto'
import { z } from 'zod'
import {
  BACKGROUNDS,
  INPUT_FIDELITIES,
  MODERATIONS,
  OPERATIONS,
  OUTPUT_FORMATS,
  QUALITIES,
  STYLES,
} from '../../domain.ts'
import { findModel } from './catalogue.ts'
import type { Capabilities, Offer } from '../provider.ts'

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

const capabilities = z
  .strictObject({
    operations: z.array(z.enum(OPERATIONS)).min(1),
    sizes,
    qualities: z.array(z.enum(QUALITIES)),
    backgrounds: z.array(z.enum(BACKGROUNDS)),
    moderations: z.array(z.enum(MODERATIONS)),
    outputFormats: z.array(z.enum(OUTPUT_FORMATS)).min(1),
    outputCompression: z.boolean(),
    inputFidelities: z.array(z.enum(INPUT_FIDELITIES)),
    styles: z.array(z.enum(STYLES)),
    maxN: z.int().min(1).max(10),
    maxInputImages: count,
    mask: z.boolean(),
    maxPartialImages: z.int().min(0).max(3),
    user: z.boolean(),
    maxPromptLength: z.int().positive(),
  })
  .partial()

const version = z.string().min(1).optional()

const anyPrice = z.union([
  z.strictObject({
    inputTextMicros: count,
    inputImageMicros: count.nullable().default(null),
    outputImageMicros: count,
    outputTextMicros: count.nullable().default(null),
    version,
  }),
  z.strictObject({
    imageMicros: count,
    bySettings: z
      .array(
        z.strictObject({
          size: z.string().optional(),
          quality: z.enum(QUALITIES).optional(),
          imageMicros: count,
        }),
      )
      .default([]),
    version,
  }),
])

/** A hash of the figures stands for a missing version: changed figures have another one. */
const price = anyPrice.transform(({ version: configured, ...figures }) => ({
  ...figures,
  version:
    configured ??
    `configured-${createHash('sha256').update(JSON.stringify(figures)).digest('hex').slice(0, 8)}`,
}))

/** A provider's `models`: names, or names with what differs from the catalogue. */
export const modelsOption = z
  .array(
    z.union([
      z.string().min(1),
      z.strictObject({
        name: z.string().min(1),
        upstreamModel: z.string().min(1).optional(),
        capabilities: capabilities.optional(),
        price: price.nullable().optional(),
      }),
    ]),
  )
  .min(1)

export type ModelsOption = z.infer<typeof modelsOption>

/** By the configuration, else by the catalogue. A model in neither has no price and only common capabilities. */
export function offersFrom(models: ModelsOption): Offer[] {
  return models.map((model) => {
    const entry = typeof model === 'string' ? { name: model } : model
    const published = findModel(entry.name)
    return {
      model: entry.name,
      upstreamModel: entry.upstreamModel ?? entry.name,
      capabilities: override(published?.capabilities ?? COMMON, entry.capabilities),
      price: (entry.price === undefined ? published?.price : entry.price) ?? null,
      retiresOn: published?.retiresOn ?? null,
    }
  })
}

/**
 * Offers of a reseller: by the configuration, else by its page, else by the catalogue. Only configured prices apply:
 * those of the catalogue are the maker's.
 */
export function offersByPage(models: ModelsOption, page: (model: string) => Partial<Capabilities>): Offer[] {
  return models.flatMap((model) => {
    const entry = typeof model === 'string' ? { name: model } : model
    const { capabilities: configured, ...rest } = entry
    return offersFrom([{ ...rest, price: entry.price ?? null }]).map((offer) => ({
      ...offer,
      capabilities: override({ ...offer.capabilities, ...page(entry.name) }, configured),
    }))
  })
}

function override(base: Capabilities, changes: z.infer<typeof capabilities> = {}): Capabilities {
  return {
    ...base,
    ...Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined)),
  }
}

/** Text to image with no settings but size, n and prompt. */
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
} satisfies Partial<Capabilities>

const COMMON: Capabilities = {
  ...TEXT_TO_IMAGE,
  sizes: { kind: 'list', auto: true, values: ['1024x1024'] },
  maxN: 1,
  maxPromptLength: 4000,
}
