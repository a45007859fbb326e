// A client behind a balancer: requests go to hosts whose /readyz responds with 200, and are repeated elsewhere.
import { setTimeout as pause } from 'node:timers/promises'
import { createClient, type Client, type Result } from '../support/client.ts'

const PROBE_INTERVAL_MS = 200
const PROBE_TIMEOUT_MS = 1000
const MAX_TRIES = 20
const RETRY_MS = 50

const RETRYABLE = new Set(['SERVICE_UNAVAILABLE', 'SHUTTING_DOWN'])

type Errors = Result<unknown>['errors']

/** A client whose subscriptions are opened at what `pick` returns. A host that cannot serve them now ends them like a cut. */
export function watchingAt(pick: () => Client): Client {
  return {
    ...pick(),
    async *watch(...args) {
      try {
        for await (const result of pick().watch(...args)) {
          if (isRetryable(result.errors)) throw new Error('Subscribe again.')
          yield result as never
        }
      } catch (error) {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- graphql-ws throws the errors of the server as a list
        throw Array.isArray(error) && isRetryable(error as Errors) ? new Error('Subscribe again.') : error
      }
    },
  }
}

function isRetryable(errors: Errors): boolean {
  return errors?.some(({ extensions }) => RETRYABLE.has(String(extensions?.['code']))) ?? false
}

export interface Balancer {
  /** Each subscription is opened at a ready host. */
  client: Client
  /** Repeats an operation under its idempotency key at another host. Undefined after the last try. */
  execute<Data>(query: string, variables: Record<string, unknown>): Promise<Data | undefined>
  /** How many requests were repeated. */
  repeated(): number
  isReady(url: string): boolean
  close(): Promise<void>
}

export function createBalancer(urls: readonly string[]): Balancer {
  const stopped = new AbortController()
  const ready = new Set<string>()
  let [turn, repeated] = [0, 0]

  async function probe(url: string): Promise<void> {
    while (!stopped.signal.aborted) {
      const isOk = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) }).then(
        async (response) => (await response.text(), response.ok),
        () => false,
      )
      if (isOk) ready.add(url)
      else ready.delete(url)
      await pause(PROBE_INTERVAL_MS)
    }
  }
  const probing = urls.map(probe)

  /** In turn. Any host when none is known to be ready. */
  function pick(): Client {
    const from = ready.size > 0 ? [...ready] : urls
    return createClient(from[turn++ % from.length]!)
  }

  return {
    client: watchingAt(pick),
    async execute<Data>(query: string, variables: Record<string, unknown>) {
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        if (tries > 0) repeated++
        const { data, errors }: Result<Data> = await pick()
          .execute<Data>(query, variables)
          .catch(() => ({}))
        if (data && !errors) return data
        await pause(RETRY_MS)
      }
      return undefined
    },
    repeated: () => repeated,
    isReady: (url) => ready.has(url),
    async close() {
      stopped.abort()
      await Promise.all(probing)
    },
  }
}
