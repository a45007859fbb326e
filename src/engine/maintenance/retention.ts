/** How long data is kept after its end, in milliseconds; null keeps it forever. */
export interface Retention {
  /** Events, from the end of the task. */
  eventsMs: number | null
  /** Partial images, from the end of the task; at most `eventsMs`, because events refer to them. */
  partialImagesMs: number | null
  /** Webhook deliveries with their tries, from the end of the delivery. */
  deliveriesMs: number | null
  /** Provider callbacks, from the end of the attempt. */
  callbacksMs: number | null
}

/** Minimums of the configuration: within them the invariants check events and deliveries without exception. */
export const MIN_RETENTION = { eventsMs: 3_600_000, deliveriesMs: 7 * 86_400_000 } as const
