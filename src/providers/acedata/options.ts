import { z } from 'zod'
import { callOptions, credential, httpUrl, pollMs, unbilledFailures } from '../images-api/options.ts'
import { GPT_IMAGE_2_SIZES } from '../models/catalogue.ts'
import { modelsOption, offersByPage } from '../models/offers.ts'
import type { Capabilities, Offer } from '../provider.ts'

/** The entry of an `acedata` provider in the configuration. */
export const acedataOptions = z.strictObject({
  /** The path up to `/images` and `/tasks`. */
  baseUrl: httpUrl.default('https://api.acedata.cloud/openai'),
  apiKey: credential,
  /** Default: the models of the Images pages. Their prices differ from page to page, so none is assumed. */
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
  /** `pollMs` where a callback is expected: whether a failed callback is repeated is not documented. */
  callbackPollMs: z.int().positive().default(30_000),
  /**
   * `sync` waits for the image; `async` creates a task and polls it; `callback` creates a task and waits for its callback.
   * `auto` creates a task, since only tasks are on record: with a callback where upstreams can reach this server.
   */
  mode: z.enum(['auto', 'sync', 'async', 'callback']).default('auto'),
  /** Sent where the model takes it. Base64 works for one image; several come as links. */
  responseFormat: z.enum(['url', 'b64_json']).default('url'),
  unbilledFailures,
})

export type AcedataOptions = z.output<typeof acedataOptions>

/** The offers by family of model. Of a family that the pages do not describe, the catalogue's facts are used. */
export function offersOf({ models }: AcedataOptions): Offer[] {
  return offersByPage(models, (model) => FAMILIES.find(([name]) => model.startsWith(name))?.[1] ?? {})
}

// "Images Generations" and "Images Edits". They list `partial_images`, but not how previews arrive. They list `transparent`
// for all GPT image models; gpt-image-2 has refused it since its preview ended.
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

// Edits, background, moderation and format are described for GPT image models only.
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
