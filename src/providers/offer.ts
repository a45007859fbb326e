// What a provider offers: a model with its capabilities and prices, all of it data.
import type {
  Background,
  Complexity,
  InputFidelity,
  Moderation,
  Operation,
  OutputFormat,
  Quality,
  Style,
  SvgEffort,
} from '../domain.ts'

export interface Offer {
  model: string
  /** The provider's name for it. */
  upstreamModel: string
  capabilities: Capabilities
  /** Null: unknown. Costs are then unknown, not zero. */
  price: Price | null
  /** Of authors of SVGs, by name. Without one, the cost of an SVG is unknown. */
  svgPrices: Readonly<Record<string, SvgPrice>>
  /** ISO date of the shutdown; null if not announced. */
  retiresOn: string | null
  /** The date is that of the company whose model it is; a reseller may serve it longer, so it is a warning only. */
  endsElsewhere?: true
  /** Model to use after the shutdown; null if none is named. */
  successor: string | null
}

export interface Capabilities {
  operations: readonly Operation[]
  sizes: SizeRule
  qualities: readonly Quality[]
  backgrounds: readonly Background[]
  moderations: readonly Moderation[]
  outputFormats: readonly OutputFormat[]
  outputCompression: boolean
  inputFidelities: readonly InputFidelity[]
  styles: readonly Style[]
  complexities: readonly Complexity[]
  /** Per call. */
  maxN: number
  maxInputImages: number
  mask: boolean
  markup: boolean
  maxPartialImages: number
  /** Whether `user` can be sent. */
  user: boolean
  safetyIdentifier: boolean
  /** In Unicode code points. */
  maxPromptLength: number
  /** Null: a GIF has the provider's defaults. */
  animation: AnimationRule | null
  /** Null: the provider chooses the author of an SVG. */
  svg: SvgRule | null
  /** What differs in a format. */
  formatRules: Readonly<Partial<Record<OutputFormat, FormatRule>>>
  /** Allowed names of `Settings.extra`. */
  extra: readonly string[]
}

export type FormatRule = {
  readonly [
    Name in
      | 'operations'
      | 'sizes'
      | 'qualities'
      | 'backgrounds'
      | 'outputCompression'
      | 'maxN'
      | 'maxInputImages'
      | 'mask'
      | 'markup'
      | 'maxPartialImages'
  ]?: Capabilities[Name] | undefined
}

export interface AnimationRule {
  minFrames: number
  maxFrames: number
  defaultFrames: number
  /** Durations are multiples of it. */
  frameStepMs: number
  maxFrameMs: number
}

export interface SvgRule {
  /** Null: any name. */
  models: readonly string[] | null
  efforts: readonly SvgEffort[]
}

/** `auto`: whether `size: auto` is allowed. */
export type SizeRule =
  | { kind: 'list'; auto: boolean; values: readonly string[] }
  | {
      kind: 'rule'
      auto: boolean
      /** Of both edges. */
      multipleOf: number
      maxEdge: number
      /** Long over short edge. */
      maxRatio: number
      minPixels: number
      maxPixels: number
    }

/** `version` is stored with costs. */
export type Price = TokenPrice | ImagePrice

/** Micro-USD per million tokens; null: no such class. */
export interface TokenPrice {
  inputTextMicros: number
  inputImageMicros: number | null
  outputImageMicros: number
  outputTextMicros: number | null
  /** Tokens of an output image, before the published rules: first match; an absent setting matches all. */
  imageTokens?: readonly ImageTokens[] | undefined
  version: string
}

export interface ImageTokens {
  size?: string | undefined
  quality?: Quality | undefined
  tokens: number
}

/** Micro-USD per finished image. */
export interface ImagePrice {
  imageMicros: number
  /** First match; an absent setting matches all. */
  bySettings: readonly { size?: string | undefined; quality?: Quality | undefined; imageMicros: number }[]
  version: string
}

/** Micro-USD per million tokens of a text model; reasoning is output. */
export interface SvgPrice {
  inputMicros: number
  outputMicros: number
  /** Per SVG, for the amount that is held. */
  maxInputTokens: number
  maxOutputTokens: number
  version: string
}
