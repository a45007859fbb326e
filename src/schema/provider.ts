import { countByProvider } from '../db/attempts/counts.ts'
import type { Database } from '../db/connection/database.ts'
import { listCooldowns, type CooldownRow } from '../db/providers/cooldowns.ts'
import { healthOf } from '../engine/routing/health.ts'
import type { Provider } from '../providers/provider.ts'
import { builder } from './builder.ts'
import { ChargedEnum } from './enums.ts'
import { ModelRef } from './model.ts'

/** A provider as a task remembers it: by name, whether it is still configured or not. */
interface NamedProvider {
  name: string
  provider: Provider | undefined
}

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

const ProviderModeEnum = builder.enumType('ProviderMode', {
  description: 'A way of asking an upstream.',
  values: {
    SYNC: { description: 'One request, answered when the picture is done.' },
    STREAM: { description: 'One request, answered with previews and then the picture.' },
    POLL: { description: 'It takes the order and is asked from time to time.' },
    CALLBACK: { description: 'It takes the order and calls back; what it says is confirmed by asking.' },
  } as const,
})

const ProviderRecoveryEnum = builder.enumType('ProviderRecovery', {
  description: 'How an attempt whose answer was lost can be found again.',
  values: {
    NONE: { description: 'Not at all: it stands as unknown until somebody decides.' },
    REMOTE_ID: { description: "By the upstream's own id, once it was told." },
    CALLBACK: {
      description: "By the upstream's own id, and by the call to an address of the attempt's own.",
    },
    CLIENT_REF: {
      description:
        "By the attempt's own id, which the upstream keeps beside the order: it is looked for at once, and again for an " +
        'hour. Where the upstream calls back, by that call too.',
    },
  } as const,
})

const ProviderRestRef = builder.objectRef<CooldownRow>('ProviderRest').implement({
  description: 'A time in which a provider, or one model of it, is given no new work. What is queued waits.',
  fields: (t) => ({
    model: t.string({
      nullable: true,
      description: 'Null when all its models rest.',
      resolve: ({ model }) => model || null,
    }),
    reason: t.exposeString('reason', { description: 'Why, in a sentence for operators.' }),
    startedAt: t.expose('since', {
      type: 'DateTime',
      description: 'When it was ordered.',
    }),
    endsAt: t.expose('until', {
      type: 'DateTime',
      nullable: true,
      description: 'When it is over; null until somebody resumes it.',
    }),
  }),
})

const restsOf = async ({ name }: NamedProvider, db: Database) =>
  (await listCooldowns(db.read)).filter(({ provider }) => provider === name)

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
    modes: t.field({
      type: [ProviderModeEnum],
      description: 'The ways it may be asked in, the preferred one first; empty when no longer configured.',
      resolve: ({ provider }) => [...(provider?.traits.modes ?? [])],
    }),
    recovery: t.field({
      type: ProviderRecoveryEnum,
      nullable: true,
      description:
        'How an attempt whose answer was lost is found again there; null when no longer configured.',
      resolve: ({ provider }) => provider?.traits.recovery ?? null,
    }),
    failureCharge: t.field({
      type: ChargedEnum,
      nullable: true,
      description:
        'What a failure of its own, after it took the order, counts as: UNKNOWN unless the operator vouches that such ' +
        'are never billed. A plain refusal is always NO. Null when no longer configured.',
      resolve: ({ provider }) => provider?.traits.failureCharge ?? null,
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
    extensions: { scope: 'READ' },
    resolve: (_, __, { providers }) => providers.map((provider) => ({ name: provider.name, provider })),
  }),
)

builder.mutationFields((t) => ({
  pauseProvider: t.field({
    type: ProviderRef,
    description:
      'Gives a provider, or one model of it, no new work until it is resumed. What it has accepted is still fetched.',
    extensions: { scope: 'OPERATOR' },
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
    extensions: { scope: 'OPERATOR' },
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
