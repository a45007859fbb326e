import { describeSizes } from '../engine/routing/match.ts'
import type { OutputFormat } from '../domain.ts'
import { inFormat } from '../engine/routing/adjust.ts'
import type {
  AnimationRule,
  Capabilities,
  Price,
  SizeRule,
  SvgRule,
  TokenPrice,
} from '../providers/provider.ts'
import { builder } from './builder.ts'
import * as enums from './enums.ts'
import { exposeAll, exposeNullable } from './expose.ts'
import type { ModelRow } from './named-provider.ts'
import { NodeRef } from './node.ts'

type SizeLimits = Extract<SizeRule, { kind: 'rule' }>

const SizeLimitsRef = builder.objectRef<SizeLimits>('SizeLimits').implement({
  description: 'Rule of the sizes that a model supports.',
  fields: (t) => ({
    ...exposeAll(t, 'Int', {
      multipleOf: 'Both edges are multiples of it, in pixels.',
      maxEdge: 'Maximum length of the longer edge in pixels.',
      minPixels: 'Minimum of width times height.',
      maxPixels: 'Maximum of width times height.',
    }),
    ...exposeAll(t, 'Float', { maxRatio: 'Maximum length of the longer edge divided by the shorter one.' }),
  }),
})

const SizesRef = builder.objectRef<SizeRule>('SupportedSizes').implement({
  description: 'Sizes that a model supports: a list, or every size that satisfies a rule.',
  fields: (t) => ({
    ...exposeAll(t, 'Boolean', { auto: 'Whether the size auto is supported.' }),
    values: t.stringList({
      nullable: true,
      description: 'The complete list, as WIDTHxHEIGHT in pixels. Null if a rule applies.',
      resolve: (rule) => (rule.kind === 'list' ? [...rule.values] : null),
    }),
    rule: t.string({
      description: 'The list or rule in words, for display; the wording may change.',
      resolve: describeSizes,
    }),
    limits: t.field({
      type: SizeLimitsRef,
      nullable: true,
      description: 'The rule in numbers. Null if `values` is the complete list.',
      resolve: (rule) => (rule.kind === 'rule' ? rule : null),
    }),
  }),
})

const AnimationRuleRef = builder.objectRef<AnimationRule>('AnimationRule').implement({
  description: 'Frames of a GIF that a model makes.',
  fields: (t) =>
    exposeAll(t, 'Int', {
      minFrames: 'Minimum number of frames.',
      maxFrames: 'Maximum number of frames.',
      defaultFrames: 'Number of frames by default.',
      frameStepMs: 'Durations of frames are rounded to multiples of it, in milliseconds.',
      maxFrameMs: 'Maximum duration of a frame in milliseconds.',
    }),
})

const SvgRuleRef = builder.objectRef<SvgRule>('SvgRule').implement({
  description: 'Models that can write an SVG.',
  fields: (t) => ({
    models: t.stringList({
      nullable: true,
      description: 'Names of the authors. Null if any name is passed on.',
      resolve: ({ models }) => models && [...models],
    }),
    ...exposeAll(t, [enums.SvgEffort], { efforts: 'Supported values of `svg.effort`.' }),
  }),
})

const FormatRuleRef = builder.objectRef<Capabilities & { format: OutputFormat }>('FormatRule').implement({
  description: 'Limits of a model in one format.',
  fields: (t) => ({
    ...exposeAll(t, enums.OutputFormat, { format: 'Value of `outputFormat` to which the limits apply.' }),
    ...exposeAll(t, SizesRef, { sizes: 'Supported values of `size`.' }),
    ...exposeAll(t, 'Boolean', {
      mask: 'Whether an edit may have a mask.',
      markup: 'Whether an edit may have markup.',
    }),
    ...exposeAll(t, 'Int', {
      maxN: 'Maximum number of images per provider request.',
      maxPartialImages: 'Maximum number of partial images per provider request.',
    }),
  }),
})

const CapabilitiesRef = builder.objectRef<Capabilities>('Capabilities').implement({
  description:
    'What a model supports at a provider. An unsupported setting causes a warning or an error and is never dropped silently.',
  fields: (t) => ({
    ...exposeAll(t, [enums.Operation], {
      operations: 'Whether it generates from a prompt alone, edits images, or both.',
    }),
    ...exposeAll(t, SizesRef, {
      sizes: 'Supported values of `size`. Any other is refused with BAD_USER_INPUT.',
    }),
    qualities: t.field({
      type: [enums.Quality],
      description: 'Supported values besides AUTO, which every model supports.',
      resolve: (can) => can.qualities.filter((quality) => quality !== 'AUTO'),
    }),
    ...exposeAll(t, [enums.Background], { backgrounds: 'Supported values. Empty if it cannot be chosen.' }),
    ...exposeAll(t, [enums.Moderation], { moderations: 'Supported values. Empty if it cannot be chosen.' }),
    ...exposeAll(t, [enums.OutputFormat], {
      outputFormats: 'Supported values. The first replaces an unsupported one, except GIF and SVG.',
    }),
    ...exposeAll(t, [enums.InputFidelity], {
      inputFidelities: 'Supported values for edits. Empty if it cannot be chosen.',
    }),
    ...exposeAll(t, [enums.Style], { styles: 'Supported values. Empty if it cannot be chosen.' }),
    ...exposeAll(t, [enums.Complexity], {
      complexities: 'Supported values. Empty if it cannot be chosen.',
    }),
    ...exposeAll(t, 'Boolean', {
      outputCompression: 'Whether a compression level for JPEG and WEBP is supported.',
      mask: 'Whether an edit may have a mask.',
      markup: 'Whether an edit may have markup.',
    }),
    ...exposeAll(t, 'Int', {
      maxN: 'Maximum number of images per provider request. A task for more is split into several.',
      maxInputImages: 'Maximum number of images to edit.',
      maxPartialImages: 'Maximum number of partial images per provider request. 0 if there are none.',
      maxPromptLength: 'Maximum length of a prompt in Unicode code points.',
    }),
    ...exposeNullable(t, AnimationRuleRef, {
      animation: 'Frames of a GIF. Null if they cannot be chosen.',
    }),
    ...exposeNullable(t, SvgRuleRef, { svg: 'Authors of an SVG. Null if none can be chosen.' }),
    formatRules: t.field({
      type: [FormatRuleRef],
      description: 'Limits of formats in which they differ from those of the model.',
      resolve: (can) =>
        can.outputFormats
          .filter((format) => can.formatRules[format])
          .map((format) => ({ ...inFormat(can, format), format })),
    }),
    extra: t.stringList({
      description: 'Names that `GenerateImageInput.extra` may have.',
      resolve: (can) => [...can.extra],
    }),
  }),
})

const perMillion = (description: string, name: Exclude<keyof TokenPrice, 'version' | 'imageTokens'>) => ({
  type: 'BigInt' as const,
  nullable: true as const,
  description: `${description} Null without such tokens, and for a price per image.`,
  resolve: (price: Price) => ('imageMicros' in price ? null : price[name]),
})

const PriceRef = builder.objectRef<Price>('Price').implement({
  description: 'Price of a model in micro-USD, per token or per image.',
  fields: (t) => ({
    inputTextMicros: t.field(
      perMillion('Price of a million prompt tokens: 5000000 is $5.', 'inputTextMicros'),
    ),
    inputImageMicros: t.field(perMillion('Price of a million input image tokens.', 'inputImageMicros')),
    outputImageMicros: t.field(
      perMillion('Price of a million tokens of results and partial images.', 'outputImageMicros'),
    ),
    outputTextMicros: t.field(perMillion('Price of a million output text tokens.', 'outputTextMicros')),
    imageMicros: t.field({
      type: 'BigInt',
      nullable: true,
      description:
        'Price of a finished image: 40000 is $0.04. Some sizes and qualities may have another. Null for a price per token.',
      resolve: (price) => ('imageMicros' in price ? price.imageMicros : null),
    }),
    ...exposeAll(t, 'String', { version: 'Source and date of the price table.' }),
  }),
})

export const ModelRef = builder.objectRef<ModelRow>('Model').implement({
  description: 'A model as one provider offers it. Capabilities and price may differ at another provider.',
  interfaces: [NodeRef],
  fields: (t) => ({
    name: t.exposeString('model', { description: 'Value for `GenerateImageInput.model`.' }),
    providerModelName: t.exposeString('upstreamModel', {
      description: "The provider's own name of the model, sent in requests to it.",
    }),
    ...exposeAll(t, CapabilitiesRef, { capabilities: 'Supported settings and limits at this provider.' }),
    ...exposeNullable(t, PriceRef, {
      price: 'Null if no price is configured or published: costs are then unknown.',
    }),
    ...exposeNullable(t, 'String', {
      retiresOn:
        'Announced shutdown date, YYYY-MM-DD; later, requests are refused. Null if none is announced.',
      successor: 'Model to use after the shutdown. Null if none is named.',
    }),
  }),
})
