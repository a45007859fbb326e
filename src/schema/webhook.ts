import type { EndpointRow } from '../db/tables/tables.ts'
import { listEndpoints } from '../db/webhooks/endpoints.ts'
import { MAX_WEBHOOKS } from '../engine/webhooks/endpoints.ts'
import { builder } from './builder.ts'
import * as enums from './enums.ts'
import { exposeAll, exposeNullable } from './expose.ts'
import { NodeRef } from './node.ts'
import { requires } from './scopes.ts'

export const WebhookRef = builder.objectRef<EndpointRow>('Webhook').implement({
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
      secret:
        'Key that verifies the signatures, whsec_… with 32 random bytes. Present in the result of createWebhook only, else null.',
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

export function withoutSecret(row: EndpointRow): EndpointRow {
  return { ...row, secret: null }
}

const CreateWebhookInput = builder.inputType('CreateWebhookInput', {
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
})

builder.queryFields((t) => ({
  webhooks: t.field({
    type: [WebhookRef],
    ...requires('READ', `Registered webhooks of the project, oldest first, at most ${MAX_WEBHOOKS}.`),
    resolve: async (_, __, { db, projectId }) => (await listEndpoints(db.read, projectId)).map(withoutSecret),
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

builder.mutationFields((t) => ({
  createWebhook: t.field({
    type: WebhookRef,
    ...requires(
      'ADMIN',
      'Registers a webhook. Only this result has its `secret`. Errors: CONFLICT if the project has ' +
        `${MAX_WEBHOOKS} webhooks.`,
    ),
    args: {
      input: t.arg({ type: CreateWebhookInput, required: true, description: 'URL and events.' }),
    },
    resolve: (_, { input: { url, events, description } }, { engine, projectId }) =>
      engine.createWebhook(projectId, { url, events: events ?? null, description: description ?? null }),
  }),
  deleteWebhook: t.field({
    type: WebhookRef,
    ...requires(
      'ADMIN',
      'Deletes a webhook and gives up its pending deliveries. Its history remains. Idempotent. Errors: NOT_FOUND.',
    ),
    args: { id: t.arg.id({ required: true, description: 'Id returned by createWebhook, whk_….' }) },
    resolve: (_, { id }, { engine, projectId }) => engine.deleteWebhook(projectId, id),
  }),
}))
