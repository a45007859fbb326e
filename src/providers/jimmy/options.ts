import { z } from 'zod'
import { callOptions, credential, httpUrl, pollMs, unbilledFailures } from '../images-api/options.ts'
import { GPT, GPT_IMAGE_2_SIZES } from '../models/catalogue.ts'
import { modelsOption, offersFrom } from '../models/offers.ts'
import type { Capabilities, Offer } from '../provider.ts'
import { SHAPES } from './sizes.ts'

export const jimmyOptions = z.strictObject({
  /** The path up to `/images`. Older accounts are at https://www.jimiai.com. */
  baseUrl: httpUrl.default('https://www.jimmyai.cn/api/open-api/v1'),
  apiKey: credential,
  models: modelsOption.default(['gpt-image-2']),
  ...callOptions,
  pollMs,
  /** `async` polls a task. `auto` does where a task can express the request, since it survives a crash. */
  mode: z.enum(['auto', 'sync', 'async']).default('auto'),
  /** Sent for AUTO; the price depends on it. */
  autoQuality: z.enum(['low', 'medium', 'high', 'auto']).default('low'),
  /** `size` on the page; `ratio` in the maker's newer clients, which also send `quality`. */
  taskFields: z.enum(['size', 'ratio']).default('size'),
  unbilledFailures,
})

export type JimmyOptions = z.output<typeof jimmyOptions>

export function offersOf({ models, mode, taskFields }: JimmyOptions): Offer[] {
  const task = { ...SYNC, ...TASK, ...(taskFields === 'ratio' && { qualities: SYNC.qualities }) }
  return offersFrom(models, () => (mode === 'async' ? task : SYNC))
}

// "Text-to-Image (Sync)" and "Image Edit (Sync)", which limit neither size nor prompt.
const SYNC: Capabilities = {
  ...GPT,
  sizes: GPT_IMAGE_2_SIZES,
  moderations: ['AUTO'],
  outputCompression: false,
  maxN: 1,
  maxPartialImages: 0,
  user: false,
}

// "Create Image Task".
const TASK: Partial<Capabilities> = {
  sizes: { kind: 'list', auto: true, values: Object.keys(SHAPES).filter((size) => size !== 'auto') },
  qualities: ['AUTO'],
  backgrounds: ['AUTO'],
  outputFormats: ['PNG'],
  mask: false,
}
