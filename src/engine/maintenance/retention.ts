/** How long after its end a thing is kept, in milliseconds; null for ever. */
export interface Retention {
  /** The events of a task. */
  eventsMs: number | null
  /** The previews of a task; at most as long as its events, which lead to them. */
  partialImagesMs: number | null
  /** Webhook deliveries and their tries, counted from their own end. */
  deliveriesMs: number | null
  /** What upstreams posted about an attempt. */
  callbacksMs: number | null
}

/**
 * The least that may be configured, where something that must always hold is about what is removed: until then it is
 * asked for without exception.
 */
export const MIN_RETENTION = { eventsMs: 3_600_000, deliveriesMs: 7 * 86_400_000 } as const
