import { z } from 'zod'
import { credential, httpUrl } from '../wire/account.ts'
import { modelsOption } from '../models/offers.ts'
import { offersByPage } from '../models/page-offers.ts'
import type { Capabilities, Offer } from '../provider.ts'

/** The entry of an `acedata` provider in the configuration. */
export const acedataOptions = z.strictObject({
  /** With the path up to `/images` and `/tasks`. */
  baseUrl: httpUrl.default('https://api.acedata.cloud/openai'),
  apiKey: credential,
  /** Default: the models of the Images pages. Prices differ from page to page, so they are unknown unless told here. */
  models: modelsOption.default([
    'gpt-image-2',
    'gpt-image-2.5-flare',
    'gpt-image-2.5-sunburst',
    'gpt-image-1.5',
    'gpt-image-1',
    'dall-e-3',
  ]),
  /** Ten minutes by default: pictures of 3840x2160 take four to eight. */
  timeoutMs: z.int().positive().default(600_000),
  /** A waiting call costs 40 KB, so the default only bounds what one accident can cost. */
  concurrency: z.int().positive().default(256),
  /** How long to wait before a task is asked about again. Asking is free. */
  pollMs: z.int().positive().default(5000),
  /** The same where a callback is expected: whether a failed callback is repeated is not documented. */
  callbackPollMs: z.int().positive().default(30_000),
  /**
   * `sync` waits for the picture, `async` makes a task and asks about it, and `callback` makes a task and is told. Only
   * tasks are on record there, so `auto` makes one: with a callback where upstreams can reach this server, else without.
   */
  mode: z.enum(['auto', 'sync', 'async', 'callback']).default('auto'),
  /** How pictures come where the model leaves the choice; base64 of one picture at a time only, links else. */
  responseFormat: z.enum(['url', 'b64_json']).default('url'),
  /** True when the operator vouches that what failed is never billed; such orders may then be placed elsewhere. */
  unbilledFailures: z.boolean().default(false),
})

export type AcedataOptions = z.output<typeof acedataOptions>

/** What such a provider serves, by family of model; little is claimed of the families that the pages do not describe. */
export function offersOf({ models }: AcedataOptions): Offer[] {
  return offersByPage(models, (model) => FAMILIES.find(([name]) => model.startsWith(name))?.[1] ?? {})
}

// "Images Generations" and "Images Edits". `partial_images` is listed, and nothing of how they would arrive; `transparent`
// is listed for all GPT image models, of which gpt-image-2 has refused it since its preview ended.
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
  sizes: {
    kind: 'rule',
    auto: true,
    multipleOf: 16,
    maxEdge: 3840,
    maxRatio: 3,
    minPixels: 655_360,
    maxPixels: 8_294_400,
  },
  // Inputs are always taken at high fidelity.
  inputFidelities: [],
}

// The page of edits names GPT image models only, and so do the descriptions of background, moderation and format.
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

/** The first name that begins the model's is its family. */
const FAMILIES: readonly [string, Capabilities][] = [
  ['gpt-image-2.5', GPT_2_5],
  ['gpt-image-2', { ...GPT_2_5, backgrounds: ['AUTO', 'OPAQUE'] }],
  ['gpt-image-1', GPT_1],
  ['dall-e-3', DALL_E_3],
  ['dall-e-2', DALL_E_2],
]
