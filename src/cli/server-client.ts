// The public API of a running server.
import { listProjects, type Project } from './admin-client.ts'
import { UsageError, type Arguments, type CommandContext } from './command.ts'
import { readConfig } from './config.ts'
import { downloadImage } from './download.ts'
import { readEventStream } from './event-stream.ts'
import { OperationRefused, readData, runOperation, type GraphQLOperation } from './graphql.ts'
import { JSON_OPTION } from './output.ts'
import { z } from 'zod'

type ScopedOperation<Data> = GraphQLOperation<Data> & { projectId?: string }

export interface ServerClient {
  /** Throws OperationRefused. */
  run<Data>(operation: ScopedOperation<Data>): Promise<Data>
  /** Until the server completes it. Throws OperationRefused, and on an earlier end of the connection. */
  subscribe<Data>(operation: ScopedOperation<Data>): AsyncGenerator<Data>
  download(url: string): Promise<Uint8Array>
  readonly signal: AbortSignal
  close(): void
}

export const SERVER_OPTIONS = {
  '--url <url>': 'URL of the server (default: the one of this configuration)',
  ...JSON_OPTION,
}

export const KEYS_NOTE = {
  Environment: {
    DARKROOM_API_KEY: 'API key, if the server requires one; its project is used',
    DARKROOM_ADMIN_KEY: 'Operator key, used without an API key',
  },
}

/** The API key, else the operator key. Undefined without, or if empty. */
export function keyOf(env: NodeJS.ProcessEnv): string | undefined {
  return env['DARKROOM_API_KEY'] || env['DARKROOM_ADMIN_KEY'] || undefined
}

/** At `--url`, or the one that this configuration starts. Throws ConfigError and UsageError. */
export async function openServer(context: CommandContext, { values }: Arguments): Promise<ServerClient> {
  const { env } = context
  const url = values['url']
  const ownKey = keyOf(env)
  const config = url !== undefined && ownKey !== undefined ? undefined : await readConfig(context)
  const endpoint = graphqlUrl(url === undefined ? await urlOfConfig(config) : readUrl(url))
  return connect(endpoint, ownKey ?? config?.adminKey ?? null)
}

async function urlOfConfig(config: Awaited<ReturnType<typeof readConfig>> | undefined): Promise<string> {
  const { host = '127.0.0.1', port = 0 } = config ?? {}
  if (port === 0)
    throw new UsageError('The configured port is 0. Pass the URL of the running server with --url.')
  const { urlOf } = await import('../http/server.ts')
  return urlOf(host, port)
}

export function connect(endpoint: string, key: string | null): ServerClient {
  const closing = new AbortController()
  const { signal } = closing
  const headersFor = (projectId: string | undefined): Record<string, string> => ({
    ...(key !== null && { authorization: `Bearer ${key}` }),
    ...(projectId !== undefined && { 'darkroom-project': projectId }),
  })
  return {
    signal,
    close: () => closing.abort(),
    async run({ projectId, ...operation }) {
      try {
        return await runOperation(endpoint, operation, { headers: headersFor(projectId), signal })
      } catch (error) {
        throw withRemedy(error)
      }
    },
    async *subscribe({ query, variables = {}, shape, projectId }) {
      const response = await fetch(endpoint, {
        method: 'POST',
        headers: {
          ...headersFor(projectId),
          'content-type': 'application/json',
          accept: 'text/event-stream',
        },
        body: JSON.stringify({ query, variables }),
        signal,
      })
      for await (const result of readEventStream(response)) yield readData(result, shape)
    },
    download: (url) => downloadImage(new URL(url, endpoint), signal),
  }
}

/** A refusal of the key also names the variables that have one. */
export function withRemedy(error: unknown): unknown {
  if (!(error instanceof OperationRefused) || error.code !== 'UNAUTHENTICATED') return error
  return new OperationRefused(
    `${error.message} Set DARKROOM_API_KEY to an API key of this server, or DARKROOM_ADMIN_KEY to its operator key.`,
    error.code,
  )
}

export function graphqlUrl(url: string): string {
  const { origin, pathname } = new URL(url)
  const path = pathname.replace(/\/+$/, '')
  return `${origin}${path.endsWith('/graphql') ? path : `${path}/graphql`}`
}

/** Throws UsageError. */
export function readUrl(value: string): string {
  const url = URL.parse(value)
  if (url && /^https?:$/.test(url.protocol)) return url.href
  throw new UsageError(`--url is "${value}"; it must be the URL of a server, such as http://127.0.0.1:4000.`)
}

const VIEWER = z.object({
  viewer: z.object({ isOperator: z.boolean(), project: z.object({ id: z.string(), name: z.string() }) }),
})

/**
 * Those that the caller may read: for operators all or the named one, the one of `viewer` first; else the API
 * key's. Throws UsageError for another name.
 */
export async function visibleProjects(
  client: ServerClient,
  name?: string,
): Promise<Pick<Project, 'id' | 'name'>[]> {
  const { viewer } = await client.run({
    query: '{ viewer { isOperator project { id name } } }',
    shape: VIEWER,
  })
  const own = viewer.project
  if (viewer.isOperator) {
    const all = await listProjects(client, name)
    return all.toSorted((a, b) => Number(b.id === own.id) - Number(a.id === own.id))
  }
  if (name === undefined || name === own.id || name === own.name) return [own]
  throw new UsageError(`The API key is for the project "${own.name}"; only operators see other projects.`)
}
