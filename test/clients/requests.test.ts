// Real clients with their default options: pages, caches, persisted queries, uploads, and what the server refuses.
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { createClient } from 'graphql-sse'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CLIENTS_FOLDER, installClients } from '../support/client-packages.ts'
import { openGateway, type TestGateway } from '../support/gateway.ts'

const run = promisify(execFile)

/** What a program of test/clients/programs prints. */
async function runProgram<Result>(name: string, ...args: string[]): Promise<Result> {
  const { stdout } = await run(process.execPath, [join('programs', name), ...args], { cwd: CLIENTS_FOLDER })
  return JSON.parse(stdout) as Result
}

interface Requested {
  method: string
  hasQuery: boolean
  hasHash: boolean
}

const HASH = { method: 'GET', hasQuery: false, hasHash: true }

let folder: string
let image: string
let server: TestGateway
/** Without persisted queries. */
let plain: TestGateway
beforeAll(async () => {
  await installClients()
  folder = await mkdtemp(join(tmpdir(), 'darkroom-clients-'))
  image = join(folder, 'fox.png')
  await sharp({ create: { width: 64, height: 64, channels: 3, background: 'orange' } }).toFile(image)
  server = await openGateway({ settings: { persistedQueries: 'auto' } })
  plain = await openGateway()
  for (const one of [server, plain]) {
    for (let i = 0; i < 5; i++) await one.ended(await one.generate({ prompt: `fox ${i}` }))
  }
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await plain[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

const newestIds = async (one: TestGateway) => {
  const { tasks } = await one.get<{ tasks: { nodes: { id: string }[] } }>('{ tasks { nodes { id } } }')
  return tasks.nodes.map(({ id }) => id)
}

interface Apollo {
  pages: string[]
  persisted: { requests: Requested[]; data: unknown[] }
  upload: string
  uploadWithoutHeader: string
  multipart: string
  deferred: string
}

describe('Apollo Client', () => {
  const PROVIDERS = { providers: [{ __typename: 'Provider', id: 'provider_sandbox', name: 'sandbox' }] }

  it('merges pages, sends hashes, uploads, and gets a sentence for what is not supported', async () => {
    const expected = await newestIds(server)
    const result = await runProgram<Apollo>('apollo.ts', `${server.url}/graphql`, image)
    expect(result.pages).toEqual(expected)
    expect(result.persisted.data).toEqual([PROVIDERS, PROVIDERS])
    expect(result.persisted.requests).toEqual([
      HASH,
      expect.objectContaining({ hasQuery: true, hasHash: true }),
      HASH,
    ])
    expect(result.upload).toBe('EDIT')
    expect(result.uploadWithoutHeader).toContain('Add the header "graphql-require-preflight: 1"')
    expect(result.multipart).toContain('subscribe over text/event-stream or a WebSocket')
    expect(result.deferred).toContain('Unknown directive')
  })

  it('sends whole queries to a server without persisted queries', async () => {
    const { persisted } = await runProgram<Apollo>('apollo.ts', `${plain.url}/graphql`, image)
    expect(persisted.data).toEqual([PROVIDERS, PROVIDERS])
    expect(persisted.requests.map(({ hasQuery }) => hasQuery)).toEqual([false, true, true])
  })
})

describe('graphql-sse', () => {
  it('is refused in single connection mode with a sentence that names the alternative', async () => {
    const url = `${server.url}/graphql`
    const client = createClient({ url, singleConnection: true, retryAttempts: 0 })
    const first = client.iterate({ query: 'subscription { providers { id } }' }).next()
    const { response } = await first.then(
      () => expect.unreachable(),
      (error: { response: Response }) => error,
    )
    expect(response.status).toBe(405)
    client.dispose()
    // The client has closed the response.
    const sentence = await (await fetch(url, { method: 'PUT' })).text()
    expect(sentence).toContain('use a request per subscription (distinct connections mode), or a WebSocket')
  })
})

describe('urql', () => {
  interface Urql {
    ids: string[]
    node: string
    errors: string[]
    requests: Requested[]
    requestsForCached: number
    warnings: string[]
  }

  it('merges pages in its normalised cache without a warning, and sends hashes', async () => {
    const expected = await newestIds(server)
    const result = await runProgram<Urql>('urql.ts', `${server.url}/graphql`)
    expect(result).toMatchObject({ ids: expected, node: 'sandbox', errors: [], warnings: [] })
    // One for the new hash, one for its document, one for the list from the network.
    expect(result.requestsForCached).toBe(3)
    expect(result.requests[0]).toEqual(HASH)
    expect(result.requests[1]).toMatchObject({ hasQuery: true, hasHash: true })
    expect(result.requests.at(-1)).toEqual(HASH)
  })

  it('sends whole queries to a server without persisted queries', async () => {
    const result = await runProgram<Urql>('urql.ts', `${plain.url}/graphql`)
    expect(result).toMatchObject({ node: 'sandbox', errors: [] })
    expect(result.requests.filter(({ hasQuery }) => !hasQuery)).toHaveLength(1)
  })
})

describe('Relay', () => {
  const TASKS = `
    graphql\`query TasksQuery($count: Int!) { ...Tasks_query @arguments(count: $count) }\`
    graphql\`fragment Tasks_query on Query
      @argumentDefinitions(count: { type: "Int", defaultValue: 2 }, cursor: { type: "String" })
      @refetchable(queryName: "TasksPaginationQuery") {
      tasks(first: $count, after: $cursor) @connection(key: "Tasks_tasks") { edges { node { id ...Tasks_task } } }
    }\`
    graphql\`fragment Tasks_task on Task @refetchable(queryName: "TasksTaskRefetchQuery") {
      id status provider { ...Tasks_provider }
    }\`
    graphql\`fragment Tasks_provider on Provider @refetchable(queryName: "TasksProviderRefetchQuery") {
      id name health models { ...Tasks_model }
    }\`
    graphql\`fragment Tasks_model on Model @refetchable(queryName: "TasksModelRefetchQuery") { id name }\`
    graphql\`subscription TasksProvidersSubscription { providers { id name health } }\`
  `

  it('compiles connections and refetchable fragments, and runs them', async () => {
    const src = join(folder, 'src')
    await mkdir(join(src, '__generated__'), { recursive: true })
    await writeFile(join(src, 'Tasks.js'), TASKS)
    const config = {
      src: 'src',
      schema: 'schema.graphql',
      language: 'javascript',
      artifactDirectory: 'src/__generated__',
      // CommonJS, because the modules name each other without an extension.
      eagerEsModules: false,
    }
    await writeFile(join(folder, 'package.json'), '{"type":"commonjs"}')
    await writeFile(join(folder, 'relay.config.json'), JSON.stringify(config))
    await run('cp', [resolve('schema.graphql'), folder])
    const compiler = join(CLIENTS_FOLDER, 'node_modules/relay-compiler/cli.js')
    await run(process.execPath, [compiler, join(folder, 'relay.config.json')], { cwd: folder })
    const artifacts = join(src, '__generated__')
    const expected = await newestIds(server)
    const result = await runProgram('relay.ts', `${server.url}/graphql`, artifacts)
    expect(result).toMatchObject({
      ids: expected,
      refetched: [
        { type: 'Provider', id: 'provider_sandbox', name: 'sandbox' },
        { type: 'Model', id: 'model_sandbox/gpt-image-2', name: 'gpt-image-2' },
        { type: 'Task', id: expected[0] },
      ],
      event: { providers: [{ id: 'provider_sandbox', name: 'sandbox', health: 'HEALTHY' }] },
    })
  })
})
