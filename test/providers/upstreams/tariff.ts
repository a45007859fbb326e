// What the faked upstreams charge, in micro-USD, by tables of their own: the arithmetic under test is not used here.

/** By token, as OpenAI's price page lists gpt-image-2: $5 for a million text tokens in, $8 for image tokens, $30 out. */
export function openaiTokens(tokens: { textIn: number; imageIn: number; imageOut: number }): number {
  return tokens.textIn * 5 + tokens.imageIn * 8 + tokens.imageOut * 30
}

/** A reseller's own: $6 and $33.50. Half a micro is one. */
export function pmockTokens({ textIn, imageOut }: { textIn: number; imageOut: number }): number {
  return Math.ceil((textIn * 60 + imageOut * 335 - 4) / 10)
}

export const BASIC_PICTURE = 45_000

export const JIMMY_PICTURE = 30_001

/** Dearer by quality. */
export function acedataPicture(quality: unknown): number {
  if (quality === 'low') return 25_500
  return quality === 'high' ? 90_000 : 50_000
}

/** The same tables as an operator would write them into the configuration, by the name of the provider. */
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
