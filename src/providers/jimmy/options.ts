import { z } from 'zod'
import { credential, httpUrl } from '../wire/account.ts'
import { modelsOption } from '../models/offers.ts'
import { offersByPage } from '../models/page-offers.ts'
import type { Capabilities, Offer } from '../provider.ts'
import { SHAPES } from './sizes.ts'

/** The entry of a `jimmy` provider in the configuration. */
export const jimmyOptions = z.strictObject({
  /** With the whole path up to `/images`. Older accounts are at https://www.jimiai.com. */
  baseUrl: httpUrl.default('https://www.jimmyai.cn/api/open-api/v1'),
  apiKey: credential,
  /** `gpt-image-2` by default. Prices are not published, so they are unknown unless told here. */
  models: modelsOption.default(['gpt-image-2']),
  /** Ten minutes by default. The page asks for 180 s at the least; giving up earlier may lose a paid picture. */
  timeoutMs: z.int().positive().default(600_000),
  /** A waiting call costs 40 KB, so the default only bounds what one accident can cost. */
  concurrency: z.int().positive().default(256),
  /** How long to wait before a task is asked about again. */
  pollMs: z.int().positive().default(5000),
  /**
   * `sync` waits for the picture; `async` creates a task and asks about it. `auto` creates a task wherever the order can
   * be said as one, since its id outlives a crash, and else waits.
   */
  mode: z.enum(['auto', 'sync', 'async']).default('auto'),
  /** What an order with quality AUTO is sent as. The page's own default is `low`, and the quality is what is billed. */
  autoQuality: z.enum(['low', 'medium', 'high', 'auto']).default('low'),
  /**
   * How a task's shape is named: the page says `size`; the maker's newer clients say `ratio`, and `quality` besides,
   * which the page does not know.
   */
  taskFields: z.enum(['size', 'ratio']).default('size'),
  /** True when the operator vouches that what failed is never billed; such orders may then be placed elsewhere. */
  unbilledFailures: z.boolean().default(false),
})

export type JimmyOptions = z.output<typeof jimmyOptions>

/** What such a provider serves: what the pages list, in the ways that the mode allows. */
export function offersOf({ models, mode, taskFields }: JimmyOptions): Offer[] {
  const task = { ...SYNC, ...TASK, ...(taskFields === 'ratio' && { qualities: SYNC.qualities }) }
  return offersByPage(models, () => (mode === 'async' ? task : SYNC))
}

// "Text-to-Image (Sync)" and "Image Edit (Sync)". They bound neither size nor prompt, so gpt-image-2's own rules hold.
const SYNC: Capabilities = {
  operations: ['GENERATE', 'EDIT'],
  sizes: {
    kind: 'rule',
    auto: true,
    multipleOf: 16,
    maxEdge: 3840,
    maxRatio: 3,
    minPixels: 655_360,
    maxPixels: 8_294_400,
  },
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
