// Server-sent events: html.spec.whatwg.org/multipage/server-sent-events.html.
import { Readable, type Writable } from 'node:stream'
import type { ExecutionResult } from 'graphql'
import type { Clock } from '../../../clock.ts'
import { createFrames, toPayload } from './frames.ts'
import { drained, isFull, settledOrAborted, type Sink } from './sink.ts'

const PING_INTERVAL_MS = 12_000
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
  readonly #clock: Clock
  readonly #ended = new AbortController()
  #onRead: (() => void) | undefined

  constructor(clock: Clock, start: (sink: Sink) => AsyncIterator<ExecutionResult>) {
    super()
    this.#clock = clock
    this.#start = start
  }

  override pipe<Destination extends NodeJS.WritableStream>(destination: Destination): Destination {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a response of node:http
    this.#destination = destination as unknown as Writable
    void this.#run()
    return destination
  }

  override _read(): void {
    if (!this.#results) void this.#run()
    this.#onRead?.()
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#ended.abort()
    void this.#results?.return?.().catch(() => {})
    callback(error)
  }

  async #run(): Promise<void> {
    void this.#ping()
    this.#results = this.#start({
      write: (frames) => this.#write(frames.events()),
      isFull: () => this.#isFull(),
      drained: (signal) => this.#drained(signal),
    })
    try {
      for (let next = await this.#results.next(); !next.done; next = await this.#results.next())
        this.#write(eventsOf(next.value))
      this.#write(COMPLETE)
      this.#end()
    } catch (error) {
      this.destroy(error instanceof Error ? error : new Error(String(error)))
      this.#destination?.destroy()
    }
  }

  async #ping(): Promise<void> {
    const { signal } = this.#ended
    while (!signal.aborted) {
      if (!this.#isFull()) this.#write(PING)
      await this.#clock.sleep(PING_INTERVAL_MS, signal)
    }
  }

  #write(bytes: Buffer): void {
    if (this.destroyed) return
    if (this.#destination) this.#destination.write(bytes)
    else this.push(bytes)
  }

  #end(): void {
    if (this.#destination) this.#destination.end()
    else if (!this.destroyed) this.push(null)
    this.#ended.abort()
  }

  #isFull(): boolean {
    return this.#destination ? isFull(this.#destination) : this.readableLength >= this.readableHighWaterMark
  }

  async #drained(signal: AbortSignal): Promise<void> {
    if (this.#destination) return drained(this.#destination, signal)
    const read = Promise.withResolvers<void>()
    this.#onRead = read.resolve
    await settledOrAborted(read.promise, signal)
  }
}

/** For errors that end the stream, which were masked before. */
function eventsOf(result: ExecutionResult): Buffer {
  const payload = toPayload(result, (error) => error)
  return createFrames([{ position: 0, payload }]).events()
}
