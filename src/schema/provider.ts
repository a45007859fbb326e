import { countByProvider } from '../db/attempts/counts.ts'
import type { Database } from '../db/connection/database.ts'
import { listCooldowns, type CooldownRow } from '../db/providers/cooldowns.ts'
import { healthOf } from '../engine/routing/health.ts'
import type { MODES, RECOVERIES } from '../providers/provider.ts'
import { builder, describedEnum } from './builder.ts'
import * as enums from './enums.ts'
import { exposeAll, exposeNullable } from './expose.ts'
import { ModelRef } from './model.ts'
import { mutation } from './mutation.ts'
import { namedProvider, type ProviderRow } from './named-provider.ts'
import { NodeRef } from './node.ts'
import { requires } from './scopes.ts'

const ProviderHealthEnum = describedEnum<ReturnType<typeof healthOf>>('ProviderHealth', {
  description: 'Whether a provider receives new work.',
  HEALTHY: 'It receives new work.',
  COOLDOWN:
    'It, or one of its models, receives no new work for a while. It was busy, refused the credentials, had no credit ' +
    'left, or failed too often.',
  PROBING: 'A cooldown has expired. One attempt at a time tests whether calls succeed again.',
  PAUSED: 'An operator stopped new work for it, or for one of its models, until resumeProvider.',
})

const ProviderModeEnum = describedEnum<(typeof MODES)[number]>('ProviderMode', {
  description: 'How a provider delivers its result.',
  SYNC: 'One request, whose response has the finished images.',
  STREAM: 'One request, whose response streams partial images and then the finished ones.',
  POLL: 'Asynchronous: submit, then poll.',
  CALLBACK: 'Asynchronous: submit, then wait for a callback, which is verified by polling.',
})

const ProviderRecoveryEnum = describedEnum<(typeof RECOVERIES)[number]>('ProviderRecovery', {
  description: 'How an attempt is found again after its response was lost.',
  NONE: 'Not possible. The outcome stays unknown until resolveAttempt.',
  REMOTE_ID: "By the provider's id, once it was received.",
  CALLBACK: "By the provider's id, or by a callback to a URL that is unique to the attempt.",
  CLIENT_REF:
    'By the attempt id, which the provider stores. It is looked up at once and for up to an hour. A callback works as ' +
    'well, if the provider sends any.',
})

const ProviderCooldownRef = builder.objectRef<CooldownRow>('ProviderCooldown').implement({
  description:
    'A cooldown or pause, during which a provider or one of its models receives no new work. Queued attempts wait. An expired ' +
    'cooldown remains until a call succeeds.',
  fields: (t) => ({
    model: t.string({
      nullable: true,
      description: 'Affected model. Null if all models of the provider are affected.',
      resolve: ({ model }) => model || null,
    }),
    ...exposeAll(t, 'String', { reason: 'Cause as a sentence, for operators.' }),
    startedAt: t.expose('since', { type: 'DateTime', description: 'Time at which new work was stopped.' }),
    endsAt: t.expose('until', {
      type: 'DateTime',
      nullable: true,
      description: 'Time of expiry. Null for a pause, which lasts until resumeProvider.',
    }),
  }),
})

const cooldownsOf = async ({ name }: ProviderRow, db: Database) =>
  (await listCooldowns(db.read)).filter(({ provider }) => provider === name)

export const ProviderRef = builder.objectRef<ProviderRow>('Provider').implement({
  description: 'A provider account that the operator configured.',
  interfaces: [NodeRef],
  fields: (t) => ({
    ...exposeAll(t, 'String', {
      name: 'Name in the configuration, and value for `GenerateImageInput.providers`.',
    }),
    ...exposeAll(t, 'Boolean', {
      configured: 'False for a provider of an old task that has left the configuration.',
    }),
    ...exposeNullable(t, 'String', {
      dialect: 'Wire protocol, such as openai or sandbox. Null if not configured.',
    }),
    ...exposeAll(t, [ModelRef], { models: 'Models that it offers. Empty if not configured.' }),
    health: t.field({
      type: ProviderHealthEnum,
      description:
        'Current health, from recent call results and operator pauses. `cooldowns` has the causes.',
      resolve: async (provider, _, { db }) => healthOf(await cooldownsOf(provider, db)),
    }),
    cooldowns: t.field({
      type: [ProviderCooldownRef],
      description: 'Cooldowns and pauses of the provider and its models. Empty if it is HEALTHY.',
      resolve: (provider, _, { db }) => cooldownsOf(provider, db),
    }),
    ...exposeAll(t, [ProviderModeEnum], {
      modes: 'Supported ways of delivery, the preferred one first. Empty if not configured.',
    }),
    ...exposeNullable(t, ProviderRecoveryEnum, {
      recovery: 'How a lost response is recovered in the preferred mode. Null if not configured.',
    }),
    ...exposeNullable(t, enums.Charged, {
      failureCharge:
        'How a failure after acceptance is counted: UNKNOWN, or NO if the operator declares that failures are never billed. ' +
        'A refusal is always NO. Null if not configured.',
    }),
    ...exposeAll(t, 'Int', {
      concurrency: 'Maximum number of concurrent calls of all servers on this database. 0 if not configured.',
    }),
    queuedAttempts: t.int({
      description: 'Number of attempts that wait to be sent to it, across all projects.',
      resolve: async ({ name }, _, { db }) => (await countByProvider(db.reports, name)).queued,
    }),
    runningAttempts: t.int({
      description: 'Number of attempts that it works on, across all projects and processes.',
      resolve: async ({ name }, _, { db }) => (await countByProvider(db.reports, name)).running,
    }),
  }),
})

builder.queryField('providers', (t) =>
  t.field({
    type: [ProviderRef],
    ...requires('READ', "All configured providers, in the operator's order of preference."),
    resolve: (_, __, context) => context.providers.map(({ name }) => namedProvider(name, context)),
  }),
)

builder.subscriptionField('providers', (t) =>
  t.field({
    type: [ProviderRef],
    ...requires(
      'READ',
      'Query.providers, at once and when the health, a cooldown or a queue length of one has changed, at most once per second. ' +
        'Never completes. Errors: SHUTTING_DOWN.',
    ),
    subscribe: (_, __, { engine }) => engine.watchProviders(),
    resolve: (_, __, context) => context.providers.map(({ name }) => namedProvider(name, context)),
  }),
)

const DEFAULT_REASON = 'Paused by an operator.'
const TARGET_ERRORS = 'Errors: PROVIDER_UNKNOWN; BAD_USER_INPUT for a model that it does not offer.'

mutation('pauseProvider', {
  right: requires(
    'OPERATOR',
    'Stops new work for a provider, or for one of its models, until resumeProvider. Results of accepted requests are ' +
      `still fetched. ${TARGET_ERRORS}`,
  ),
  input: {
    description: 'What to pause, and the reason.',
    fields: (t) => ({
      name: t.string({ required: true, description: 'Name of the provider in the configuration.' }),
      model: t.string({ description: 'The only model to pause. All models by default.' }),
      reason: t.string({
        defaultValue: DEFAULT_REASON,
        description: 'Cause for other operators, shown in `Provider.cooldowns`.',
      }),
    }),
  },
  async resolve({ name, model, reason }, context) {
    await context.engine.pauseProvider({ provider: name, model: model ?? null }, reason ?? DEFAULT_REASON)
    return { provider: namedProvider(name, context) }
  },
  payload: (t) => exposeNullable(t, ProviderRef, { provider: 'The provider, with its new cooldown.' }),
})

mutation('resumeProvider', {
  right: requires(
    'OPERATOR',
    `Lifts all pauses and cooldowns of a provider, or of one of its models. Idempotent. ${TARGET_ERRORS}`,
  ),
  input: {
    description: 'The whole provider, or one of its models.',
    fields: (t) => ({
      name: t.string({ required: true, description: 'Name of the provider in the configuration.' }),
      model: t.string({
        description:
          'The model to resume, which does not lift a pause of the whole provider. Everything by default.',
      }),
    }),
  },
  async resolve({ name, model }, context) {
    await context.engine.resumeProvider({ provider: name, model: model ?? null })
    return { provider: namedProvider(name, context) }
  },
  payload: (t) => exposeNullable(t, ProviderRef, { provider: 'The provider, with its remaining cooldowns.' }),
})
