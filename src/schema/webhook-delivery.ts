import { listDeliveries } from '../db/webhooks/deliveries.ts'
import type { DeliveryRow, TryRow } from '../db/tables/tables.ts'
import { findTask } from '../db/tasks/tasks.ts'
import { findEndpoint } from '../db/webhooks/endpoints.ts'
import { GatewayError } from '../errors.ts'
import { idPrefix } from '../ids.ts'
import { builder } from './builder.ts'
import { firstArgument, readFirst, weightOfPage } from './connection.ts'
import { DeliveryFailureEnum, DeliveryStateEnum, WebhookEventEnum } from './enums.ts'
import { NodeRef } from './node.ts'
import { TaskRef } from './task.ts'
import { WebhookRef, withoutSecret } from './webhook.ts'

const TryRef = builder.objectRef<TryRow>('WebhookTry').implement({
  description: 'One POST to a receiver, and what came of it.',
  fields: (t) => ({
    number: t.exposeInt('number', { description: '1 for the first of a delivery.' }),
    at: t.expose('at', { type: 'DateTime', description: 'When it was signed and sent.' }),
    durationMs: t.exposeInt('durationMs', {
      description: 'How long it took until the answer, or until it was given up, in milliseconds.',
    }),
    httpStatus: t.exposeInt('httpStatus', {
      nullable: true,
      description: 'Of the answer, 100 to 599; null when none came.',
    }),
    failure: t.expose('failure', {
      type: DeliveryFailureEnum,
      nullable: true,
      description: 'Null when the receiver answered with a 2xx status.',
    }),
  }),
})

const DeliveryRef = builder.objectRef<DeliveryRow>('WebhookDelivery').implement({
  description:
    'One message on its way to one receiver, delivered at least once. Its id is the `webhook-id` of every try.',
  interfaces: [NodeRef],
  fields: (t) => ({
    event: t.expose('event', {
      type: WebhookEventEnum,
      description: 'What happened to the task.',
    }),
    state: t.expose('state', {
      type: DeliveryStateEnum,
      description: 'PENDING until a receiver answered 2xx or it was given up.',
    }),
    task: t.field({
      type: TaskRef,
      nullable: true,
      description: 'The one it is about, as it stands now; the payload says how it stood.',
      resolve: async ({ taskId }, _, { db, projectId }) =>
        (await findTask(db.read, projectId, taskId)) ?? null,
    }),
    webhook: t.field({
      type: WebhookRef,
      nullable: true,
      description: 'The registered receiver; null when it goes to the `callbackUrl` of its task.',
      async resolve({ endpointId }, _, { db, projectId }) {
        const found = endpointId === null ? undefined : await findEndpoint(db.read, projectId, endpointId)
        return found ? withoutSecret(found) : null
      },
    }),
    url: t.expose('url', { type: 'URL', description: 'Where it is posted to.' }),
    payload: t.exposeString('payload', {
      description: 'The JSON text that is signed and sent, byte for byte the same in every try.',
    }),
    tries: t.field({
      type: [TryRef],
      description: 'What was attempted so far, oldest first.',
      resolve: ({ id }, _, { loaders }) => loaders.tries.load(id),
    }),
    nextTryAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'Not before this moment; null once it has ended.',
      resolve: ({ state, nextAt }) => (state === 'PENDING' ? nextAt : null),
    }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      description: 'When the task came to stand as the payload says.',
    }),
    finishedAt: t.expose('finishedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was received or given up; null while it is PENDING.',
    }),
  }),
})

builder.queryFields((t) => ({
  webhookDeliveries: t.field({
    type: [DeliveryRef],
    description: 'What receivers of the project were or are to be told, newest first.',
    extensions: { scope: 'READ' },
    complexity: ({ first }) => weightOfPage(first),
    args: {
      ...firstArgument(),
      after: t.arg.id({ description: 'The id of the last one seen; from the newest when left out.' }),
      webhookId: t.arg.id({ description: 'Only to this receiver.' }),
      state: t.arg({ type: DeliveryStateEnum, description: 'Only those that stand so.' }),
    },
    resolve(_, { first: asked, after, webhookId, state }, { db, projectId }) {
      const first = readFirst(asked)
      if (after != null && idPrefix(after) !== 'dlv')
        throw new GatewayError('CURSOR_INVALID', 'A delivery id, dlv_…, is needed to go on behind it.', {
          field: 'after',
        })
      const filter = { endpointId: webhookId ?? undefined, state: state ?? undefined }
      return listDeliveries(db.read, projectId, filter, { first, before: after ?? undefined })
    },
  }),
}))

builder.objectField(TaskRef, 'webhookDeliveries', (t) =>
  t.field({
    type: [DeliveryRef],
    description: 'Who was or is to be told how it ended, oldest first.',
    resolve: ({ id }, _, { loaders }) => loaders.deliveries.load(id),
  }),
)

builder.mutationFields((t) => ({
  redeliverWebhook: t.field({
    type: DeliveryRef,
    description:
      'Sends a message again at once, received or not: under the same id, with the same payload and a new signature.',
    extensions: { scope: 'ADMIN' },
    args: { deliveryId: t.arg.id({ required: true, description: 'Of any delivery, dlv_….' }) },
    resolve: (_, { deliveryId }, { engine, projectId }) => engine.redeliverWebhook(projectId, deliveryId),
  }),
}))
