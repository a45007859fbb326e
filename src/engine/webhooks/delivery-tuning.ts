export interface DeliveryTuning {
  /** The time limit of one POST. */
  timeoutMs: number
  /** Well over `timeoutMs`, because it is not renewed. */
  leaseMs: number
  /** The wait before each try, the first included; after the last try, a delivery has failed. */
  waitsMs: readonly number[]
  /** The maximum number of running tries per delivery slot, across all processes. */
  perSlot: number
  /** The maximum number of running tries in this process. */
  concurrency: number
}

const [SECOND, MINUTE, HOUR] = [1000, 60_000, 3_600_000]

/** The schedule recommended by github.com/standard-webhooks/standard-webhooks: ten tries in a little over three days. */
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
  perSlot: 2,
  // A running try only waits, so many receivers may hang without delaying others.
  concurrency: 1000,
}
