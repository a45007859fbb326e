// The models of a provider entry. `undefined` means the default.
import type { Quality } from '../domain.ts'
import type { Capabilities } from '../providers/provider.ts'

/** Differences from the catalogue. */
export interface ModelConfig {
  name: string
  /** Sent to the provider. Default `name`. */
  upstreamModel?: string | undefined
  capabilities?: { readonly [Name in keyof Capabilities]?: Capabilities[Name] | undefined } | undefined
  /** null: unknown. Default: the catalogue's. */
  price?: TokenPriceConfig | ImagePriceConfig | null | undefined
  /** YYYY-MM-DD; null: no announced end. Default: the catalogue's. */
  retiresOn?: string | null | undefined
  /** To use after the end. Default: the catalogue's. */
  successor?: string | null | undefined
}

/** Per million tokens. */
export interface TokenPriceConfig {
  inputTextMicros: number
  inputImageMicros?: number | null | undefined
  outputImageMicros: number
  outputTextMicros?: number | null | undefined
  /** Tokens of an output image, before the published rule: first match; an absent setting matches all. At most 200 000. */
  imageTokens?:
    | readonly { size?: string | undefined; quality?: Quality | undefined; tokens: number }[]
    | undefined
  /** In the ledger. Default: derived from the amounts. */
  version?: string | undefined
}

/** Of a text model that writes SVGs, per million tokens. */
export interface SvgPriceConfig {
  inputMicros: number
  outputMicros: number
  /** Per SVG, for the held amount. Default 64 000. */
  maxInputTokens?: number | undefined
  /** Including reasoning. Default 128 000. */
  maxOutputTokens?: number | undefined
  /** In the ledger. Default: derived from the amounts. */
  version?: string | undefined
}

/** Per image, with exceptions by settings. */
export interface ImagePriceConfig {
  imageMicros: number
  bySettings?:
    | readonly { size?: string | undefined; quality?: Quality | undefined; imageMicros: number }[]
    | undefined
  /** In the ledger. Default: derived from the amounts. */
  version?: string | undefined
}
