// Defaults for a provider's configuration.
import { SVG_EFFORTS } from '../../domain.ts'
import type { Capabilities, FormatRule, SizeRule, TokenPrice } from '../provider.ts'

export interface CatalogueModel {
  name: string
  capabilities: Capabilities
  /** List price; null if billed per image. */
  price: TokenPrice | null
  /** ISO date, perhaps past; null without an announcement. */
  retiresOn: string | null
  /** Named by the maker; null without one. */
  successor: string | null
  asOf: string
  source: string
}

const SPEC = 'https://github.com/openai/openai-openapi'
const PRICES = 'https://platform.openai.com/docs/pricing'
const MODEL_PAGES = 'https://platform.openai.com/docs/models'
const DEPRECATIONS = 'https://platform.openai.com/docs/deprecations'
/** `resources/images.d.ts` of version 7.59.0. */
const SDK = 'https://www.npmjs.com/package/openai/v/7.59.0'

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

/** Of the reference in November 2026. */
export const NO_LATER_CAPABILITIES = {
  complexities: [],
  markup: false,
  safetyIdentifier: false,
  animation: null,
  svg: null,
  formatRules: {},
  extra: [],
} satisfies Partial<Capabilities>

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
  ...NO_LATER_CAPABILITIES,
}

/** At OpenAI itself: the reference restricts `safety_identifier` to no model. */
const OPENAI_GPT: Capabilities = { ...GPT, safetyIdentifier: true }

// The reference restricts `complexity` to no model; older ones are about to end.
const GPT_2_AND_LATER: Capabilities = {
  ...OPENAI_GPT,
  sizes: GPT_IMAGE_2_SIZES,
  complexities: ['LOW', 'MEDIUM', 'HIGH'],
}

// `input_fidelity` is refused; TRANSPARENT too, since 2026-10, when the preview of 2026-08 was withdrawn.
const GPT_2: Capabilities = { ...GPT_2_AND_LATER, backgrounds: ['AUTO', 'OPAQUE'] }

const GPT_2_5: Capabilities = {
  ...GPT_2_AND_LATER,
  qualities: [...GPT.qualities, 'XHIGH', 'MAX'],
  markup: true,
}

const GIF_RULE: FormatRule = { mask: false, maxPartialImages: 0, outputCompression: false }
const SVG_RULE: FormatRule = { maxN: 1, maxPartialImages: 0, outputCompression: false }

// Sizes, qualities and backgrounds are not documented: as 2.5. Size limits of a GIF are not published.
const GPT_2_6: Capabilities = {
  ...GPT_2_5,
  markup: false,
  outputFormats: ['PNG', 'JPEG', 'WEBP', 'GIF', 'SVG'],
  animation: { minFrames: 2, maxFrames: 16, defaultFrames: 9, frameStepMs: 10, maxFrameMs: 655_350 },
  svg: { models: null, efforts: SVG_EFFORTS },
  formatRules: { GIF: GIF_RULE, SVG: SVG_RULE },
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

const CURRENT = {
  retiresOn: null,
  successor: null,
  asOf: '2026-11-20',
  source: `${SDK}, ${MODEL_PAGES}, ${PRICES}`,
}
const RETIRING = {
  successor: 'gpt-image-2.5-sunburst',
  asOf: '2026-11-20',
  source: `${SDK}, ${SPEC}, ${PRICES}, ${DEPRECATIONS}`,
}
const ENDS_IN_DECEMBER = { retiresOn: '2026-12-01', ...RETIRING }
const GPT_1_HERE: Capabilities = { ...GPT_1, safetyIdentifier: true }

export const CATALOGUE: readonly CatalogueModel[] = [
  { name: 'gpt-image-2', capabilities: GPT_2, price: GPT_2_PRICE, ...CURRENT },
  { name: 'gpt-image-2-2026-04-21', capabilities: GPT_2, price: GPT_2_PRICE, ...CURRENT },
  { name: 'gpt-image-2.5-flare', capabilities: GPT_2_5, price: GPT_2_5_PRICE, ...CURRENT },
  { name: 'gpt-image-2.5-flare-2026-09-08', capabilities: GPT_2_5, price: GPT_2_5_PRICE, ...CURRENT },
  { name: 'gpt-image-2.5-sunburst', capabilities: GPT_2_5, price: GPT_2_5_PRICE, ...CURRENT },
  { name: 'gpt-image-2.5-sunburst-2026-09-08', capabilities: GPT_2_5, price: GPT_2_5_PRICE, ...CURRENT },
  // No price is published yet.
  { name: 'gpt-image-2.6-flare', capabilities: GPT_2_6, price: null, ...CURRENT },
  { name: 'gpt-image-2.6-sunburst', capabilities: GPT_2_6, price: null, ...CURRENT },
  { name: 'chatgpt-image-latest', capabilities: OPENAI_GPT, price: null, ...ENDS_IN_DECEMBER },
  { name: 'gpt-image-1.5', capabilities: GPT_1_HERE, price: GPT_1_5_PRICE, ...ENDS_IN_DECEMBER },
  { name: 'gpt-image-1.5-2025-12-16', capabilities: GPT_1_HERE, price: GPT_1_5_PRICE, ...ENDS_IN_DECEMBER },
  { name: 'gpt-image-1-mini', capabilities: OPENAI_GPT, price: MINI_PRICE, ...ENDS_IN_DECEMBER },
  { name: 'gpt-image-1', capabilities: GPT_1_HERE, price: GPT_1_PRICE, ...RETIRING, retiresOn: '2026-10-23' },
  { name: 'dall-e-3', capabilities: DALL_E_3, price: null, ...RETIRING, retiresOn: '2026-05-12' },
  { name: 'dall-e-2', capabilities: DALL_E_2, price: null, ...RETIRING, retiresOn: '2026-05-12' },
]

export function findModel(name: string): CatalogueModel | undefined {
  return CATALOGUE.find((model) => model.name === name)
}
