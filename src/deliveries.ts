// Webhooks: what they report, and how a delivery ends.

export const WEBHOOK_EVENTS = [
  'TASK_SUCCEEDED',
  'TASK_FAILED',
  'TASK_CANCELED',
  'TASK_OUTCOME_UNKNOWN',
  'WEBHOOK_TEST',
] as const
export const DELIVERY_STATES = ['PENDING', 'SUCCEEDED', 'FAILED'] as const
export const DELIVERY_FAILURES = [
  'REFUSED',
  'REDIRECTED',
  'GONE',
  'TIMED_OUT',
  'UNREACHABLE',
  'ADDRESS_FORBIDDEN',
] as const

export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number]
export type DeliveryState = (typeof DELIVERY_STATES)[number]
export type DeliveryFailure = (typeof DELIVERY_FAILURES)[number]
