import type { Transaction } from '../../db/connection/database.ts'
import { failDeliveries, findDelivery, restartDelivery } from '../../db/webhooks/deliveries.ts'
import type { DeliveryRow, EndpointRow } from '../../db/tables/tables.ts'
import {
  closeEndpoint,
  findEndpoint,
  findWebhookSecret,
  insertEndpoint,
  insertWebhookSecretIfAbsent,
  listEndpoints,
  updateEndpoint,
} from '../../db/webhooks/endpoints.ts'
import type { WebhookEvent } from '../../domain.ts'
import { badInput, conflict, notFound } from '../../errors.ts'
import { newId } from '../../ids.ts'
import { checkUrl } from '../../providers/wire/address.ts'
import type { Deps } from '../deps.ts'
import { enqueueTest } from './outbox.ts'
import { newWebhookSecret } from './signature.ts'

export interface WebhookInput {
  url: string
  /** Null: all. */
  events: WebhookEvent[] | null
  description: string | null
}

/** Each adds a row when a task ends. */
export const MAX_WEBHOOKS = 20
const MAX_DESCRIPTION_LENGTH = 200

/** Throws BAD_USER_INPUT, and CONFLICT at MAX_WEBHOOKS. */
export async function createWebhook(
  deps: Pick<Deps, 'clock' | 'db' | 'webhookRule'>,
  projectId: string,
  input: WebhookInput,
): Promise<EndpointRow & { secret: string }> {
  const { url, description } = input
  const problem = checkUrl(url, deps.webhookRule)
  if (problem) throw badInput('url', `The url ${problem}.`)
  checkSettings(input)
  const createdAt = deps.clock.now()
  const secret = newWebhookSecret()
  const events = withoutRepeats(input.events)
  const id = newId('whk', createdAt)
  const row = await deps.db.tx(async (q) => {
    if ((await listEndpoints(q, projectId)).length >= MAX_WEBHOOKS)
      throw conflict(`The project has ${MAX_WEBHOOKS} webhooks, which is the maximum. Delete one first.`)
    return insertEndpoint(q, { id, projectId, url, events, description, secret, createdAt })
  })
  return { ...row, secret }
}

/** Absent fields stay as they are. */
export interface WebhookChange {
  events?: WebhookEvent[] | null | undefined
  description?: string | null | undefined
  /** True: after a 410, the receiver gets messages again. */
  enabled?: true | undefined
}

/** Throws BAD_USER_INPUT, NOT_FOUND, and CONFLICT for a deleted webhook. */
export async function updateWebhook(
  deps: Pick<Deps, 'db'>,
  projectId: string,
  id: string,
  { events, description, enabled }: WebhookChange,
): Promise<EndpointRow> {
  checkSettings({ events: events ?? null, description: description ?? null })
  return deps.db.tx(async (q) => {
    const found = await getEndpoint(q, projectId, id)
    if (found.deletedAt !== null) throw conflict(`The webhook ${id} was deleted.`, 'id')
    const set = {
      ...(events !== undefined && { events: withoutRepeats(events) }),
      ...(description !== undefined && { description }),
      ...(enabled && { disabledAt: null }),
    }
    return Object.keys(set).length === 0 ? found : updateEndpoint(q, id, set)
  })
}

function checkSettings({ events, description }: Pick<WebhookInput, 'events' | 'description'>): void {
  if (events?.length === 0)
    throw badInput('events', 'events is empty. Name at least one event, or leave it out for all.')
  if (events?.includes('WEBHOOK_TEST'))
    throw badInput('events', 'events has WEBHOOK_TEST, which only sendTestWebhook sends. Leave it out.')
  const isText = description === null || (description.isWellFormed() && !description.includes('\0'))
  if (!isText || (description?.length ?? 0) > MAX_DESCRIPTION_LENGTH)
    throw badInput('description', `description must be text of up to ${MAX_DESCRIPTION_LENGTH} characters.`)
}

function withoutRepeats(events: WebhookEvent[] | null): WebhookEvent[] | null {
  return events && [...new Set(events)]
}

/** Fails pending deliveries, which stay on record. Idempotent. Throws NOT_FOUND. */
export async function deleteWebhook(
  deps: Pick<Deps, 'clock' | 'db'>,
  projectId: string,
  id: string,
): Promise<EndpointRow> {
  return deps.db.tx(async (q) => {
    const found = await getEndpoint(q, projectId, id)
    if (found.deletedAt !== null) return found
    const at = deps.clock.now()
    await closeEndpoint(q, id, { deletedAt: at, secret: null })
    await failDeliveries(q, id, at)
    return { ...found, deletedAt: at, secret: null }
  })
}

/** Keeps id and payload. Throws NOT_FOUND, and CONFLICT for a deleted or disabled webhook. */
export async function redeliverWebhook(
  deps: Pick<Deps, 'db'>,
  projectId: string,
  id: string,
): Promise<DeliveryRow> {
  return deps.db.tx(async (q) => {
    const delivery = await findDelivery(q, projectId, id)
    if (!delivery) throw notFound('delivery', id, 'deliveryId')
    if (delivery.endpointId !== null) {
      const closed = closedBy(await getEndpoint(q, projectId, delivery.endpointId))
      if (closed)
        throw conflict(`The webhook of ${id} ${closed}; it gets no further deliveries.`, 'deliveryId')
    }
    return restartDelivery(q, id)
  })
}

/** Due now, whatever its events. Throws NOT_FOUND, and CONFLICT for a deleted or disabled webhook. */
export async function sendTestWebhook(
  { clock, db }: Pick<Deps, 'clock' | 'db'>,
  projectId: string,
  id: string,
): Promise<DeliveryRow> {
  return db.tx(async (q) => {
    const endpoint = await getEndpoint(q, projectId, id)
    const closed = closedBy(endpoint)
    if (closed) throw conflict(`The webhook ${id} ${closed}; it gets no further deliveries.`, 'id')
    const deliveryId = await enqueueTest(q, endpoint, clock.now())
    return (await findDelivery(q, projectId, deliveryId))!
  })
}

/** Completes "the webhook …". */
function closedBy({ deletedAt, disabledAt }: EndpointRow): string | undefined {
  if (deletedAt !== null) return 'was deleted'
  return disabledAt === null ? undefined : 'is disabled'
}

/** Created on first use. */
export async function ensureWebhookSecret(deps: Pick<Deps, 'db'>, projectId: string): Promise<string> {
  const known = await findWebhookSecret(deps.db.read, projectId)
  return known ?? deps.db.tx((q) => insertWebhookSecretIfAbsent(q, projectId, newWebhookSecret()))
}

async function getEndpoint(q: Transaction, projectId: string, id: string): Promise<EndpointRow> {
  const found = await findEndpoint(q, projectId, id)
  if (!found) throw notFound('webhook', id, 'id')
  return found
}
