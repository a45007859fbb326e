import type { DeliveryRow, EndpointRow, TryRow } from '../db/tables/tables.ts'
import { findTask } from '../db/tasks/tasks.ts'
import { countDeliveries, listDeliveries } from '../db/webhooks/deliveries.ts'
import { findEndpoint, listEndpoints } from '../db/webhooks/endpoints.ts'
import { MAX_WEBHOOKS } from '../engine/webhooks/endpoints.ts'
import { builder } from './builder.ts'
import { connectionType, keysetOf, pageArguments, readPage, weightOfPage } from './connection.ts'
import * as enums from './enums.ts'
import { exposeAll, exposeNullable } from './expose.ts'
import { mutation } from './mutation.ts'
import { NodeRef } from './node.ts'
import { requires } from './scopes.ts'
import { TaskRef } from './tasks/task.ts'

const WebhookRef = builder.objectRef<EndpointRow>('Webhook').implement({
  description:
    'A registered URL that receives a signed POST when a task of the project ends (standardwebhooks.com).',
  interfaces: [NodeRef],
  fields: (t) => ({
    ...exposeAll(t, 'URL', {
      url: 'Receiver of the messages. It cannot be changed; register another webhook instead.',
    }),
    ...exposeNullable(t, [enums.WebhookEvent], {
      events: 'Kinds of messages to send. Null for all, including kinds that are added later.',
    }),
    ...exposeNullable(t, 'String', {
      description: 'Note for people, up to 200 characters. Null without one.',
    }),
    ...exposeAll(t, 'DateTime', {
      createdAt: 'Time of registration. Earlier ends of tasks are not delivered.',
    }),
    ...exposeNullable(t, 'DateTime', {
      disabledAt: 'Time of a response with status 410, after which nothing is sent. Null while active.',
      deletedAt: 'Time of deleteWebhook; only the history remains. Null while registered.',
    }),
  }),
})

const TryRef = builder.objectRef<TryRow>('WebhookTry').implement({
  description: 'One POST of a delivery to its receiver, and the response.',
  fields: (t) => ({
    ...exposeAll(t, 'Int', {
      number: 'Position within the delivery, from 1.',
      durationMs: 'Milliseconds until the response, or until it was given up.',
    }),
    ...exposeAll(t, 'DateTime', { at: 'Time at which it was signed and sent.' }),
    ...exposeNullable(t, 'Int', {
      httpStatus: 'Status code of the response, 100 to 599. Null if none was received.',
    }),
    ...exposeNullable(t, enums.DeliveryFailure, {
      failure: 'Reason of the failure. Null if the response had a 2xx status.',
    }),
  }),
})

const DeliveryRef = builder.objectRef<DeliveryRow>('WebhookDelivery').implement({
  description:
    'One message to one receiver, delivered at least once. Its id is the header `webhook-id` of every try. Kept for 30 days ' +
    'after its end by default.',
  interfaces: [NodeRef],
  fields: (t) => ({
    ...exposeAll(t, enums.WebhookEvent, { event: 'What happened to the task, or that it is a test.' }),
    ...exposeAll(t, enums.DeliveryState, {
      state: 'PENDING until the receiver responds with a 2xx status or it is given up.',
    }),
    ...exposeAll(t, 'URL', { url: 'Receiver of the POST requests.' }),
    ...exposeAll(t, 'String', {
      payload: 'JSON text that is signed and sent, byte for byte the same in every try.',
    }),
    ...exposeAll(t, 'DateTime', { createdAt: 'Time of the event that the payload describes.' }),
    ...exposeNullable(t, 'DateTime', {
      finishedAt: 'Time at which it succeeded or was given up. Null while PENDING.',
    }),
    task: t.field({
      type: TaskRef,
      nullable: true,
      description:
        'Current state of the task. `payload` has its state at the time of the event. Null for a test.',
      resolve: async ({ taskId }, _, { db, projectId }) =>
        taskId === null ? null : ((await findTask(db.read, projectId, taskId)) ?? null),
    }),
    webhook: t.field({
      type: WebhookRef,
      nullable: true,
      description: 'Registered receiver. Null if the receiver is the `callbackUrl` of the task.',
      resolve: async ({ endpointId }, _, { db, projectId }) =>
        (endpointId !== null && (await findEndpoint(db.read, projectId, endpointId))) || null,
    }),
    tries: t.field({
      type: [TryRef],
      description: 'POST requests so far, oldest first.',
      resolve: ({ id }, _, { loaders }) => loaders.tries.load(id),
    }),
    nextTryAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'Earliest time of the next POST. Null once it has ended.',
      resolve: ({ state, nextAt }) => (state === 'PENDING' ? nextAt : null),
    }),
  }),
})

const newestFirst = keysetOf<DeliveryRow>('dlv', ({ createdAt }) => createdAt)

const DeliveryConnectionRef = connectionType<DeliveryRow>('WebhookDelivery', {
  description: 'A page of deliveries, newest first.',
  node: DeliveryRef,
  keyset: newestFirst,
})

builder.objectField(TaskRef, 'webhookDeliveries', (t) =>
  t.field({
    type: [DeliveryRef],
    description: 'Messages about the end of the task to all receivers, oldest first.',
    resolve: ({ id }, _, { loaders }) => loaders.deliveries.load(id),
  }),
)

builder.queryFields((t) => ({
  webhooks: t.field({
    type: [WebhookRef],
    ...requires('READ', `Registered webhooks of the project, oldest first, at most ${MAX_WEBHOOKS}.`),
    resolve: (_, __, { db, projectId }) => listEndpoints(db.read, projectId),
  }),
  webhookDeliveries: t.field({
    type: DeliveryConnectionRef,
    ...requires('READ', 'Deliveries of the project, newest first. Errors: CURSOR_INVALID.'),
    complexity: (page) => weightOfPage(page),
    args: {
      ...pageArguments(),
      webhookId: t.arg.id({ description: 'Only deliveries to this webhook, whk_….' }),
      state: t.arg({ type: enums.DeliveryState, description: 'Only deliveries in this state.' }),
    },
    resolve(_, { webhookId, state, ...page }, { db, projectId }) {
      const filter = { endpointId: webhookId ?? undefined, state: state ?? undefined }
      // Only the whole list is in the order of an index.
      const q = webhookId == null && state == null ? db.read : db.reports
      return readPage(page, newestFirst, {
        list: (range) => listDeliveries(q, projectId, filter, range),
        count: () => countDeliveries(db.reports, projectId, filter),
      })
    },
  }),
  webhookSecret: t.string({
    ...requires(
      'ADMIN',
      "Key that verifies messages to a task's `callbackUrl`, whsec_…, created when first needed. Registered webhooks have " +
        'their own.',
    ),
    resolve: (_, __, { engine, projectId }) => engine.webhookSecret(projectId),
  }),
}))

mutation('createWebhook', {
  right: requires(
    'ADMIN',
    `Registers a webhook. Errors: CONFLICT if the project has ${MAX_WEBHOOKS} webhooks.`,
  ),
  input: {
    description: 'URL of a new webhook, and the events to send.',
    fields: (t) => ({
      url: t.field({
        type: 'URL',
        required: true,
        description: 'Public https URL on port 443 or 80, without user name and password.',
      }),
      events: t.field({
        type: [enums.WebhookEvent],
        description: 'Kinds of messages to send, at least one. All by default.',
      }),
      description: t.string({ description: 'Note for people, up to 200 characters.' }),
    }),
  },
  async resolve({ url, events, description }, { engine, projectId }) {
    const settings = { url, events: events ?? null, description: description ?? null }
    const webhook = await engine.createWebhook(projectId, settings)
    return { webhook, secret: webhook.secret }
  },
  payload: (t) => ({
    ...exposeNullable(t, WebhookRef, { webhook: 'The registered receiver.' }),
    ...exposeAll(t, 'String', {
      secret:
        'Key that verifies the signatures, whsec_… with 32 random bytes. Store it now: it cannot be read again.',
    }),
  }),
})

mutation('updateWebhook', {
  right: requires(
    'ADMIN',
    'Changes a webhook. Pending deliveries stay. Errors: NOT_FOUND; CONFLICT if it was deleted.',
  ),
  input: {
    description: 'New settings of a webhook. An absent field stays as it is.',
    fields: (t) => ({
      id: t.id({ required: true, description: 'Id returned by createWebhook, whk_….' }),
      events: t.field({
        type: [enums.WebhookEvent],
        description: 'Kinds of messages to send, at least one. Null for all.',
      }),
      description: t.string({ description: 'Note for people, up to 200 characters. Null removes it.' }),
      enable: t.boolean({
        defaultValue: false,
        description: 'Whether to send to it again after a response with status 410. False changes nothing.',
      }),
    }),
  },
  resolve: async ({ id, events, description, enable }, { engine, projectId }) => ({
    webhook: await engine.updateWebhook(projectId, id, {
      events,
      description,
      ...(enable && { enabled: true }),
    }),
  }),
  payload: (t) => exposeNullable(t, WebhookRef, { webhook: 'The webhook with all its settings.' }),
})

mutation('deleteWebhook', {
  right: requires(
    'ADMIN',
    'Deletes a webhook and gives up its pending deliveries. Its history remains. Idempotent. Errors: NOT_FOUND.',
  ),
  input: {
    description: 'Id of the webhook.',
    fields: (t) => ({ id: t.id({ required: true, description: 'Id returned by createWebhook, whk_….' }) }),
  },
  resolve: async ({ id }, { engine, projectId }) => ({ webhook: await engine.deleteWebhook(projectId, id) }),
  payload: (t) => exposeNullable(t, WebhookRef, { webhook: 'The webhook, with `deletedAt`.' }),
})

mutation('sendTestWebhook', {
  right: requires(
    'ADMIN',
    'Sends a signed message of the type webhook.test to a webhook at once, whatever events it has chosen. One POST, without ' +
      'further tries: `WebhookDelivery.tries` has its result within seconds. Errors: NOT_FOUND; CONFLICT if it was deleted or ' +
      'disabled.',
  ),
  input: {
    description: 'Id of the webhook.',
    fields: (t) => ({ id: t.id({ required: true, description: 'Id returned by createWebhook, whk_….' }) }),
  },
  resolve: async ({ id }, { engine, projectId }) => ({
    delivery: await engine.sendTestWebhook(projectId, id),
  }),
  payload: (t) => exposeNullable(t, DeliveryRef, { delivery: 'The test message, PENDING at first.' }),
})

mutation('redeliverWebhook', {
  right: requires(
    'ADMIN',
    'Sends a message again at once, delivered or not: same id and payload, new signature, full schedule of tries. Errors: ' +
      'NOT_FOUND; CONFLICT if the webhook was deleted or disabled.',
  ),
  input: {
    description: 'Id of the delivery.',
    fields: (t) => ({
      deliveryId: t.id({ required: true, description: 'Id of a delivery in any state, dlv_….' }),
    }),
  },
  resolve: async ({ deliveryId }, { engine, projectId }) => ({
    delivery: await engine.redeliverWebhook(projectId, deliveryId),
  }),
  payload: (t) => exposeNullable(t, DeliveryRef, { delivery: 'The message, PENDING again.' }),
})
