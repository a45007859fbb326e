// Each event once and in order, through any number of connections.
import { fieldOf, type Endpoint } from './endpoint.ts'
import { DarkroomError } from './errors.ts'
import type { TaskEvent } from './generated.ts'
import { findOriginRefusal } from './origin.ts'
import { createBackOff, wasLost, wasRefusedForNow } from './retry.ts'
import type { Subscription, Transport } from './subscription.ts'

/** A connection that held for this long shows that the server can be reached. */
const STABLE_MS = 10_000
/** May succeed over a new connection. */
const TEMPORARY = new Set(['RATE_LIMITED', 'TOO_MANY_SUBSCRIPTIONS', 'INTERNAL_SERVER_ERROR', 'BAD_RESPONSE'])

export interface FollowOptions {
  endpoint: Endpoint
  after: string | undefined
  signal: AbortSignal
  giveUpAfterMs: number
}

/** Subscribes again after a lost connection. `subscription` has the operation for a cursor. */
export async function* follow(
  transport: Transport,
  subscription: (after: string | undefined) => Subscription,
  { endpoint, after, signal, giveUpAfterMs }: FollowOptions,
): AsyncGenerator<TaskEvent, void> {
  const backOff = createBackOff(giveUpAfterMs)
  let cursor = after
  let hasStarted = false
  for (;;) {
    let openedAt: number | undefined
    try {
      const onOpen = () => {
        openedAt ??= performance.now()
      }
      for await (const result of transport(subscription(cursor), { signal, onOpen })) {
        const event = fieldOf(result) as TaskEvent
        if (event.type !== 'TaskSnapshot') {
          backOff.reset()
          cursor = event.cursor
        } else if (hasStarted && !event.resync) continue
        // After a gap the old cursor stays, or a lost connection could lose one of several snapshots.
        else cursor ??= event.cursor
        hasStarted = true
        yield event
        if (signal.aborted) throw signal.reason
      }
      return
    } catch (error) {
      if (signal.aborted) throw signal.reason
      if (openedAt !== undefined && performance.now() - openedAt > STABLE_MS) backOff.reset()
      if (!isTemporary(error, hasStarted)) throw error
      const refusal = !hasStarted && wasLost(error) && (await findOriginRefusal(endpoint, signal))
      if (refusal) throw refusal
      await backOff.wait(error, signal)
    }
  }
}

/** At the start, a response that makes no sense is more likely a wrong address. */
function isTemporary(error: unknown, hasStarted: boolean): boolean {
  if (wasLost(error) || wasRefusedForNow(error)) return true
  return hasStarted && error instanceof DarkroomError && TEMPORARY.has(error.code)
}
