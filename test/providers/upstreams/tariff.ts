// The prices of the fake upstreams, in micro-USD, computed independently of the code under test.

/** The price of gpt-image-2 on OpenAI's page, per million tokens: $5 for text input, $8 for image input, $30 for output. */
export function openaiTokens(tokens: { textIn: number; imageIn: number; imageOut: number }): number {
  return tokens.textIn * 5 + tokens.imageIn * 8 + tokens.imageOut * 30
}

/** A reseller's price per million tokens: $6 and $33.50. Half a micro-USD is rounded up. */
export function pmockTokens({ textIn, imageOut }: { textIn: number; imageOut: number }): number {
  return Math.ceil((textIn * 60 + imageOut * 335 - 4) / 10)
}

export const BASIC_IMAGE_MICROS = 45_000

export const JIMMY_IMAGE_MICROS = 30_001

/** The price of an image, by quality. */
export function acedataImageMicros(quality: unknown): number {
  if (quality === 'low') return 25_500
  return quality === 'high' ? 90_000 : 50_000
}

/** The same prices in the form of the configuration, by provider name. */
export const CONFIGURED_PRICES = {
  openai: undefined,
  basic: { imageMicros: 45_000, version: 'basic-2026-11' },
  pmock: { inputTextMicros: 6_000_000, outputImageMicros: 33_500_000, version: 'pmock-2026-11' },
  jimmy: { imageMicros: 30_001, version: 'jimmy-2026-11' },
  acedata: {
    imageMicros: 50_000,
    bySettings: [
      { quality: 'LOW', imageMicros: 25_500 },
      { quality: 'HIGH', imageMicros: 90_000 },
    ],
    version: 'acedata-2026-11',
  },
} as const
