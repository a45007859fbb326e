// Posts to webhooks as dashboards and traces see them.
import type { AfterTry } from '../../db/webhooks/deliveries.ts'
import type { DeliveryRow } from '../../db/tables/tables.ts'
import { getTask } from '../../db/tasks/tasks.ts'
import type { Deps } from '../deps.ts'
import type { Tried } from './try.ts'

/** Posts, in a span of the task's own trace. */
export async function instrumentedPost(
  deps: Pick<Deps, 'db' | 'tracing'>,
  { id, taskId, event, tries }: DeliveryRow,
  post: () => Promise<Tried | 'CUT'>,
): Promise<Tried | 'CUT'> {
  // Only a trace needs the task.
  const parent = deps.tracing.on ? (await getTask(deps.db.read, taskId)).traceparent : null
  const attributes = {
    'darkroom.task.id': taskId,
    'darkroom.delivery.id': id,
    'darkroom.delivery.event': event,
    'darkroom.delivery.try': tries + 1,
  }
  return deps.tracing.span('webhook delivery', { kind: 'CLIENT', parent, attributes }, async (span) => {
    const tried = await post()
    if (tried === 'CUT') span.set({ 'error.type': 'CUT' })
    else span.set({ 'http.response.status_code': tried.httpStatus, 'error.type': tried.failure })
    return tried
  })
}

/** A try was written down. */
export function countTry(
  { metrics: { done } }: Pick<Deps, 'metrics'>,
  { failure }: Tried,
  { state }: AfterTry,
): void {
  done.webhookTries.inc({ result: failure?.toLowerCase() ?? 'delivered' })
  if (state !== 'PENDING') done.webhooksEnded.inc({ state: state.toLowerCase() })
}
