// Parameters of the URL of the Webhooks pages.
import type { WebhookDeliveryState } from '../api/generated.ts'

export const STATES: readonly WebhookDeliveryState[] = ['FAILED', 'PENDING', 'SUCCEEDED']

export interface WebhooksSearch {
  /** Only deliveries in this state. */
  state?: WebhookDeliveryState | undefined
}

export function readWebhooksSearch({ state }: Readonly<Record<string, unknown>>): WebhooksSearch {
  const known = STATES.find((one) => one === state)
  return known ? { state: known } : {}
}
