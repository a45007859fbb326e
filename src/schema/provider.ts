import { countByProvider } from '../db/attempt-counts.ts'
import type { Database } from '../db/database.ts'
import { listRests, type RestRow } from '../db/rests.ts'
import { describeSizes } from '../engine/fit.ts'
import { healthOf } from '../engine/pause.ts'
import type { Capabilities, Offer, Price, Provider, SizeRule, TokenPrice } from '../providers/provider.ts'
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

/** A provider as a task remembers it: by name, whether it is still configured or not. */
export interface NamedProvider {
  name: string
  provider: Provider | undefined
}

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
    sizes: t.field({
      type: SizesRef,
      description: 'Those it paints, in pixels; any other is refused.',
      resolve: (can) => can.sizes,
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

const ModelRef = builder.objectRef<Offer>('Model').implement({
  description: 'One model as one provider serves it: the same model may do more, or cost less, at another.',
  fields: (t) => ({
    name: t.string({ description: 'What to write into `model`.', resolve: ({ model }) => model }),
    upstreamName: t.string({
      description: "The provider's own name for it.",
      resolve: ({ upstreamModel }) => upstreamModel,
    }),
    capabilities: t.field({
      type: CapabilitiesRef,
      description: 'What it can do at this provider, which may be less than elsewhere.',
      resolve: (offer) => offer.capabilities,
    }),
    price: t.field({
      type: PriceRef,
      nullable: true,
      description: 'Null when nobody told us: costs are then unknown.',
      resolve: (offer) => offer.price,
    }),
    retiresOn: t.string({
      nullable: true,
      description: 'The day it is announced to be shut down, YYYY-MM-DD; null when none is.',
      resolve: (offer) => offer.retiresOn,
    }),
  }),
})

const ProviderHealthEnum = builder.enumType('ProviderHealth', {
  description: 'How a provider is at this moment.',
  values: {
    WELL: { description: 'It is given work.' },
    RESTING: {
      description: 'It is given no new work for a while: it was busy, refused us, or failed too often.',
    },
    PROBING: { description: 'A rest is over, and one attempt at a time finds out whether it is well again.' },
    PAUSED: { description: 'An operator wants it to be given no work until it is resumed.' },
  } as const,
})

const ProviderRestRef = builder.objectRef<RestRow>('ProviderRest').implement({
  description: 'A time in which a provider, or one model of it, is given no new work. What is queued waits.',
  fields: (t) => ({
    model: t.string({
      nullable: true,
      description: 'Null when all its models rest.',
      resolve: ({ model }) => model || null,
    }),
    reason: t.exposeString('reason', { description: 'Why, in a sentence for operators.' }),
    startedAt: t.field({
      type: 'DateTime',
      description: 'When it was ordered.',
      resolve: ({ since }) => since,
    }),
    endsAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it is over; null until somebody resumes it.',
      resolve: ({ until }) => until,
    }),
  }),
})

const restsOf = async ({ name }: NamedProvider, db: Database) =>
  (await listRests(db.read)).filter(({ provider }) => provider === name)

export const ProviderRef = builder.objectRef<NamedProvider>('Provider').implement({
  description: 'An upstream account that the operator has configured.',
  fields: (t) => ({
    name: t.exposeString('name', {
      description: "The operator's name for it; what to write into `providers`.",
    }),
    configured: t.boolean({
      description: 'False when an old task names a provider that is no longer there.',
      resolve: ({ provider }) => provider !== undefined,
    }),
    dialect: t.string({
      nullable: true,
      description: 'The wire language: openai, sandbox, …; null when no longer configured.',
      resolve: ({ provider }) => provider?.dialect ?? null,
    }),
    models: t.field({
      type: [ModelRef],
      description: 'What it serves; empty when no longer configured.',
      resolve: ({ provider }) => [...(provider?.offers ?? [])],
    }),
    health: t.field({
      type: ProviderHealthEnum,
      description: 'How it is, by how its calls end and by what operators decided; `rests` says why.',
      resolve: async (provider, _, { db }) => healthOf(await restsOf(provider, db)),
    }),
    rests: t.field({
      type: [ProviderRestRef],
      description: 'Why it, or a model of it, is given no new work; empty when it is.',
      resolve: (provider, _, { db }) => restsOf(provider, db),
    }),
    concurrency: t.int({
      description: 'How many calls one server process has under way there at most.',
      resolve: ({ provider }) => provider?.concurrency ?? 0,
    }),
    queued: t.int({
      description: 'Attempts waiting for it at this moment, of all projects.',
      resolve: async ({ name }, _, { db }) => (await countByProvider(db.read, name)).queued,
    }),
    running: t.int({
      description: 'Attempts it is working on at this moment, of all projects and processes.',
      resolve: async ({ name }, _, { db }) => (await countByProvider(db.read, name)).running,
    }),
  }),
})

builder.queryField('providers', (t) =>
  t.field({
    type: [ProviderRef],
    description: "What can be asked for, and where, in the operator's order of preference.",
    resolve: (_, __, { providers }) => providers.map((provider) => ({ name: provider.name, provider })),
  }),
)

builder.mutationFields((t) => ({
  pauseProvider: t.field({
    type: ProviderRef,
    description:
      'Gives a provider, or one model of it, no new work until it is resumed. What it has accepted is still fetched.',
    args: {
      name: t.arg.string({ required: true, description: "The operator's name for it." }),
      model: t.arg.string({ description: 'Only this model; all of them when left out.' }),
      reason: t.arg.string({
        defaultValue: 'Paused by an operator.',
        description: 'Shown in `rests`, for other operators.',
      }),
    },
    async resolve(_, { name, model, reason }, { engine, providers }) {
      await engine.pauseProvider({ provider: name, model: model ?? null }, reason ?? 'Paused by an operator.')
      return { name, provider: providers.find((one) => one.name === name) }
    },
  }),
  resumeProvider: t.field({
    type: ProviderRef,
    description: 'Ends every rest of a provider, or of one model of it, whoever ordered it.',
    args: {
      name: t.arg.string({ required: true, description: "The operator's name for it." }),
      model: t.arg.string({ description: 'Only this model; every rest when left out.' }),
    },
    async resolve(_, { name, model }, { engine, providers }) {
      await engine.resumeProvider({ provider: name, model: model ?? null })
      return { name, provider: providers.find((one) => one.name === name) }
    },
  }),
}))
