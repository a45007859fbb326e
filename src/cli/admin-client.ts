import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import type { Config } from '../config/config.ts'
import { createLog } from '../log.ts'
import { EXIT, UsageError, type CommandContext, type Option } from './command.ts'
import { closeProviders, loadConfig } from './config.ts'
import { OperationRefused, runOperation, type Operation } from './graphql.ts'

/** Runs operations with the rights of the operator. */
export interface AdminClient {
  /** `projectId`: the project of the operation; the default project if left out. Throws OperationRefused. */
  run<Data>(operation: Operation<Data>, projectId?: string): Promise<Data>
  /** Database or server, for messages. */
  readonly location: string
  close(): Promise<void>
}

export const URL_OPTION: Option = {
  name: 'url',
  value: '<url>',
  about: 'Use the server at this URL instead of the database',
}

/**
 * Calls `work` with a client of the configured database, or of the server that has the database locked, or of the server
 * at `url`. Resolves to EXIT.ok. Throws ConfigError.
 */
export async function withAdminClient(
  context: CommandContext,
  url: string | undefined,
  work: (client: AdminClient) => Promise<void>,
): Promise<number> {
  const client = await openClient(await loadConfig(context), url)
  try {
    await work(client)
    return EXIT.ok
  } finally {
    await client.close()
  }
}

async function openClient(config: Config, url: string | undefined): Promise<AdminClient> {
  try {
    if (url === undefined) return await databaseClient(config)
  } catch (error) {
    await closeProviders(config)
    if (error instanceof Error && error.name === 'FolderInUse')
      return serverClient(await urlOfServer(config, error), config)
    throw error
  }
  await closeProviders(config)
  return serverClient(url, config)
}

/** A gateway inside this process that does not start. Its operator key exists in this process only. */
async function databaseClient(config: Config): Promise<AdminClient> {
  const { createGateway } = await import('../gateway.ts')
  const adminKey = randomBytes(32).toString('base64url')
  const gateway = await createGateway({ ...config, adminKey }, { log: createLog('error') })
  const send = (request: Request) => gateway.fetch(request)
  return {
    run: (operation, projectId) =>
      runOperation('http://localhost/graphql', operation, { headers: headersOf(adminKey, projectId), send }),
    location: config.databaseUrl === null ? config.dataDir : 'PostgreSQL',
    close: async () => void (await gateway.stop({ deadlineMs: 0 })),
  }
}

function serverClient(url: string, { adminKey }: Config): AdminClient {
  const { origin } = new URL(url)
  return {
    async run(operation, projectId) {
      try {
        return await runOperation(`${origin}/graphql`, operation, { headers: headersOf(adminKey, projectId) })
      } catch (error) {
        if (!(error instanceof OperationRefused) || error.code !== 'UNAUTHENTICATED') throw error
        throw new Error(
          `The server at ${origin} requires the operator key: set DARKROOM_ADMIN_KEY to the key that it was started with, ` +
            `or stop the server and try again. (${error.message})`,
          { cause: error },
        )
      }
    },
    location: `the server at ${origin}`,
    close: () => Promise.resolve(),
  }
}

async function urlOfServer({ host, port }: Config, cause: Error): Promise<string> {
  if (port === 0)
    throw new Error(`${cause.message} Pass the URL of the running server with --url.`, { cause })
  const { urlOf } = await import('../http/server.ts')
  return urlOf(host, port)
}

function headersOf(key: string | null, projectId: string | undefined): Record<string, string> {
  return {
    ...(key !== null && { authorization: `Bearer ${key}` }),
    ...(projectId !== undefined && { 'darkroom-project': projectId }),
  }
}

const PROJECT = z.object({ id: z.string(), name: z.string(), createdAt: z.string() })

export type Project = z.output<typeof PROJECT>

/** All projects, oldest first. */
export async function listProjects(client: AdminClient): Promise<Project[]> {
  const shape = z.object({ projects: z.array(PROJECT) })
  return (await client.run({ query: '{ projects { id name createdAt } }', shape })).projects
}

/** Finds a project by id or name; the default project by undefined. Throws UsageError. */
export async function getProject(client: AdminClient, idOrName: string | undefined): Promise<Project> {
  const all = await listProjects(client)
  const found =
    idOrName === undefined ? all.slice(0, 1) : all.filter(({ id, name }) => [id, name].includes(idOrName))
  const [project] = found
  if (project && found.length === 1) return project
  const ids = found.map(({ id }) => id).join(' and ')
  throw new UsageError(
    project
      ? `${ids} have the name "${idOrName}". Pass the id.`
      : `There is no project "${idOrName}". Existing projects: ${all.map(({ name }) => name).join(', ')}.`,
  )
}
