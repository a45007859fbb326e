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
import type { Capabilities, Offer } from '../provider.ts'
import { findModel } from './catalogue.ts'

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

const imageSettings = z.strictObject({ size: z.string().optional(), quality: z.enum(QUALITIES).optional() })
const version = z.string().min(1).optional()

const price = z
  .union([
    z.strictObject({
      inputTextMicros: count,
      inputImageMicros: count.nullable().default(null),
      outputImageMicros: count,
      outputTextMicros: count.nullable().default(null),
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
      }),
    ]),
  )
  .min(1)

export type ModelsOption = z.infer<typeof modelsOption>
type ModelEntry = Exclude<ModelsOption[number], string>

/** Precedence: configuration, a reseller's `page`, catalogue. Catalogue prices are not a reseller's. */
export function offersFrom(models: ModelsOption, page?: (model: string) => Partial<Capabilities>): Offer[] {
  return models.map((model) => {
    const {
      name,
      upstreamModel = name,
      ...entry
    }: ModelEntry = typeof model === 'string' ? { name: model } : model
    const published = findModel(name)
    const listPrice = page ? null : (published?.price ?? null)
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
      retiresOn: published?.retiresOn ?? null,
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
} satisfies Partial<Capabilities>

const COMMON: Capabilities = {
  ...TEXT_TO_IMAGE,
  sizes: { kind: 'list', auto: true, values: ['1024x1024'] },
  maxN: 1,
  maxPromptLength: 4000,
}
