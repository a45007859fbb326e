import { assetPath } from '../../assets/address.ts'
import { listAssets } from '../../db/tasks/assets.ts'
import type { Transaction } from '../../db/connection/database.ts'
import { insertDelivery } from '../../db/webhooks/deliveries.ts'
import type { AssetRow, AttemptRow, EndpointRow, TaskRow } from '../../db/tables/tables.ts'
import { listEndpoints } from '../../db/webhooks/endpoints.ts'
import type { TaskStatus, Usage, WebhookEvent } from '../../domain.ts'
import { newId } from '../../ids.ts'
import type { Deps } from '../deps.ts'
import { chargedOfAll, costOfAll, svgUsageOf, usageOfAll } from '../../db/attempts/totals.ts'

const EVENTS: Partial<Record<TaskStatus, WebhookEvent>> = {
  SUCCEEDED: 'TASK_SUCCEEDED',
  FAILED: 'TASK_FAILED',
  CANCELED: 'TASK_CANCELED',
  OUTCOME_UNKNOWN: 'TASK_OUTCOME_UNKNOWN',
}

/**
 * One per subscribed webhook, and one for the task's callback URL. Call it in the transaction that changes
 * the status. `seq`: the event in the task's log.
 */
export async function enqueueDeliveries(
  q: Transaction,
  deps: Pick<Deps, 'publicUrl' | 'assetPath'>,
  task: TaskRow,
  of: { attempts: AttemptRow[]; seq: number; at: number },
): Promise<void> {
  const event = EVENTS[task.status]
  if (!event) return
  const receivers = await findReceivers(q, task, event)
  if (receivers.length === 0) return
  const images = (await listAssets(q, [task.id])).filter(({ kind }) => kind === 'FINAL')
  const payload = JSON.stringify(payloadOf(task, event, { ...of, images, ...deps }))
  const { id: taskId, projectId } = task
  for (const receiver of receivers) {
    const row = { taskId, projectId, event, payload, seq: of.seq, createdAt: of.at }
    await insertDelivery(q, { ...row, ...receiver, id: newId('dlv', of.at) })
  }
}

interface Receiver {
  /** Null: the callback URL. */
  endpointId: string | null
  url: string
  /** Webhook id, or the callback URL's origin. */
  slot: string
}

async function findReceivers(q: Transaction, task: TaskRow, event: WebhookEvent): Promise<Receiver[]> {
  const { callbackUrl } = task.request
  const endpoints = await listEndpoints(q, task.projectId)
  return [
    ...endpoints
      .filter(({ disabledAt, events }) => disabledAt === null && (events?.includes(event) ?? true))
      .map(({ id, url }) => ({ endpointId: id, url, slot: id })),
    ...(callbackUrl ? [{ endpointId: null, url: callbackUrl, slot: new URL(callbackUrl).origin }] : []),
  ]
}

/** URLs keep payloads small. */
function payloadOf(
  task: TaskRow,
  event: WebhookEvent,
  of: { attempts: AttemptRow[]; at: number; images: AssetRow[] } & Pick<Deps, 'publicUrl' | 'assetPath'>,
) {
  const pathOf = of.assetPath ?? (({ id, mimeType }: AssetRow) => assetPath(id, mimeType))
  return {
    type: typeOf(event),
    timestamp: new Date(of.at).toISOString(),
    data: {
      taskId: task.id,
      status: task.status,
      images: of.images.map((image) => ({
        id: image.id,
        url: `${of.publicUrl ?? ''}${pathOf(image)}`,
        width: image.width,
        height: image.height,
        mimeType: image.mimeType,
      })),
      usage: toJson(usageOfAll(of.attempts)),
      costMicros: costOfAll(of.attempts, task.status),
      charged: chargedOfAll(of.attempts),
      error: task.error,
    },
  }
}

/** Such as `task.succeeded`. */
function typeOf(event: WebhookEvent): string {
  return event.toLowerCase().replace('_', '.')
}

/** To one webhook, sent once. */
export async function enqueueTest(
  q: Transaction,
  { id: endpointId, projectId, url }: EndpointRow,
  at: number,
): Promise<string> {
  const id = newId('dlv', at)
  const event = 'WEBHOOK_TEST'
  const payload = JSON.stringify({
    type: typeOf(event),
    timestamp: new Date(at).toISOString(),
    data: { webhookId: endpointId },
  })
  const place = { endpointId, taskId: null, seq: 0, slot: endpointId }
  await insertDelivery(q, { ...place, id, projectId, event, url, payload, createdAt: at })
  return id
}

/** As in GraphQL. */
function toJson(usage: Usage | null) {
  if (!usage) return null
  const { inputTextTokens, inputImageTokens, outputTextTokens, outputImageTokens } = usage
  const { inputTokens, outputTokens, totalTokens, source } = usage
  const svg = svgUsageOf(usage)
  return {
    inputTokens,
    outputTokens,
    totalTokens,
    source,
    ...(svg && { svg }),
    inputTokensDetails: { textTokens: inputTextTokens, imageTokens: inputImageTokens },
    outputTokensDetails: { textTokens: outputTextTokens, imageTokens: outputImageTokens },
  }
}
