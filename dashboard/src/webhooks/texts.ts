// Events, states and failures of webhooks in words.
import type { DeliveryRow, WebhookDeliveryState, WebhookEvent, WebhookFailure } from '../api/generated.ts'
import { formatDuration, formatWait } from '../format/time.ts'

/** Those that a webhook can choose, and their `type` in the message. */
export const EVENTS: readonly { event: WebhookEvent; text: string; type: string }[] = [
  { event: 'TASK_SUCCEEDED', text: 'A task succeeded', type: 'task.succeeded' },
  { event: 'TASK_FAILED', text: 'A task failed', type: 'task.failed' },
  { event: 'TASK_CANCELED', text: 'A task was canceled', type: 'task.canceled' },
  { event: 'TASK_OUTCOME_UNKNOWN', text: 'An outcome is unknown', type: 'task.outcome_unknown' },
]

export function eventType(event: WebhookEvent): string {
  return EVENTS.find((one) => one.event === event)?.type ?? 'webhook.test'
}

export function eventsText(events: readonly WebhookEvent[] | null): string {
  return events === null ? 'all events' : events.map(eventType).join(', ')
}

export const STATE_TEXTS: Readonly<Record<WebhookDeliveryState, string>> = {
  SUCCEEDED: 'Delivered',
  PENDING: 'Pending',
  FAILED: 'Failed',
}

const FAILURES: Readonly<Record<WebhookFailure, string>> = {
  ADDRESS_FORBIDDEN: 'the host resolves to an address that is not public',
  GONE: 'the receiver is gone, the webhook was disabled',
  REDIRECTED: 'redirects are not followed',
  REFUSED: 'the receiver refused it',
  TIMED_OUT: 'no response within 15 seconds',
  UNREACHABLE: 'no connection',
}

type Try = DeliveryRow['tries'][number]

/** `HTTP 204 in 35 ms`, `HTTP 500 in 12 ms: the receiver refused it`. */
export function tryText({ httpStatus, durationMs, failure }: Try): string {
  const response = httpStatus === null ? 'no response' : `HTTP ${httpStatus}`
  const reason = failure === null ? '' : `: ${FAILURES[failure]}`
  return `${response} in ${formatDuration(durationMs)}${reason}`
}

/** What happens next to a pending delivery, else the result of its last try. */
export function progressText({ state, tries, nextTryAt }: DeliveryRow, now: number): string {
  const last = tries.at(-1)
  const text = last ? tryText(last) : 'not sent yet'
  if (state !== 'PENDING' || nextTryAt === null) return text
  const waitMs = Date.parse(nextTryAt) - now
  if (waitMs < 1_000) return last ? `${text}; next try now` : 'sending'
  return `${text}; next try in ${waitMs < 60_000 ? formatDuration(waitMs) : formatWait(waitMs)}`
}
