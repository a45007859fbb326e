export interface DeliveryTuning {
  /** Of one POST. */
  timeoutMs: number
  /** Well over `timeoutMs`: not renewed. */
  leaseMs: number
  /** Before each try, the first too. After the last, the delivery has failed. */
  waitsMs: readonly number[]
  /** Concurrent tries per slot, across processes. */
  perSlot: number
  /** Concurrent tries in this process. */
  concurrency: number
}

const [S, M, H] = [1000, 60_000, 3_600_000]

/** github.com/standard-webhooks/standard-webhooks: ten tries in a little over three days. */
export const DELIVERY_TUNING: DeliveryTuning = {
  timeoutMs: 15 * S,
  leaseMs: 60 * S,
  waitsMs: [0, 5 * S, 5 * M, 30 * M, 2 * H, 5 * H, 10 * H, 14 * H, 20 * H, 24 * H],
  perSlot: 2,
  // Many receivers may hang.
  concurrency: 1000,
}
