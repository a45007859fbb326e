// The core of darkroom/client with the operations of this page: repeated requests, and subscriptions that resume.
import { createEndpoint, fieldOf, readResult } from '../../../client/endpoint.ts'
import { DarkroomError, errorOf } from '../../../client/errors.ts'
import { follow } from '../../../client/follow.ts'
import { request, type RequestOptions } from '../../../client/request.ts'
import { sleep } from '../../../client/retry.ts'
import type { Transport } from '../../../client/subscription.ts'
import { createTransport } from '../../../client/transport.ts'
import { takeFiles, type GenerateInput, type UploadProgress } from '../../../client/upload.ts'
import { Generate, type LiveEvent, type LiveTask, type TypedDocument } from './generated.ts'

export { DarkroomError }
export type { GenerateInput, UploadProgress }

/** What happens to the subscription of the feed, for the state of the link. */
export interface LinkSink {
  opened(): void
  lost(): void
}

export interface Connection {
  read<Data extends object, Variables extends object>(
    document: TypedDocument<Data, Variables>,
    variables: NoInfer<Variables>,
    signal?: AbortSignal,
  ): Promise<NonNullable<Data[keyof Data]>>
  /** Not repeated after a lost connection, unless `isIdempotent`. */
  change<Data extends object, Variables extends object>(
    document: TypedDocument<Data, Variables>,
    variables: NoInfer<Variables>,
    isIdempotent?: boolean,
  ): Promise<NonNullable<Data[keyof Data]>>
  /** Uploads the images. Repeated under the idempotency key of the input. Null if the created task could not be read. */
  generate(input: GenerateInput, options: RequestOptions): Promise<LiveTask | null>
  /** Every event after `after` once, through lost connections. */
  events(
    document: string,
    variables: object,
    options: { after?: string | undefined; signal: AbortSignal; link?: LinkSink },
  ): AsyncGenerator<LiveEvent, void>
  /** The latest results of a subscription without cursors, through lost connections. */
  latest<Data extends object, Variables extends object>(
    document: TypedDocument<Data, Variables>,
    variables: NoInfer<Variables>,
    signal: AbortSignal,
  ): AsyncGenerator<NonNullable<Data[keyof Data]>, void>
  /** A file of the server, such as `usage.csv?from=2026-11`. Rejects with the server's error. */
  download(path: string): Promise<Blob>
  close(): void
}

const TIMEOUT_MS = 30_000
/** Of the waits between tries of a request. The page shows an error after it. */
const GIVE_UP_AFTER_MS = 4_000
const RETRY_MS = 5_000

/** The folder that holds `dashboard/`: the mount path of the server. Modules of a development server are in `src/`. */
export const BASE_URL = new URL(
  /\/src\/api\/[^/]*$/.test(import.meta.url) ? '../../' : '../',
  import.meta.url,
)

/** `project`: the one to act on, for operators. By default that of the key. */
export function createConnection(key: string | undefined, project?: string): Connection {
  const closing = new AbortController()
  const endpoint = createEndpoint({
    url: BASE_URL,
    ...(key !== undefined && { key }),
    ...(project !== undefined && { headers: { 'darkroom-project': project } }),
  })
  const transport = createTransport(endpoint, {})
  const settings = {
    endpoint,
    giveUpAfterMs: GIVE_UP_AFTER_MS,
    timeoutMs: TIMEOUT_MS,
    closed: closing.signal,
  }
  return {
    read: (document, variables, signal) =>
      request(settings, document, variables, 'IDEMPOTENT', signal ? { signal } : {}),
    change: (document, variables, isIdempotent = false) =>
      request(settings, document, variables, isIdempotent ? 'IDEMPOTENT' : 'ONCE'),
    async generate(given, options) {
      const { input, files } = await takeFiles(given)
      return (await request(settings, Generate, { input }, 'IDEMPOTENT', { ...options, files })).task
    },
    async *events(query, variables, { after, signal, link }) {
      const subscription = (cursor: string | undefined) => ({
        query,
        variables: { ...variables, after: cursor },
      })
      // The events of the page are those of the client with other fields.
      yield* follow(link ? watched(transport, link) : transport, subscription, {
        endpoint,
        after,
        signal: AbortSignal.any([signal, closing.signal]),
        giveUpAfterMs: Number.POSITIVE_INFINITY,
      }) as AsyncGenerator<unknown, void> as AsyncGenerator<LiveEvent, void>
    },
    async *latest(query, variables, given) {
      const signal = AbortSignal.any([given, closing.signal])
      for (;;) {
        try {
          for await (const result of transport(
            { query, variables },
            {
              signal,
              onOpen: () => {},
            },
          ))
            yield fieldOf(result) as never
          return
        } catch (error) {
          if (signal.aborted) return
          if (error instanceof DarkroomError && error.code !== 'CONNECTION_LOST') throw error
          await sleep(RETRY_MS, signal).catch(() => {})
        }
      }
    },
    async download(path) {
      const response = await fetch(new URL(path, BASE_URL), {
        headers: await endpoint.headers(),
        signal: closing.signal,
      })
      if (!response.ok) throw errorOf((await readResult(response)).errors)
      return response.blob()
    },
    close: () => closing.abort(),
  }
}

function watched(transport: Transport, link: LinkSink): Transport {
  return async function* subscribe(operation, { signal, onOpen }) {
    let isOpen = false
    try {
      yield* transport(operation, {
        signal,
        onOpen: () => {
          onOpen()
          if (!isOpen) link.opened()
          isOpen = true
        },
      })
    } catch (error) {
      if (!signal.aborted) link.lost()
      throw error
    }
  }
}
