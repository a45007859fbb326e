import { svgUsageOf, usageOf } from '../db/attempts/totals.ts'
import type { AttemptRow, ResultAddressRow } from '../db/tables/tables.ts'
import type { TaskError, Usage } from '../domain.ts'
import { builder } from './builder.ts'
import * as enums from './enums.ts'
import { exposeAll, exposeNullable } from './expose.ts'
import { mutation } from './mutation.ts'
import { NodeRef } from './node.ts'
import { namedProvider } from './named-provider.ts'
import { ProviderRef } from './provider.ts'
import { requires } from './scopes.ts'

interface TokenDetails {
  textTokens: number | null
  imageTokens: number | null
}

const TokenDetailsRef = builder.objectRef<TokenDetails>('TokenDetails').implement({
  description: 'Token counts by content: text and images have different prices.',
  fields: (t) =>
    exposeNullable(t, 'BigInt', {
      textTokens: 'Tokens of text. Null if not reported.',
      imageTokens: 'Tokens of images, partial images included. Null if not reported.',
    }),
})

const SvgUsageRef = builder.objectRef<NonNullable<ReturnType<typeof svgUsageOf>>>('SvgUsage').implement({
  description: 'Tokens of the model that wrote an SVG, in no other count.',
  fields: (t) =>
    exposeNullable(t, 'Int', {
      inputTokens: 'Tokens that it read. Null if not reported.',
      outputTokens: 'Tokens that it wrote, reasoning included. Null if not reported.',
      reasoningTokens: 'Part of the output for reasoning. Null if not reported.',
    }),
})

export const UsageRef = builder.objectRef<Usage>('Usage').implement({
  description: 'Tokens consumed at a provider. A count that was not reported is null, never zero.',
  fields: (t) => ({
    ...exposeNullable(t, 'BigInt', {
      inputTokens: 'Tokens of the prompt and the input images. Null if not reported.',
      outputTokens: 'Tokens of the results and the partial images. Null if not reported.',
      totalTokens: 'Input and output together, as counted by the provider. Null if not reported.',
    }),
    inputTokensDetails: t.field({
      type: TokenDetailsRef,
      nullable: true,
      description: 'Input tokens by content. Null if the provider does not split them.',
      resolve: (usage) => details(usage.inputTextTokens, usage.inputImageTokens),
    }),
    outputTokensDetails: t.field({
      type: TokenDetailsRef,
      nullable: true,
      description: 'Output tokens by content. Null if the provider does not split them.',
      resolve: (usage) => details(usage.outputTextTokens, usage.outputImageTokens),
    }),
    svg: t.field({
      type: SvgUsageRef,
      nullable: true,
      description: 'Tokens of the author of an SVG, charged by its own price. Null if not reported.',
      resolve: svgUsageOf,
    }),
    ...exposeAll(t, enums.UsageSource, {
      source: 'Whether the counts are reported by the provider, estimated or unknown.',
    }),
  }),
})

function details(textTokens: number | null, imageTokens: number | null): TokenDetails | null {
  return textTokens === null && imageTokens === null ? null : { textTokens, imageTokens }
}

export const TaskErrorRef = builder.objectRef<TaskError>('TaskError').implement({
  description: 'Failure of a task or an attempt: its cause, and whether it cost money.',
  fields: (t) => ({
    ...exposeAll(t, enums.TaskErrorCode, { code: 'Machine-readable cause, the same for every provider.' }),
    ...exposeAll(t, 'String', {
      message: "Explanation for people, with the provider's own text. The wording may change.",
    }),
    ...exposeAll(t, 'Boolean', { retryable: 'Whether the same request may succeed later.' }),
    ...exposeAll(t, enums.Charged, { charged: 'Whether the failed request cost money.' }),
    ...exposeNullable(t, 'String', {
      providerRequestId: "The provider's id of the HTTP request, for its support. Null if it sent none.",
    }),
  }),
})

export const AttemptRef = builder.objectRef<AttemptRow>('Attempt').implement({
  description: 'One try of a task at one provider: one possible charge, with the evidence for it.',
  interfaces: [NodeRef],
  fields: (t) => ({
    provider: t.field({
      type: ProviderRef,
      description:
        'Provider that the attempt is or will be sent to. It never changes; another provider is another attempt.',
      resolve: ({ provider }, _, context) => namedProvider(provider, context),
    }),
    ...exposeAll(t, enums.AttemptState, {
      state: 'Progress from PLANNED to a final value. In PLANNED and LEASED nothing has been sent.',
    }),
    ...exposeAll(t, enums.Charged, {
      charged: 'Whether it cost money. UNKNOWN from the intent to send until the outcome is known.',
    }),
    ...exposeAll(t, enums.WirePhase, {
      wirePhase: 'Furthest point that its request provably reached: the evidence for `charged`.',
    }),
    ...exposeAll(t, 'Int', { number: 'Position among the attempts of the task, from 1.' }),
    ...exposeNullable(t, 'Int', { httpStatus: 'Status code of the response. Null if none was received.' }),
    ...exposeNullable(t, 'String', {
      remoteId: "The provider's id of the submitted job. Null until known, and for synchronous responses.",
      providerRequestId: "The provider's id of the HTTP request. Null if it sent none.",
      priceVersion:
        'Price table by which the cost was computed. Null without a price, and if the provider reported the cost.',
    }),
    ...exposeNullable(t, enums.UncertainCharge, {
      chargePolicy:
        'Setting in `charges` of the provider by which `charged` was decided: without it, it would be UNKNOWN. Null if ' +
        'evidence decided, or nothing did.',
    }),
    ...exposeNullable(t, 'BigInt', {
      costMicros: 'Cost in micro-USD. Null means unknown, never free.',
      svgCostMicros:
        'Part of the cost, as computed from the price table of the author of an SVG. Null without one, and if unknown.',
      estimatedMicros:
        'Estimate in micro-USD that is posted while the cost is unknown. Null without one, and once the cost is known.',
    }),
    usage: t.field({
      type: UsageRef,
      nullable: true,
      description: 'Tokens consumed. Null until its result was received, and if it was not charged.',
      resolve: usageOf,
    }),
    ...exposeNullable(t, TaskErrorRef, {
      error: 'Failure, or loss of the response. Null if there was none.',
    }),
    ...exposeAll(t, 'DateTime', { createdAt: 'Time at which it was queued.' }),
    ...exposeNullable(t, 'DateTime', {
      sentAt: 'Time at which the intent to send was committed. Null before.',
      finishedAt: 'Time at which it reached a final state. Null before, also while its outcome is UNKNOWN.',
    }),
  }),
})

const ResultAddressRef = builder.objectRef<ResultAddressRow>('ResultAddress').implement({
  description: 'Address at which a provider keeps an image that is not stored yet.',
  fields: (t) => ({
    ...exposeAll(t, 'String', {
      url: 'URL as received. A signed one grants access to the image, so keep it confidential.',
    }),
    ...exposeAll(t, 'Int', {
      position: 'Index of its image in the task, from 0.',
      tries: 'Failed downloads so far.',
    }),
    ...exposeNullable(t, 'String', {
      problem: 'Cause of the latest failure; completes "the address …". Null before the first one.',
    }),
    ...exposeAll(t, 'DateTime', { receivedAt: 'Time at which it was stored.' }),
  }),
})

builder.objectField(AttemptRef, 'resultAddresses', (t) =>
  t.field({
    type: [ResultAddressRef],
    nullable: true,
    description:
      'Addresses of images that the provider has made and that are not stored yet: downloads in progress, or given up. Null ' +
      'without the scope ADMIN.',
    complexity: { multiplier: 2 },
    resolve: ({ id }, _, { caller, loaders }) =>
      caller.scopes.has('ADMIN') ? loaders.addresses.load(id) : null,
  }),
)

mutation('fetchResult', {
  right: requires(
    'ADMIN',
    'Makes the stored addresses of an attempt due for a download now, also after it has ended. A worker downloads them ' +
      'within seconds; a stored image appears in `Task.images`, and a task that has ended keeps its status. Costs nothing. ' +
      'Audited. Errors: NOT_FOUND; CONFLICT if it has no address.',
  ),
  input: {
    description: 'Id of the attempt.',
    fields: (t) => ({
      id: t.id({ required: true, description: 'Id of an attempt, att_…, with `resultAddresses`.' }),
    }),
  },
  resolve: async ({ id }, { engine, caller }) => ({ attempt: await engine.fetchResult(caller, id) }),
  payload: (t) => exposeNullable(t, AttemptRef, { attempt: 'The attempt, whose download is due.' }),
})
