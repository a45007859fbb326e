// Where the wishes of an operator go: to the database itself or, where a server has it to itself, to that server. Both are
// asked in GraphQL, so that there is one way of doing things.
import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import type { Config } from '../config/config.ts'
import { createLog } from '../log.ts'
import type { Surroundings } from './command.ts'
import { closeProviders } from './config.ts'

/** One operation, and the shape its data must have. */
interface Errand<Data> {
  query: string
  variables?: Record<string, unknown>
  /** The id of the project that it is about; the default one when left out. */
  project?: string
  shape: z.ZodType<Data>
}

export interface Desk {
  /** Throws what was refused, in the words of the server. */
  ask<Data>(errand: Errand<Data>): Promise<Data>
  /** Where it is done, fit to be shown. */
  readonly location: string
  close(): Promise<void>
}

type Fetch = (request: Request) => Promise<Response>

/** Opens the configured database, or finds the server that has it open. `url` names one instead. Throws ConfigError. */
export async function openDesk({ env, cwd }: Surroundings, url: string | undefined): Promise<Desk> {
  // Imported late, so that help and mistakes are answered without loading the server.
  const { loadConfig } = await import('../config/config.ts')
  const config = await loadConfig({ env, cwd })
  if (url !== undefined) {
    await closeProviders(config)
    return atServer(url, config)
  }
  try {
    return await atDatabase(config)
  } catch (error) {
    await closeProviders(config)
    if (!(error instanceof Error && error.name === 'FolderInUse')) throw error
    return atServer(addressOf(config, error), config)
  }
}

/** A gateway that nobody else can reach and that starts nothing. Its operator's key is known to this process alone. */
async function atDatabase(config: Config): Promise<Desk> {
  const { createGateway } = await import('../gateway.ts')
  const adminKey = randomBytes(32).toString('base64url')
  const gateway = await createGateway({ ...config, adminKey }, { log: createLog('error') })
  return {
    ask: (errand) => ask('http://localhost', (request) => gateway.fetch(request), adminKey, errand),
    location: config.databaseUrl === null ? config.dataDir : 'PostgreSQL',
    close: async () => void (await gateway.stop({ deadlineMs: 0 })),
  }
}

function atServer(url: string, { adminKey }: Config): Desk {
  const { origin } = new URL(url)
  return {
    ask: (errand) => ask(origin, fetch, adminKey, errand),
    location: `the server at ${origin}`,
    close: () => Promise.resolve(),
  }
}

/** Where the server listens that has the data folder. */
function addressOf({ host, port }: Config, inUse: Error): string {
  if (port === 0)
    throw new Error(`${inUse.message} To ask the one that runs, pass --url with its address.`, {
      cause: inUse,
    })
  const near = ['0.0.0.0', '::'].includes(host) ? '127.0.0.1' : host
  return `http://${near.includes(':') ? `[${near}]` : near}:${port}`
}

const REPLY = z.object({
  data: z.unknown().optional(),
  errors: z
    .array(z.object({ message: z.string(), extensions: z.object({ code: z.string() }).optional() }))
    .optional(),
})

async function ask<Data>(
  origin: string,
  send: Fetch,
  key: string | null,
  { query, variables = {}, project, shape }: Errand<Data>,
): Promise<Data> {
  const headers = {
    'content-type': 'application/json',
    ...(key !== null && { authorization: `Bearer ${key}` }),
    ...(project !== undefined && { 'darkroom-project': project }),
  }
  const body = JSON.stringify({ query, variables })
  const response = await send(new Request(`${origin}/graphql`, { method: 'POST', headers, body }))
  const reply = REPLY.safeParse(await response.json().catch(() => undefined))
  if (!reply.success) throw new Error(`${origin} answered ${response.status}, and not as a GraphQL server.`)
  const [error] = reply.data.errors ?? []
  if (error?.extensions?.code === 'UNAUTHENTICATED')
    throw new Error(
      `The server at ${origin} wants the key of its operator: set DARKROOM_ADMIN_KEY to the one it was started with, or ` +
        `stop it and try again. It says: ${error.message}`,
    )
  if (error) throw new Error(error.message)
  return shape.parse(reply.data.data)
}
