import { z } from 'zod'
import { callOptions, credential, httpUrl, pollMs, unbilledFailures } from '../images-api/options.ts'
import { DALL_E_2, DALL_E_3, GPT_1, GPT_IMAGE_2_SIZES } from '../models/catalogue.ts'
import { modelsOption, offersFrom } from '../models/offers.ts'
import type { Capabilities, Offer } from '../provider.ts'

export const acedataOptions = z.strictObject({
  baseUrl: httpUrl.default('https://api.acedata.cloud/openai'),
  apiKey: credential,
  models: modelsOption.default([
    'gpt-image-2',
    'gpt-image-2.5-flare',
    'gpt-image-2.5-sunburst',
    'gpt-image-1.5',
    'gpt-image-1',
    'dall-e-3',
  ]),
  ...callOptions,
  pollMs,
  /** `pollMs` with a callback: no page says that failed ones are repeated. */
  callbackPollMs: z.int().positive().default(30_000),
  /** `auto` creates a task, with a callback where this server is reachable. */
  mode: z.enum(['auto', 'sync', 'async', 'callback']).default('auto'),
  /** Base64: one image only. */
  responseFormat: z.enum(['url', 'b64_json']).default('url'),
  unbilledFailures,
})

export type AcedataOptions = z.output<typeof acedataOptions>

export function offersOf({ models }: AcedataOptions): Offer[] {
  return offersFrom(models, (model) => FAMILIES.find(([name]) => model.startsWith(name))?.[1] ?? {})
}

// "Images Generations" and "Images Edits" do not say how partial images arrive; edits are for GPT image models.
const LACKING = { maxPartialImages: 0, user: false }
const GENERATE_ONLY = { ...LACKING, operations: ['GENERATE'], maxInputImages: 0, mask: false } as const
const GPT_1_HERE: Capabilities = { ...GPT_1, ...LACKING }
// Input fidelity is always high.
const GPT_2_5: Capabilities = { ...GPT_1_HERE, sizes: GPT_IMAGE_2_SIZES, inputFidelities: [] }

const FAMILIES: readonly [string, Capabilities][] = [
  ['gpt-image-2.5', GPT_2_5],
  ['gpt-image-2', { ...GPT_2_5, backgrounds: ['AUTO', 'OPAQUE'] }],
  ['gpt-image-1', GPT_1_HERE],
  ['dall-e-3', { ...DALL_E_3, ...GENERATE_ONLY }],
  ['dall-e-2', { ...DALL_E_2, ...GENERATE_ONLY }],
]
