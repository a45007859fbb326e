import type { NextDeliveryState } from '../../db/webhooks/deliveries.ts'
import type { DeliveryRow } from '../../db/tables/tables.ts'
import { getTask } from '../../db/tasks/tasks.ts'
import type { Deps } from '../deps.ts'
import type { TryResult } from './try.ts'

/** Runs `post` in a span of the task's trace. */
export async function instrumentedPost(
  deps: Pick<Deps, 'db' | 'tracing'>,
  { id, taskId, event, tries }: DeliveryRow,
  post: () => Promise<TryResult | 'ABORTED'>,
): Promise<TryResult | 'ABORTED'> {
  // Only a trace needs the task.
  const parent = deps.tracing.isEnabled ? (await getTask(deps.db.read, taskId)).traceparent : null
  const attributes = {
    'darkroom.task.id': taskId,
    'darkroom.delivery.id': id,
    'darkroom.delivery.event': event,
    'darkroom.delivery.try': tries + 1,
  }
  return deps.tracing.span('webhook delivery', { kind: 'CLIENT', parent, attributes }, async (span) => {
    const result = await post()
    if (result === 'ABORTED') span.set({ 'error.type': 'ABORTED' })
    else span.set({ 'http.response.status_code': result.httpStatus, 'error.type': result.failure })
    return result
  })
}

export function countTry(
  { metrics }: Pick<Deps, 'metrics'>,
  { failure }: TryResult,
  { state }: NextDeliveryState,
): void {
  metrics.webhookTries.inc({ result: failure?.toLowerCase() ?? 'delivered' })
  if (state !== 'PENDING') metrics.deliveriesEnded.inc({ state: state.toLowerCase() })
}
