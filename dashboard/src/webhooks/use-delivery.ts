import { ReadDelivery, type DeliveryDetail } from '../api/generated.ts'
import type { Connection } from '../api/connection.ts'

const POLL_MS = 400
const GIVE_UP_AFTER_MS = 20_000

export async function readDelivery(
  connection: Connection,
  id: string,
  signal?: AbortSignal,
): Promise<DeliveryDetail> {
  const node = await connection.read(ReadDelivery, { id }, signal)
  if (node.id === undefined) throw new Error('There is no delivery with this id.')
  return node as DeliveryDetail
}

/** Reads a delivery until it has more tries than before. The last state after 20 seconds. */
export async function nextTry(connection: Connection, id: string, before: number): Promise<DeliveryDetail> {
  const until = performance.now() + GIVE_UP_AFTER_MS
  for (;;) {
    const delivery = await readDelivery(connection, id)
    if (delivery.tries.length > before || performance.now() > until) return delivery
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}
