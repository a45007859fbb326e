// What webhooks are told, written down together with what happened.
import { assetPath } from '../../assets/address.ts'
import { listAssets } from '../../db/tasks/assets.ts'
import type { Transaction } from '../../db/connection/database.ts'
import { insertDelivery } from '../../db/webhooks/deliveries.ts'
import type { AssetRow, AttemptRow, TaskRow } from '../../db/tables/tables.ts'
import { listEndpoints } from '../../db/webhooks/endpoints.ts'
import type { TaskStatus, Usage, WebhookEvent } from '../../domain.ts'
import { newId } from '../../ids.ts'
import type { Deps } from '../deps.ts'
import { chargedOfAll, costOfAll, usageOfAll } from '../../db/attempts/totals.ts'

const EVENTS: Partial<Record<TaskStatus, WebhookEvent>> = {
  SUCCEEDED: 'TASK_SUCCEEDED',
  FAILED: 'TASK_FAILED',
  CANCELED: 'TASK_CANCELED',
  OUTCOME_UNKNOWN: 'TASK_OUTCOME_UNKNOWN',
}

/**
 * Puts what has become of a task into the outbox, one delivery for each webhook that listens and one for the task's own
 * callback address: in the transaction that ends it, so that neither is there without the other. Does nothing for a
 * status of which nobody is told. `seq` is the number of the event in the task's log.
 */
export async function putIntoOutbox(
  q: Transaction,
  deps: Pick<Deps, 'publicUrl' | 'assetPath'>,
  task: TaskRow,
  of: { attempts: AttemptRow[]; seq: number; at: number },
): Promise<void> {
  const event = EVENTS[task.status]
  if (!event) return
  const to = await findReceivers(q, task, event)
  if (to.length === 0) return
  const images = (await listAssets(q, [task.id])).filter(({ kind }) => kind === 'FINAL')
  const payload = JSON.stringify(payloadOf(task, event, { ...of, images, ...deps }))
  const { id: taskId, projectId } = task
  for (const receiver of to) {
    const row = { taskId, projectId, event, payload, seq: of.seq, createdAt: of.at }
    await insertDelivery(q, { ...row, ...receiver, id: newId('dlv', of.at) })
  }
}

interface Receiver {
  /** Null for the task's own callback address. */
  endpointId: string | null
  url: string
  lane: string
}

async function findReceivers(q: Transaction, task: TaskRow, event: WebhookEvent): Promise<Receiver[]> {
  const { callbackUrl } = task.request
  const endpoints = await listEndpoints(q, task.projectId)
  return [
    ...endpoints
      .filter(({ disabledAt, events }) => disabledAt === null && (events?.includes(event) ?? true))
      .map(({ id, url }) => ({ endpointId: id, url, lane: id })),
    ...(callbackUrl ? [{ endpointId: null, url: callbackUrl, lane: new URL(callbackUrl).origin }] : []),
  ]
}

/** `task.succeeded` and its kind: the `type` of a payload. */
function typeOf(event: WebhookEvent): string {
  return event.toLowerCase().replace('_', '.')
}

/** Links to the pictures and never their bytes: a payload stays small, whatever was painted. */
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

/** In the shape that GraphQL gives it. */
function toJson(usage: Usage | null) {
  if (!usage) return null
  const { inputTextTokens, inputImageTokens, outputTextTokens, outputImageTokens, ...counts } = usage
  return {
    ...counts,
    inputTokensDetails: { textTokens: inputTextTokens, imageTokens: inputImageTokens },
    outputTokensDetails: { textTokens: outputTextTokens, imageTokens: outputImageTokens },
  }
}
