import { describeSizes } from '../engine/routing/match.ts'
import type { Capabilities, Offer, Price, SizeRule, TokenPrice } from '../providers/provider.ts'
import { builder } from './builder.ts'
import {
  BackgroundEnum,
  InputFidelityEnum,
  ModerationEnum,
  OperationEnum,
  OutputFormatEnum,
  QualityEnum,
  StyleEnum,
} from './enums.ts'

const SizesRef = builder.objectRef<SizeRule>('SupportedSizes').implement({
  description: 'Which sizes a model takes: a list, or every size that keeps a rule.',
  fields: (t) => ({
    auto: t.exposeBoolean('auto', { description: 'Whether it takes auto.' }),
    values: t.stringList({
      nullable: true,
      description: 'The only sizes there are; null where a rule holds.',
      resolve: (rule) => (rule.kind === 'list' ? [...rule.values] : null),
    }),
    rule: t.string({ description: 'The same in words, for people.', resolve: describeSizes }),
  }),
})

const CapabilitiesRef = builder.objectRef<Capabilities>('Capabilities').implement({
  description:
    'What a model at a provider can do. A setting outside of it is a warning or a refusal, never dropped.',
  fields: (t) => ({
    operations: t.field({
      type: [OperationEnum],
      description: 'Whether it paints from a prompt alone, edits images, or both.',
      resolve: (can) => [...can.operations],
    }),
    sizes: t.expose('sizes', {
      type: SizesRef,
      description: 'Those it paints, in pixels; any other is refused.',
    }),
    qualities: t.field({
      type: [QualityEnum],
      description: 'Without AUTO, which is always possible.',
      resolve: (can) => can.qualities.filter((q) => q !== 'AUTO'),
    }),
    backgrounds: t.field({
      type: [BackgroundEnum],
      description: 'Empty where it cannot be chosen.',
      resolve: (can) => [...can.backgrounds],
    }),
    moderations: t.field({
      type: [ModerationEnum],
      description: 'Empty where it cannot be chosen.',
      resolve: (can) => [...can.moderations],
    }),
    outputFormats: t.field({
      type: [OutputFormatEnum],
      description: 'The first is its default.',
      resolve: (can) => [...can.outputFormats],
    }),
    outputCompression: t.exposeBoolean('outputCompression', {
      description: 'Whether JPEG and WEBP take a compression level.',
    }),
    inputFidelities: t.field({
      type: [InputFidelityEnum],
      description: 'Empty where it cannot be chosen.',
      resolve: (can) => [...can.inputFidelities],
    }),
    styles: t.field({
      type: [StyleEnum],
      description: 'Empty where it cannot be chosen.',
      resolve: (can) => [...can.styles],
    }),
    maxN: t.exposeInt('maxN', { description: 'The most images one task may ask for.' }),
    maxInputImages: t.exposeInt('maxInputImages', { description: 'The most input images of an edit.' }),
    mask: t.exposeBoolean('mask', { description: 'Whether an edit may bring a mask.' }),
    maxPartialImages: t.exposeInt('maxPartialImages', {
      description: 'The most previews; 0 where there are none.',
    }),
    maxPromptLength: t.exposeInt('maxPromptLength', {
      description: 'The longest prompt, in Unicode code points.',
    }),
  }),
})

const tokens = (price: Price): TokenPrice | undefined => ('imageMicros' in price ? undefined : price)

const PriceRef = builder.objectRef<Price>('Price').implement({
  description:
    'What a model costs in micro-USD, by tokens or by picture; the fields of the other way are null.',
  fields: (t) => ({
    inputTextMicros: t.field({
      type: 'BigInt',
      nullable: true,
      description: 'For a million tokens of prompt: 5000000 is $5.',
      resolve: (price) => tokens(price)?.inputTextMicros,
    }),
    inputImageMicros: t.field({
      type: 'BigInt',
      nullable: true,
      description: 'For a million tokens of input image; null where there are none.',
      resolve: (price) => tokens(price)?.inputImageMicros,
    }),
    outputImageMicros: t.field({
      type: 'BigInt',
      nullable: true,
      description: 'For a million tokens of result and preview.',
      resolve: (price) => tokens(price)?.outputImageMicros,
    }),
    outputTextMicros: t.field({
      type: 'BigInt',
      nullable: true,
      description: 'For a million tokens of text; null where there are none.',
      resolve: (price) => tokens(price)?.outputTextMicros,
    }),
    imageMicros: t.field({
      type: 'BigInt',
      nullable: true,
      description:
        'For one finished picture, where no size or quality has a price of its own: 40000 is $0.04.',
      resolve: (price) => ('imageMicros' in price ? price.imageMicros : null),
    }),
    version: t.exposeString('version', { description: 'Which price table: its source and date.' }),
  }),
})

export const ModelRef = builder.objectRef<Offer>('Model').implement({
  description: 'One model as one provider serves it: the same model may do more, or cost less, at another.',
  fields: (t) => ({
    name: t.exposeString('model', { description: 'What to write into `model`.' }),
    upstreamName: t.exposeString('upstreamModel', {
      description: "The provider's own name for it.",
    }),
    capabilities: t.expose('capabilities', {
      type: CapabilitiesRef,
      description: 'What it can do at this provider, which may be less than elsewhere.',
    }),
    price: t.expose('price', {
      type: PriceRef,
      nullable: true,
      description: 'Null when nobody told us: costs are then unknown.',
    }),
    retiresOn: t.string({
      nullable: true,
      description: 'The day it is announced to be shut down, YYYY-MM-DD; null when none is.',
      resolve: (offer) => offer.retiresOn,
    }),
  }),
})
