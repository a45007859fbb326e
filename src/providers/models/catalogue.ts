// Defaults for a provider's configuration.
import type { Capabilities, SizeRule, TokenPrice } from '../provider.ts'

export interface CatalogueModel {
  name: string
  capabilities: Capabilities
  /** List price; null if billed per image. */
  price: TokenPrice | null
  /** ISO date, perhaps past; null without an announcement. */
  retiresOn: string | null
  asOf: string
  source: string
}

const SPEC = 'https://github.com/openai/openai-openapi'
const PRICES = 'https://platform.openai.com/docs/pricing'
const MODEL_PAGES = 'https://platform.openai.com/docs/models'
const DEPRECATIONS = 'https://platform.openai.com/docs/deprecations'

/** "Image generation" guide, sizes. */
export const GPT_IMAGE_2_SIZES: SizeRule = {
  kind: 'rule',
  auto: true,
  multipleOf: 16,
  maxEdge: 3840,
  maxRatio: 3,
  minPixels: 655_360,
  maxPixels: 8_294_400,
}
const CLASSIC_SIZES: SizeRule = { kind: 'list', auto: true, values: ['1024x1024', '1536x1024', '1024x1536'] }

export const GPT: Capabilities = {
  operations: ['GENERATE', 'EDIT'],
  sizes: CLASSIC_SIZES,
  qualities: ['AUTO', 'LOW', 'MEDIUM', 'HIGH'],
  backgrounds: ['AUTO', 'OPAQUE', 'TRANSPARENT'],
  moderations: ['AUTO', 'LOW'],
  outputFormats: ['PNG', 'JPEG', 'WEBP'],
  outputCompression: true,
  inputFidelities: [],
  styles: [],
  maxN: 10,
  maxInputImages: 16,
  mask: true,
  maxPartialImages: 3,
  user: true,
  maxPromptLength: 32_000,
}

// `input_fidelity` is refused; TRANSPARENT too, since 2026-10, when the preview of 2026-08 was withdrawn.
const GPT_2: Capabilities = { ...GPT, sizes: GPT_IMAGE_2_SIZES, backgrounds: ['AUTO', 'OPAQUE'] }

const GPT_2_5: Capabilities = {
  ...GPT,
  sizes: GPT_IMAGE_2_SIZES,
  qualities: [...GPT.qualities, 'XHIGH', 'MAX'],
}

export const GPT_1: Capabilities = { ...GPT, inputFidelities: ['HIGH', 'LOW'] }

// `auto` omits the field: 1024x1024.
const DALL_E: Capabilities = {
  ...GPT,
  qualities: ['AUTO', 'STANDARD'],
  backgrounds: ['AUTO'],
  moderations: ['AUTO'],
  outputFormats: ['PNG'],
  outputCompression: false,
  maxPartialImages: 0,
}

export const DALL_E_3: Capabilities = {
  ...DALL_E,
  operations: ['GENERATE'],
  sizes: { kind: 'list', auto: true, values: ['1024x1024', '1792x1024', '1024x1792'] },
  qualities: ['AUTO', 'STANDARD', 'HD'],
  styles: ['VIVID', 'NATURAL'],
  maxN: 1,
  maxInputImages: 0,
  mask: false,
  maxPromptLength: 4000,
}

export const DALL_E_2: Capabilities = {
  ...DALL_E,
  sizes: { kind: 'list', auto: true, values: ['256x256', '512x512', '1024x1024'] },
  maxInputImages: 1,
  maxPromptLength: 1000,
}

// Usage has no field for cached input, which is cheaper.
const GPT_2_PRICE: TokenPrice = {
  inputTextMicros: 5_000_000,
  inputImageMicros: 8_000_000,
  outputImageMicros: 30_000_000,
  // Disputed: some published tables lack text output.
  outputTextMicros: 10_000_000,
  version: 'openai-2026-07-24',
}

const GPT_2_5_PRICE: TokenPrice = { ...GPT_2_PRICE, outputTextMicros: null, version: 'openai-2026-10-06' }

const GPT_1_5_PRICE: TokenPrice = { ...GPT_2_PRICE, outputImageMicros: 32_000_000 }

const GPT_1_PRICE: TokenPrice = {
  inputTextMicros: 5_000_000,
  inputImageMicros: 10_000_000,
  outputImageMicros: 40_000_000,
  outputTextMicros: null,
  version: 'openai-2026-07-24',
}

const MINI_PRICE: TokenPrice = {
  ...GPT_1_PRICE,
  inputTextMicros: 2_000_000,
  inputImageMicros: 2_500_000,
  outputImageMicros: 8_000_000,
}

const CURRENT = { retiresOn: null, asOf: '2026-10-06', source: `${MODEL_PAGES}, ${PRICES}` }
const RETIRING = { asOf: '2026-08-21', source: `${SPEC}, ${PRICES}, ${DEPRECATIONS}` }

export const CATALOGUE: readonly CatalogueModel[] = [
  { name: 'gpt-image-2', capabilities: GPT_2, price: GPT_2_PRICE, ...CURRENT },
  { name: 'gpt-image-2-2026-04-21', capabilities: GPT_2, price: GPT_2_PRICE, ...CURRENT },
  { name: 'gpt-image-2.5-flare', capabilities: GPT_2_5, price: GPT_2_5_PRICE, ...CURRENT },
  { name: 'gpt-image-2.5-sunburst', capabilities: GPT_2_5, price: GPT_2_5_PRICE, ...CURRENT },
  { name: 'gpt-image-1.5', capabilities: GPT_1, price: GPT_1_5_PRICE, retiresOn: '2026-12-01', ...RETIRING },
  { name: 'gpt-image-1-mini', capabilities: GPT, price: MINI_PRICE, retiresOn: '2026-12-01', ...RETIRING },
  { name: 'gpt-image-1', capabilities: GPT_1, price: GPT_1_PRICE, retiresOn: '2026-10-23', ...RETIRING },
  { name: 'dall-e-3', capabilities: DALL_E_3, price: null, retiresOn: '2026-05-12', ...RETIRING },
  { name: 'dall-e-2', capabilities: DALL_E_2, price: null, retiresOn: '2026-05-12', ...RETIRING },
]

export function findModel(name: string): CatalogueModel | undefined {
  return CATALOGUE.find((model) => model.name === name)
}
