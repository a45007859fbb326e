import { usageOf } from '../db/attempts/totals.ts'
import type { AttemptRow } from '../db/tables/tables.ts'
import type { TaskError } from '../domain.ts'
import { builder } from './builder.ts'
import { AttemptStateEnum, ChargedEnum, TaskErrorCodeEnum, WirePhaseEnum } from './enums.ts'
import { NodeRef } from './node.ts'
import { ProviderRef } from './provider.ts'
import { UsageRef } from './usage.ts'

export const TaskErrorRef = builder.objectRef<TaskError>('TaskError').implement({
  description: 'What went wrong at an upstream, and what that means for the wallet.',
  fields: (t) => ({
    code: t.expose('code', {
      type: TaskErrorCodeEnum,
      description: 'What programs may act on: the same for every upstream.',
    }),
    message: t.exposeString('message', {
      description: 'A sentence for people, with what the upstream said. Its wording may change.',
    }),
    retryable: t.exposeBoolean('retryable', {
      description: 'Whether the same request could end differently later.',
    }),
    charged: t.expose('charged', {
      type: ChargedEnum,
      description: 'Whether this failure cost money.',
    }),
    providerRequestId: t.exposeString('providerRequestId', {
      nullable: true,
      description: "The upstream's own id of the request, for its support desk; null when it gave none.",
    }),
  }),
})

export const AttemptRef = builder.objectRef<AttemptRow>('Attempt').implement({
  description: 'One try of a task at one provider: one possible charge, with the evidence for it.',
  interfaces: [NodeRef],
  fields: (t) => ({
    number: t.exposeInt('number', { description: "1 for the task's first attempt." }),
    provider: t.field({
      type: ProviderRef,
      description: 'Where it was sent, or is to be. Never changes: going elsewhere is another attempt.',
      resolve: ({ provider: name }, _, { providers }) => ({
        name,
        provider: providers.find((one) => one.name === name),
      }),
    }),
    state: t.expose('state', {
      type: AttemptStateEnum,
      description:
        'From PLANNED to one of the ends. Only PLANNED and LEASED are certain not to have been sent.',
    }),
    charged: t.expose('charged', {
      type: ChargedEnum,
      description: 'Whether it cost money: UNKNOWN from the intent to send until the answer is understood.',
    }),
    remoteId: t.exposeString('remoteId', {
      nullable: true,
      description: "The upstream's id of what we submitted; null where it answers at once.",
    }),
    providerRequestId: t.exposeString('providerRequestId', {
      nullable: true,
      description: "The upstream's id of the HTTP request; null when it gave none.",
    }),
    httpStatus: t.exposeInt('httpStatus', {
      nullable: true,
      description: 'The status code of the answer; null when none came.',
    }),
    wirePhase: t.expose('wirePhase', {
      type: WirePhaseEnum,
      description: 'The furthest that its request provably got: what `charged` rests on.',
    }),
    usage: t.field({
      type: UsageRef,
      nullable: true,
      description: 'Null until it has ended with a possible charge.',
      resolve: usageOf,
    }),
    costMicros: t.expose('costMicros', {
      type: 'BigInt',
      nullable: true,
      description: 'In micro-USD. Null means unknown, never free.',
    }),
    priceVersion: t.exposeString('priceVersion', {
      nullable: true,
      description: 'The price table the cost was computed with; null when there is no price.',
    }),
    error: t.expose('error', {
      type: TaskErrorRef,
      nullable: true,
      description: 'Null unless it went wrong.',
    }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      description: 'When it was put into the queue.',
    }),
    sentAt: t.expose('sentAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the intent to send was committed; null before.',
    }),
    finishedAt: t.expose('finishedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Null while it lives, and while its outcome is unknown.',
    }),
  }),
})
