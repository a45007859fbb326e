import { z } from 'zod'
import { callOptions, credential, httpUrl, pollMs, unbilledFailures } from '../images-api/options.ts'
import { GPT_IMAGE_2_SIZES } from '../models/catalogue.ts'
import { modelsOption, offersByPage } from '../models/offers.ts'
import type { Capabilities, Offer } from '../provider.ts'

export const acedataOptions = z.strictObject({
  /** The path up to `/images` and `/tasks`. */
  baseUrl: httpUrl.default('https://api.acedata.cloud/openai'),
  apiKey: credential,
  /** Of the Images pages, whose prices differ. */
  models: modelsOption.default([
    'gpt-image-2',
    'gpt-image-2.5-flare',
    'gpt-image-2.5-sunburst',
    'gpt-image-1.5',
    'gpt-image-1',
    'dall-e-3',
  ]),
  /** Images of 3840x2160 take four to eight minutes. */
  ...callOptions,
  /** Checks are free. */
  pollMs,
  /** `pollMs` where a callback is expected: no page says that a failed one is repeated. */
  callbackPollMs: z.int().positive().default(30_000),
  /**
   * `async` polls. `auto` creates a task, since only tasks are on record, with a callback where this server is
   * reachable.
   */
  mode: z.enum(['auto', 'sync', 'async', 'callback']).default('auto'),
  /** Where the model takes it. Base64 is for one image only. */
  responseFormat: z.enum(['url', 'b64_json']).default('url'),
  unbilledFailures,
})

export type AcedataOptions = z.output<typeof acedataOptions>

export function offersOf({ models }: AcedataOptions): Offer[] {
  return offersByPage(models, (model) => FAMILIES.find(([name]) => model.startsWith(name))?.[1] ?? {})
}

// "Images Generations" and "Images Edits". They do not say how previews arrive, and list `transparent` for all GPT
// image models. gpt-image-2 has refused it since its preview ended.
const GPT_1: Capabilities = {
  operations: ['GENERATE', 'EDIT'],
  sizes: { kind: 'list', auto: true, values: ['1024x1024', '1536x1024', '1024x1536'] },
  qualities: ['AUTO', 'LOW', 'MEDIUM', 'HIGH'],
  backgrounds: ['AUTO', 'OPAQUE', 'TRANSPARENT'],
  moderations: ['AUTO', 'LOW'],
  outputFormats: ['PNG', 'JPEG', 'WEBP'],
  outputCompression: true,
  inputFidelities: ['HIGH', 'LOW'],
  styles: [],
  maxN: 10,
  maxInputImages: 16,
  mask: true,
  maxPartialImages: 0,
  user: false,
  maxPromptLength: 32_000,
}

const GPT_2_5: Capabilities = {
  ...GPT_1,
  sizes: GPT_IMAGE_2_SIZES,
  // Inputs always have high fidelity.
  inputFidelities: [],
}

// The pages restrict edits, background, moderation and format to GPT image models.
const DALL_E_3: Capabilities = {
  ...GPT_1,
  operations: ['GENERATE'],
  sizes: { kind: 'list', auto: true, values: ['1024x1024', '1792x1024', '1024x1792'] },
  qualities: ['AUTO', 'STANDARD', 'HD'],
  backgrounds: ['AUTO'],
  moderations: ['AUTO'],
  outputFormats: ['PNG'],
  outputCompression: false,
  inputFidelities: [],
  styles: ['VIVID', 'NATURAL'],
  maxN: 1,
  maxInputImages: 0,
  mask: false,
  maxPromptLength: 4000,
}

const DALL_E_2: Capabilities = {
  ...DALL_E_3,
  sizes: { kind: 'list', auto: true, values: ['256x256', '512x512', '1024x1024'] },
  qualities: ['AUTO', 'STANDARD'],
  styles: [],
  maxN: 10,
  maxPromptLength: 1000,
}

/** By the beginning of the model's name; the first match applies. */
const FAMILIES: readonly [string, Capabilities][] = [
  ['gpt-image-2.5', GPT_2_5],
  ['gpt-image-2', { ...GPT_2_5, backgrounds: ['AUTO', 'OPAQUE'] }],
  ['gpt-image-1', GPT_1],
  ['dall-e-3', DALL_E_3],
  ['dall-e-2', DALL_E_2],
]
