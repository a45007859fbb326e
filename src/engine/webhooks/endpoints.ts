import type { Transaction } from '../../db/connection/database.ts'
import { failDeliveries, findDelivery, restartDelivery } from '../../db/webhooks/deliveries.ts'
import type { DeliveryRow, EndpointRow } from '../../db/tables/tables.ts'
import {
  closeEndpoint,
  findEndpoint,
  findWebhookSecret,
  insertEndpoint,
  keepWebhookSecret,
  listEndpoints,
} from '../../db/webhooks/endpoints.ts'
import type { WebhookEvent } from '../../domain.ts'
import { badInput, GatewayError, notFound } from '../../errors.ts'
import { newId } from '../../ids.ts'
import { checkUrl } from '../../providers/wire/address.ts'
import type { Deps } from '../deps.ts'
import { newWebhookSecret } from './signature.ts'

/** A webhook as a client asks for it, nothing checked yet. */
export interface WebhookInput {
  url: string
  /** Null for all. */
  events: WebhookEvent[] | null
  description: string | null
}

/** How many webhooks a project may have: each makes every end of a task a little dearer. */
export const MAX_WEBHOOKS = 20

const MAX_DESCRIPTION_LENGTH = 200

/** Registers a webhook, with a secret of its own. Throws BAD_USER_INPUT, and CONFLICT when there are too many. */
export async function createWebhook(
  deps: Pick<Deps, 'clock' | 'db' | 'webhookRule'>,
  projectId: string,
  input: WebhookInput,
): Promise<EndpointRow & { secret: string }> {
  const problem = checkUrl(input.url, deps.webhookRule)
  if (problem) throw badInput('url', `The url ${problem}.`)
  if (input.events?.length === 0)
    throw badInput('events', 'The list of events is empty. Name at least one, or leave it out for all.')
  const { description } = input
  if (description !== null && (description.length > MAX_DESCRIPTION_LENGTH || !isText(description)))
    throw badInput('description', `A description is text of up to ${MAX_DESCRIPTION_LENGTH} characters.`)
  const createdAt = deps.clock.now()
  const secret = newWebhookSecret()
  const row = await deps.db.tx(async (q) => {
    if ((await listEndpoints(q, projectId)).length >= MAX_WEBHOOKS)
      throw new GatewayError(
        'CONFLICT',
        `There are ${MAX_WEBHOOKS} webhooks, which is the most. Delete one first.`,
      )
    const events = input.events && [...new Set(input.events)]
    const { url } = input
    return insertEndpoint(q, {
      id: newId('whk', createdAt),
      projectId,
      url,
      events,
      description,
      secret,
      createdAt,
    })
  })
  return { ...row, secret }
}

/** Deletes a webhook and gives up what is on its way to it; the history stays. Twice is once. Throws NOT_FOUND. */
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

/**
 * Sends a delivery again, under its id and with its old payload, whether it succeeded or not. Throws NOT_FOUND, and
 * CONFLICT when its webhook was deleted or disabled.
 */
export async function redeliverWebhook(
  deps: Pick<Deps, 'db'>,
  projectId: string,
  id: string,
): Promise<DeliveryRow> {
  return deps.db.tx(async (q) => {
    const delivery = await findDelivery(q, projectId, id)
    if (!delivery) throw notFound('delivery', id, 'deliveryId')
    if (delivery.endpointId !== null) {
      const { deletedAt, disabledAt } = await getEndpoint(q, projectId, delivery.endpointId)
      const closed = deletedAt !== null ? 'was deleted' : disabledAt !== null ? 'is disabled' : undefined
      if (closed)
        throw new GatewayError(
          'CONFLICT',
          `${delivery.endpointId}, to which ${id} went, ${closed}; nothing is sent there any more.`,
          { field: 'deliveryId' },
        )
    }
    return restartDelivery(q, id)
  })
}

/** The secret that signs what goes to callback addresses of a project's tasks, made when it is first needed. */
export async function findOrMakeSecret(deps: Pick<Deps, 'db'>, projectId: string): Promise<string> {
  const known = await findWebhookSecret(deps.db.read, projectId)
  return known ?? deps.db.tx((q) => keepWebhookSecret(q, projectId, newWebhookSecret()))
}

async function getEndpoint(q: Transaction, projectId: string, id: string): Promise<EndpointRow> {
  const found = await findEndpoint(q, projectId, id)
  if (!found) throw notFound('webhook', id, 'id')
  return found
}

function isText(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}
