import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import type { Config } from '../config/config.ts'
import { createLog } from '../log.ts'
import { EXIT, UsageError, type Arguments, type CommandContext } from './command.ts'
import { closeProviders, loadConfig } from './config.ts'
import { OperationRefused, runOperation, type GraphQLOperation } from './graphql.ts'
import { JSON_OPTION, print, type Output } from './output.ts'
import { PAGE, readAllPages } from './pages.ts'

/** With the rights of the operator. */
export interface AdminClient {
  /** Without `projectId`: the default project. Throws OperationRefused. */
  run<Data>(operation: GraphQLOperation<Data> & { projectId?: string }): Promise<Data>
  /** A server rather than the database. */
  readonly isServer: boolean
  /** For messages. */
  readonly location: string
  close(): Promise<void>
}

export const CLIENT_OPTIONS = {
  '--url <url>': 'Use the server at this URL instead of the database',
  ...JSON_OPTION,
}

/**
 * Prints the result of `work`, at the configured database, the server that locks it, or `--url`. Resolves to
 * EXIT.ok. Throws ConfigError.
 */
export async function withAdminClient(
  context: CommandContext,
  input: Arguments,
  work: (client: AdminClient) => Promise<Output>,
): Promise<number> {
  const client = await openClient(await loadConfig(context), input.values['url'])
  try {
    print(context.out, input, await work(client))
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

/** A gateway in this process that does not start. Its operator key is known only here. */
async function databaseClient(config: Config): Promise<AdminClient> {
  const { createGateway } = await import('../gateway.ts')
  const adminKey = randomBytes(32).toString('base64url')
  const gateway = await createGateway({ ...config, adminKey }, { log: createLog('error') })
  const send = (request: Request) => gateway.fetch(request)
  return {
    run: ({ projectId, ...operation }) =>
      runOperation('http://localhost/graphql', operation, { headers: headersOf(adminKey, projectId) }, send),
    isServer: false,
    location: config.databaseUrl === null ? config.dataDir : 'PostgreSQL',
    close: async () => void (await gateway.stop({ deadlineMs: 0 })),
  }
}

function serverClient(url: string, { adminKey }: Config): AdminClient {
  const { origin } = new URL(url)
  return {
    async run({ projectId, ...operation }) {
      try {
        return await runOperation(`${origin}/graphql`, operation, { headers: headersOf(adminKey, projectId) })
      } catch (error) {
        if (!(error instanceof OperationRefused) || error.code !== 'UNAUTHENTICATED') throw error
        const remedy = 'set DARKROOM_ADMIN_KEY to the key that it was started with, or stop it and try again'
        throw new Error(`The server at ${origin} requires the operator key: ${remedy}. (${error.message})`, {
          cause: error,
        })
      }
    },
    isServer: true,
    location: `the server at ${origin}`,
    close: () => Promise.resolve(),
  }
}

/** That uses the data folder. Throws if its port is not known. */
export async function urlOfServer({ host, port }: Config, cause: Error): Promise<string> {
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

/** Oldest first; all, or the one with this id or name. Throws UsageError unless there is exactly one. */
export async function listProjects(client: Pick<AdminClient, 'run'>, idOrName?: string): Promise<Project[]> {
  const query = `query (${PAGE.variables}) {
    projects(${PAGE.arguments}) { nodes { id name createdAt } ${PAGE.selection} }
  }`
  const shape = z.object({ projects: PAGE.shape(PROJECT) })
  const projects = await readAllPages(client, { query, shape }, (data) => data.projects)
  if (idOrName === undefined) return projects
  const found = projects.filter(({ id, name }) => [id, name].includes(idOrName))
  if (found.length === 1) return found
  throw new UsageError(
    found.length > 1
      ? `${found.map(({ id }) => id).join(' and ')} have the name "${idOrName}". Pass the ID.`
      : `There is no project "${idOrName}". Existing projects: ${projects.map(({ name }) => name).join(', ')}.`,
  )
}

/** As `listProjects`; by default the default project. */
export async function getProject(client: AdminClient, idOrName: string | undefined): Promise<Project> {
  const [project] = await listProjects(client, idOrName)
  if (project) return project
  throw new Error('The database has no project.')
}
