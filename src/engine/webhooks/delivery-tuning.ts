/** How patient deliveries are. Durations in milliseconds. */
export interface DeliveryTuning {
  /** How long a receiver may take to answer. */
  timeoutMs: number
  /** How long a claim lasts; well over `timeoutMs`, because it is not renewed. */
  leaseMs: number
  /** The wait before each try, the first included; after the last one a delivery is given up. */
  waitsMs: readonly number[]
  /** How many deliveries to one receiver may be under way at a time, in all processes together. */
  perLane: number
  /** How many deliveries may be under way at a time, in this process. */
  atOnce: number
}

const [SECOND, MINUTE, HOUR] = [1000, 60_000, 3_600_000]

/** The schedule that github.com/standard-webhooks/standard-webhooks recommends: ten tries in a little over three days. */
export const DELIVERY_TUNING: DeliveryTuning = {
  timeoutMs: 15 * SECOND,
  leaseMs: 60 * SECOND,
  waitsMs: [
    0,
    5 * SECOND,
    5 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    14 * HOUR,
    20 * HOUR,
    24 * HOUR,
  ],
  perLane: 2,
  // Only waiting costs, so many receivers may hang before anybody notices.
  atOnce: 1000,
}
