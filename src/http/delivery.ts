// `finish` proves no delivery: the system takes megabytes that the client never reads.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Of one response; each method is called once. */
export interface DeliveryWatch {
  /** To the system, or the connection broke. */
  sent(): void
  /** Delivered: after all bytes, the client sent its next request, or closed the connection in order. */
  ended(isDelivered: boolean): void
  /** Breaks the connection. Set by the server. */
  abort?: () => void
}

const watches = new WeakMap<Response, DeliveryWatch>()

export function watchDelivery(response: Response, watch: DeliveryWatch): Response {
  watches.set(response, watch)
  return response
}

export function deliveryWatchOf(response: Response): DeliveryWatch | undefined {
  return watches.get(response)
}

const left = new WeakSet<Request>()

/**
 * A connection that was reset before its request is read has no remote address: its client would seem to be
 * another caller. A Unix socket never has one.
 */
export function noteLeft(request: Request, { remoteAddress, localAddress, destroyed }: Socket): void {
  if (remoteAddress === undefined && (destroyed || localAddress !== undefined)) left.add(request)
}

export function hasLeft(request: Request): boolean {
  return left.has(request)
}

/** Called when a connection's next request arrives. */
const followed = new WeakMap<Socket, () => void>()

export function noteNextRequest({ socket }: IncomingMessage): void {
  followed.get(socket)?.()
}

export function followDelivery(
  { socket }: IncomingMessage,
  response: ServerResponse,
  watch: DeliveryWatch,
): void {
  let hasEnded = false
  function end(isDelivered: boolean): void {
    if (hasEnded) return
    hasEnded = true
    followed.delete(socket)
    socket.off('close', onClose)
    watch.ended(isDelivered)
  }
  const onClose = (hadError: boolean) =>
    end(response.writableFinished && !hadError && socket.errored === null)
  watch.abort = () => void response.destroy()
  response.once('close', () => {
    watch.sent()
    if (!response.writableFinished) end(false)
  })
  socket.once('close', onClose)
  followed.set(socket, () => {
    if (response.writableFinished) end(true)
  })
  if (response.destroyed || socket.destroyed) {
    watch.sent()
    return end(false)
  }
  // The client closes first: this alone tells whether it received everything.
  if (response.req.complete) response.shouldKeepAlive = true
}
