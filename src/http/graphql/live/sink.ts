import type { Writable } from 'node:stream'
import type { Frames } from './frames.ts'

/** For the frames of a viewer. */
export interface Sink {
  write(frames: Frames): void
  /** Too many bytes are not sent yet: the viewer takes no frames until `drained`. */
  isFull(): boolean
  /** Resolves when all bytes were sent, or on abort. Never rejects. */
  drained(signal: AbortSignal): Promise<void>
}

/** Beyond the kernel's socket buffers. Bounds the memory of a viewer that does not read. */
const MAX_UNSENT_BYTES = 65_536

type Destination = Pick<Writable, 'writableLength' | 'writableNeedDrain' | 'once'>

export function isFull(destination: Destination): boolean {
  return destination.writableLength > MAX_UNSENT_BYTES && destination.writableNeedDrain
}

/** Shared, because a socket may have many viewers. */
const draining = new WeakMap<Destination, Promise<void>>()

export async function drained(destination: Destination, signal: AbortSignal): Promise<void> {
  const drain = draining.get(destination) ?? nextDrain(destination)
  draining.set(destination, drain)
  await settledOrAborted(drain, signal)
}

/** Resolves with the promise, which never rejects, or on abort. */
export async function settledOrAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  const aborted = Promise.withResolvers<void>()
  const onAbort = () => aborted.resolve()
  signal.addEventListener('abort', onAbort)
  await Promise.race([promise, aborted.promise])
  signal.removeEventListener('abort', onAbort)
}

function nextDrain(destination: Destination): Promise<void> {
  return new Promise((resolve) => {
    destination.once('drain', () => {
      draining.delete(destination)
      resolve()
    })
  })
}
