import { z } from 'zod'
import { callOptions, credential, httpUrl, pollMs, unbilledFailures } from '../images-api/options.ts'
import { GPT_IMAGE_2_SIZES } from '../models/catalogue.ts'
import { modelsOption, offersByPage } from '../models/offers.ts'
import type { Capabilities, Offer } from '../provider.ts'
import { SHAPES } from './sizes.ts'

export const jimmyOptions = z.strictObject({
  /** The path up to `/images`. Older accounts are at https://www.jimiai.com. */
  baseUrl: httpUrl.default('https://www.jimmyai.cn/api/open-api/v1'),
  apiKey: credential,
  /** No page publishes prices. */
  models: modelsOption.default(['gpt-image-2']),
  /** The page asks for a timeout of at least 180 s. */
  ...callOptions,
  pollMs,
  /** `async` polls a task. `auto` does where a task can express the request, since its id outlives a crash. */
  mode: z.enum(['auto', 'sync', 'async']).default('auto'),
  /** Sent for AUTO. The page's default is `low`; the price depends on it. */
  autoQuality: z.enum(['low', 'medium', 'high', 'auto']).default('low'),
  /** `size` on the page; `ratio` in the maker's newer clients, which also send `quality`. */
  taskFields: z.enum(['size', 'ratio']).default('size'),
  unbilledFailures,
})

export type JimmyOptions = z.output<typeof jimmyOptions>

export function offersOf({ models, mode, taskFields }: JimmyOptions): Offer[] {
  const task = { ...SYNC, ...TASK, ...(taskFields === 'ratio' && { qualities: SYNC.qualities }) }
  return offersByPage(models, () => (mode === 'async' ? task : SYNC))
}

// "Text-to-Image (Sync)" and "Image Edit (Sync)", which limit neither size nor prompt: gpt-image-2's limits apply.
const SYNC: Capabilities = {
  operations: ['GENERATE', 'EDIT'],
  sizes: GPT_IMAGE_2_SIZES,
  qualities: ['AUTO', 'LOW', 'MEDIUM', 'HIGH'],
  backgrounds: ['AUTO', 'OPAQUE', 'TRANSPARENT'],
  moderations: ['AUTO'],
  outputFormats: ['PNG', 'JPEG', 'WEBP'],
  outputCompression: false,
  inputFidelities: [],
  styles: [],
  maxN: 1,
  maxInputImages: 16,
  mask: true,
  maxPartialImages: 0,
  user: false,
  maxPromptLength: 32_000,
}

// "Create Image Task".
const TASK: Partial<Capabilities> = {
  sizes: { kind: 'list', auto: true, values: Object.keys(SHAPES).filter((size) => size !== 'auto') },
  qualities: ['AUTO'],
  backgrounds: ['AUTO'],
  outputFormats: ['PNG'],
  mask: false,
}
