/** After the end, in milliseconds; null: forever. */
export interface Retention {
  /** Of the task. */
  eventsMs: number | null
  /** Of the task; at most `eventsMs`: events refer to them. */
  partialImagesMs: number | null
  /** Of the delivery, with its tries. */
  deliveriesMs: number | null
  /** Of the attempt. */
  callbacksMs: number | null
}

/** Configuration minimums: within them, invariants check events and deliveries without exception. */
export const MIN_RETENTION = { eventsMs: 3_600_000, deliveriesMs: 7 * 86_400_000 } as const
