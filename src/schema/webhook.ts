import type { EndpointRow } from '../db/tables/tables.ts'
import { listEndpoints } from '../db/webhooks/endpoints.ts'
import { MAX_WEBHOOKS } from '../engine/webhooks/endpoints.ts'
import { builder } from './builder.ts'
import { WebhookEventEnum } from './enums.ts'
import { NodeRef } from './node.ts'

export const WebhookRef = builder.objectRef<EndpointRow>('Webhook').implement({
  description:
    'A registered address that is sent a signed POST when a task of the project ends (standardwebhooks.com).',
  interfaces: [NodeRef],
  fields: (t) => ({
    url: t.expose('url', {
      type: 'URL',
      description: 'Where messages are posted to. It never changes: register another one instead.',
    }),
    events: t.expose('events', {
      type: [WebhookEventEnum],
      nullable: true,
      description: 'What it is told; null for everything, kinds that are added later included.',
    }),
    description: t.exposeString('description', {
      nullable: true,
      description: 'For people, up to 200 characters; null without one.',
    }),
    secret: t.exposeString('secret', {
      nullable: true,
      description:
        'whsec_… with 32 random bytes: verifies the signatures. Shown in the answer of createWebhook and never again; null everywhere else.',
    }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      description: 'When it was registered; earlier ends of tasks are not told.',
    }),
    disabledAt: t.expose('disabledAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it answered 410, since which nothing is sent; null while it is active.',
    }),
    deletedAt: t.expose('deletedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Null unless it was removed and is here only as history.',
    }),
  }),
})

/** What everybody but the one who made it may see. */
export function withoutSecret(row: EndpointRow): EndpointRow {
  return { ...row, secret: null }
}

const CreateWebhookInput = builder.inputType('CreateWebhookInput', {
  description: 'An address to be told, and of what.',
  fields: (t) => ({
    url: t.field({
      type: 'URL',
      required: true,
      description: 'Public and https, on port 443 or 80, without user name and password.',
    }),
    events: t.field({ type: [WebhookEventEnum], description: 'At least one; everything when left out.' }),
    description: t.string({ description: 'For people, up to 200 characters.' }),
  }),
})

builder.queryFields((t) => ({
  webhooks: t.field({
    type: [WebhookRef],
    description: `The registered ones of the project, oldest first: ${MAX_WEBHOOKS} at most.`,
    extensions: { scope: 'READ' },
    resolve: async (_, __, { db, projectId }) => (await listEndpoints(db.read, projectId)).map(withoutSecret),
  }),
  webhookSecret: t.string({
    description:
      'whsec_…, made when it is first needed: verifies what is posted to the `callbackUrl` of a task. Registered webhooks have secrets of their own.',
    extensions: { scope: 'ADMIN' },
    resolve: (_, __, { engine, projectId }) => engine.webhookSecret(projectId),
  }),
}))

builder.mutationFields((t) => ({
  createWebhook: t.field({
    type: WebhookRef,
    description: 'Registers an address that is told when tasks end. Only this answer holds its `secret`.',
    extensions: { scope: 'ADMIN' },
    args: {
      input: t.arg({
        type: CreateWebhookInput,
        required: true,
        description: 'The address, and which events it listens for.',
      }),
    },
    resolve: (_, { input: { url, events, description } }, { engine, projectId }) =>
      engine.createWebhook(projectId, { url, events: events ?? null, description: description ?? null }),
  }),
  deleteWebhook: t.field({
    type: WebhookRef,
    description: 'Removes a webhook: what is on its way to it is given up. Its history stays. Twice is once.',
    extensions: { scope: 'ADMIN' },
    args: { id: t.arg.id({ required: true, description: 'As createWebhook answered it, whk_….' }) },
    resolve: (_, { id }, { engine, projectId }) => engine.deleteWebhook(projectId, id),
  }),
}))
