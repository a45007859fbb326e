// Server-sent events: html.spec.whatwg.org/multipage/server-sent-events.html.
import { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Readable, type Writable } from 'node:stream'
import type { ExecutionResult } from 'graphql'
import { createFrames, toChunk, toPayload, type Frames } from './frames.ts'
import type { Pings } from './pings.ts'
import { drained, isFull, settledOrAborted, type Sink } from './sink.ts'

/** Some clients report an open stream only after its first bytes. */
const PING = Buffer.from(':\n\n')
const COMPLETE = Buffer.from('event: complete\ndata:\n\n')

/**
 * Sends what a viewer writes to the sink, and the iterator's results, and ends with it. Piped to a response,
 * it writes without a buffer of its own; otherwise it is read like any stream.
 */
export class EventStream extends Readable {
  readonly #start: (sink: Sink) => AsyncIterator<ExecutionResult>
  #destination: Writable | undefined
  #results: AsyncIterator<ExecutionResult> | undefined
  readonly #pings: Pings
  #stopPings: (() => void) | undefined
  #onRead: (() => void) | undefined

  constructor(pings: Pings, start: (sink: Sink) => AsyncIterator<ExecutionResult>) {
    super()
    this.#pings = pings
    this.#start = start
  }

  override pipe<Destination extends NodeJS.WritableStream>(destination: Destination): Destination {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a response of node:http
    const response = destination as unknown as Writable
    this.#destination = response
    void this.#run(isPlainChunked(response) ? new SocketOutput(response) : new ResponseOutput(response))
    return destination
  }

  override _read(): void {
    if (!this.#results) void this.#run(this.#toOutput())
    this.#onRead?.()
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#stopPings?.()
    void this.#results?.return?.().catch(() => {})
    callback(error)
  }

  async #run(output: Output): Promise<void> {
    const write = (bytes: Buffer) => {
      if (!this.destroyed) output.writeBytes(bytes)
    }
    write(PING)
    this.#stopPings = this.#pings.add(() => {
      if (output.isIdle && !output.isFull()) write(PING)
      output.isIdle = true
    })
    this.#results = this.#start(output)
    try {
      for (let next = await this.#results.next(); !next.done; next = await this.#results.next())
        write(eventsOf(next.value))
      write(COMPLETE)
      this.#stopPings()
      if (this.#destination) this.#destination.end()
      else if (!this.destroyed) this.push(null)
    } catch (error) {
      this.destroy(error instanceof Error ? error : new Error(String(error)))
      this.#destination?.destroy()
    }
  }

  /** For a reader of this stream. */
  #toOutput(): Output {
    const output: Output = {
      isIdle: false,
      write: (frames) => {
        output.isIdle = false
        if (!this.destroyed) this.push(frames.events())
      },
      writeBytes: (bytes) => this.push(bytes),
      isFull: () => this.readableLength >= this.readableHighWaterMark,
      drained: async (signal) => {
        const read = Promise.withResolvers<void>()
        this.#onRead = read.resolve
        await settledOrAborted(read.promise, signal)
      },
    }
    return output
  }
}

interface Output extends Sink {
  /** No frames were written since it was set. */
  isIdle: boolean
  /** What is for this viewer alone. */
  writeBytes(bytes: Buffer): void
}

class ResponseOutput implements Output {
  isIdle = false
  readonly #response: Writable

  constructor(response: Writable) {
    this.#response = response
  }

  write(frames: Frames): void {
    this.isIdle = false
    this.#response.write(frames.events())
  }

  writeBytes(bytes: Buffer): void {
    this.#response.write(bytes)
  }

  isFull(): boolean {
    return isFull(this.#response)
  }

  drained(signal: AbortSignal): Promise<void> {
    return drained(this.#response, signal)
  }
}

/** Past the response, which holds chunks back, and writes each in four parts. */
class SocketOutput implements Output {
  isIdle = false
  readonly #socket: Socket

  constructor(response: PlainChunked) {
    this.#socket = response.socket
    response.flushHeaders()
  }

  write(frames: Frames): void {
    this.isIdle = false
    this.#socket.write(frames.chunk())
  }

  writeBytes(bytes: Buffer): void {
    this.#socket.write(toChunk(bytes))
  }

  isFull(): boolean {
    return isFull(this.#socket)
  }

  drained(signal: AbortSignal): Promise<void> {
    return drained(this.#socket, signal)
  }
}

type PlainChunked = ServerResponse & { socket: Socket }

/** Not for a response whose bytes are compressed, nor for one that waits for another one of its connection. */
function isPlainChunked(response: Writable): response is PlainChunked {
  if (!(response instanceof ServerResponse) || response.write !== ServerResponse.prototype.write) return false
  return response.socket !== null && response.chunkedEncoding && response.req.method !== 'HEAD'
}

/** For errors that end the stream, which were masked before. */
function eventsOf(result: ExecutionResult): Buffer {
  const payload = toPayload(result, (error) => error)
  return createFrames([{ position: 0, payload }]).events()
}
