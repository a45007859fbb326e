// A gateway that requires API keys, with clients for the operator and for any key.
import type { Scope } from '../../src/domain.ts'
import { createClient, type Client } from '../support/client.ts'
import type { Place } from '../support/database.ts'
import { openGateway, type TestGateway, type TestGatewayOptions } from '../support/gateway.ts'

export const ADMIN_KEY = 'a-key-of-the-operator-of-this-test'

export interface GatewayWithKeys {
  server: TestGateway
  url: string
  /** A client with the operator's key, for the default project or another one. */
  operator(project?: string): Client
  /** A client with any key. */
  as(key: string): Client
  newProject(name: string): Promise<string>
  newKey(options?: {
    project?: string
    scopes?: Scope[]
    expiresAt?: string
  }): Promise<{ key: string; id: string }>
  [Symbol.asyncDispose](): Promise<void>
}

export const bearer = (key: string) => ({ authorization: `Bearer ${key}` })

export async function openGatewayWithKeys(options: TestGatewayOptions = {}): Promise<GatewayWithKeys> {
  const server = await openGateway({ ...options, settings: { adminKey: ADMIN_KEY, ...options.settings } })
  const operator = (project?: string) =>
    createClient(server.url, {
      ...bearer(ADMIN_KEY),
      ...(project === undefined ? {} : { 'darkroom-project': project }),
    })
  return {
    server,
    url: server.url,
    operator,
    as: (key) => createClient(server.url, bearer(key)),
    async newProject(name) {
      const { createProject } = await operator().get<{ createProject: { project: { id: string } } }>(
        'mutation ($name: String!) { createProject(input: { name: $name }) { project { id } } }',
        { name },
      )
      return createProject.project.id
    },
    async newKey({ project, ...input } = {}) {
      const { createApiKey } = await operator(project).get<{
        createApiKey: { key: string; apiKey: { id: string } }
      }>('mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { key apiKey { id } } }', {
        input: { name: 'of a test', ...input },
      })
      return { key: createApiKey.key, id: createApiKey.apiKey.id }
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

/** Creates the first key of a PostgreSQL database while an open server runs on it, as `darkroom keys create` does. */
export async function createFirstKey(place: Place, scopes: Scope[] = ['GENERATE', 'READ']) {
  await using other = await openGatewayWithKeys({ place })
  return await other.newKey({ scopes })
}
