import { z } from 'zod'
import { callOptions, credential, httpUrl, pollMs, unbilledFailures } from '../images-api/options.ts'
import { GPT, GPT_IMAGE_2_SIZES } from '../models/catalogue.ts'
import { modelsOption, offersFrom } from '../models/offers.ts'
import type { Capabilities, Offer } from '../provider.ts'

export const jimmyOptions = z.strictObject({
  /** Up to `/images`. Older accounts: https://www.jimiai.com. */
  baseUrl: httpUrl.default('https://www.jimmyai.cn/api/open-api/v1'),
  apiKey: credential,
  models: modelsOption.default(['gpt-image-2']),
  ...callOptions,
  pollMs,
  /** `auto` creates a task where one can express the request: it survives a crash. */
  mode: z.enum(['auto', 'sync', 'async']).default('auto'),
  autoQuality: z.enum(['low', 'medium', 'high', 'auto']).default('low'),
  /** `size` on the page; `ratio`, with `quality`, in the maker's newer clients. */
  taskFields: z.enum(['size', 'ratio']).default('size'),
  unbilledFailures,
})

export type JimmyOptions = z.output<typeof jimmyOptions>

export function offersOf({ models, mode, taskFields }: JimmyOptions): Offer[] {
  const task = { ...SYNC, ...TASK, ...(taskFields === 'ratio' && { qualities: SYNC.qualities }) }
  return offersFrom(models, () => (mode === 'async' ? task : SYNC))
}

// "Text-to-Image (Sync)" and "Image Edit (Sync)": neither size nor prompt limits.
const SYNC: Capabilities = {
  ...GPT,
  sizes: GPT_IMAGE_2_SIZES,
  moderations: ['AUTO'],
  outputCompression: false,
  maxN: 1,
  maxPartialImages: 0,
  user: false,
}

export interface Shape {
  ratio: string
  resolution: '1k' | '2k' | '4k'
}

/** Pairs of "Create Image Task"; their pixels from docs.apiyi.com and docs.uniall.ai. */
export const SHAPES: Readonly<Record<string, Shape>> = {
  auto: { ratio: 'auto', resolution: '1k' },
  '1024x1024': { ratio: '1:1', resolution: '1k' },
  '1536x1024': { ratio: '3:2', resolution: '1k' },
  '1024x1536': { ratio: '2:3', resolution: '1k' },
  '1024x768': { ratio: '4:3', resolution: '1k' },
  '768x1024': { ratio: '3:4', resolution: '1k' },
  '1280x1024': { ratio: '5:4', resolution: '1k' },
  '1024x1280': { ratio: '4:5', resolution: '1k' },
  '1536x864': { ratio: '16:9', resolution: '1k' },
  '864x1536': { ratio: '9:16', resolution: '1k' },
  '1536x512': { ratio: '3:1', resolution: '1k' },
  '512x1536': { ratio: '1:3', resolution: '1k' },
  '2048x2048': { ratio: '1:1', resolution: '2k' },
  '2048x1536': { ratio: '4:3', resolution: '2k' },
  '1536x2048': { ratio: '3:4', resolution: '2k' },
  '2048x1152': { ratio: '16:9', resolution: '2k' },
  '1152x2048': { ratio: '9:16', resolution: '2k' },
  '2048x1024': { ratio: '2:1', resolution: '2k' },
  '1024x2048': { ratio: '1:2', resolution: '2k' },
  '2048x864': { ratio: '21:9', resolution: '2k' },
  '864x2048': { ratio: '9:21', resolution: '2k' },
  '2880x2880': { ratio: '1:1', resolution: '4k' },
  '3840x2160': { ratio: '16:9', resolution: '4k' },
  '2160x3840': { ratio: '9:16', resolution: '4k' },
}

const TASK: Partial<Capabilities> = {
  sizes: { kind: 'list', auto: true, values: Object.keys(SHAPES).filter((size) => size !== 'auto') },
  qualities: ['AUTO'],
  backgrounds: ['AUTO'],
  outputFormats: ['PNG'],
  mask: false,
}
