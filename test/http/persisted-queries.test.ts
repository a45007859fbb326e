import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createClient as createSocketClient, type Client as SocketClient } from 'graphql-ws'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { ConfigError } from '../../src/config/error.ts'
import { readOperationList } from '../../src/config/operation-list.ts'
import { newPlace, type Place } from '../support/database.ts'
import { openGateway, type TestGateway } from '../support/gateway.ts'

const QUERY = 'query Names { providers { name } }'
const NAMES = { data: { providers: [{ name: 'sandbox' }] } }
const SPEC = 'application/graphql-response+json'
const ADMIN_KEY = 'an-operator-key-of-32-characters'

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const hashed = (hash: string) => ({ extensions: { persistedQuery: { version: 1, sha256Hash: hash } } })

interface Answer {
  status: number
  body: { data?: unknown; errors?: { message: string; extensions: { code: string } }[] }
}

async function post(
  { url }: { url: string },
  body: object,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: SPEC, ...headers },
    body: JSON.stringify(body),
  })
  return { status: response.status, body: (await response.json()) as Answer['body'] }
}

async function get({ url }: { url: string }, parameters: Record<string, string>): Promise<Answer> {
  const response = await fetch(`${url}/graphql?${new URLSearchParams(parameters)}`, {
    headers: { accept: SPEC },
  })
  return { status: response.status, body: (await response.json()) as Answer['body'] }
}

const refusal = ({ status, body }: Answer) => [
  status,
  body.errors?.[0]?.extensions.code,
  body.errors?.[0]?.message,
]

/** The first result of an operation over a WebSocket. */
async function first(
  client: SocketClient,
  payload: { query: string; [name: string]: unknown },
): Promise<unknown> {
  for await (const result of client.iterate(payload)) return result
  return undefined
}

const socketTo = ({ url }: { url: string }, connectionParams?: Record<string, unknown>) =>
  createSocketClient({
    url: `${url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    ...(connectionParams && { connectionParams }),
  })

describe('automatic persisted queries', () => {
  let gateway: TestGateway
  beforeAll(async () => {
    gateway = await openGateway({ settings: { persistedQueries: 'auto' } })
  })
  afterAll(() => gateway[Symbol.asyncDispose]())

  it('are stored by a POST with the document, and then run by a POST or GET with the hash', async () => {
    const hash = sha256(QUERY)
    const extensions = JSON.stringify(hashed(hash).extensions)
    const unknown = [400, 'PERSISTED_QUERY_NOT_FOUND', 'PersistedQueryNotFound']
    expect(refusal(await post(gateway, hashed(hash)))).toEqual(unknown)
    expect(refusal(await get(gateway, { extensions }))).toEqual(unknown)
    expect((await post(gateway, { query: QUERY, ...hashed(hash) })).body).toEqual(NAMES)
    expect((await post(gateway, hashed(hash))).body).toEqual(NAMES)
    expect((await get(gateway, { extensions })).body).toEqual(NAMES)
  })

  it('are stored by a GET with the document', async () => {
    const query = '{ providers { name } } # by GET'
    const extensions = JSON.stringify(hashed(sha256(query)).extensions)
    expect((await get(gateway, { query, extensions })).body).toEqual(NAMES)
    expect((await get(gateway, { extensions })).body).toEqual(NAMES)
  })

  it('are stored and run over a WebSocket', async () => {
    const query = '{ providers { name } } # by socket'
    const client = socketTo(gateway)
    expect(await first(client, { query, ...hashed(sha256(query)) })).toEqual(NAMES)
    expect(await first(client, { query: '', ...hashed(sha256(query)) })).toEqual(NAMES)
    await client.dispose()
  })

  it('are refused if the hash is of another document, which is not stored', async () => {
    const hash = sha256('{ another }')
    expect(refusal(await post(gateway, { query: QUERY, ...hashed(hash) })).slice(0, 2)).toEqual([
      400,
      'BAD_REQUEST',
    ])
    expect(refusal(await post(gateway, hashed(hash)))[1]).toBe('PERSISTED_QUERY_NOT_FOUND')
  })

  it('do not run mutations by GET', async () => {
    const query = 'mutation { cancelTask(input: { id: "x" }) { task { id } } }'
    const extensions = JSON.stringify(hashed(sha256(query)).extensions)
    await post(gateway, { query, ...hashed(sha256(query)) })
    expect((await get(gateway, { extensions })).status).toBe(405)
  })

  it('forget the document that was used least recently', async () => {
    const hash = sha256(QUERY)
    await post(gateway, { query: QUERY, ...hashed(hash) })
    // 300 documents of 19,000 characters are more than the store holds.
    for (let i = 0; i < 300; i++) {
      const query = `{ providers { name } } #${'x'.repeat(19_000)}${i}`
      expect((await post(gateway, { query, ...hashed(sha256(query)) })).body).toEqual(NAMES)
    }
    expect(refusal(await post(gateway, hashed(hash)))[1]).toBe('PERSISTED_QUERY_NOT_FOUND')
  })
})

describe('an allow-list', () => {
  const FEED = 'subscription Feed { taskFeed { __typename } }'
  const NOT_LISTED = [
    403,
    'OPERATION_NOT_LISTED',
    'This server runs only operations of its allow-list, and this one is not among them. Add it to the file of persistedQueriesFile.',
  ]
  let place: Place
  let gateway: TestGateway
  beforeAll(async () => {
    place = await newPlace('sqlite')
    const file = join(place.dataDir, 'operations.json')
    await writeFile(file, JSON.stringify({ names: QUERY, feed: FEED }))
    gateway = await openGateway({
      place,
      settings: { persistedQueries: 'allow-list', persistedQueriesFile: file, adminKey: ADMIN_KEY },
    })
  })
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]()
    await place.remove()
  })
  const asOperator = { authorization: `Bearer ${ADMIN_KEY}` }

  async function newKey(): Promise<Record<string, string>> {
    const { body } = await post(
      gateway,
      { query: 'mutation { createApiKey(input: { name: "app", scopes: [READ] }) { key } }' },
      asOperator,
    )
    return { authorization: `Bearer ${(body.data as { createApiKey: { key: string } }).createApiKey.key}` }
  }

  it('runs its operations by id and by text, and no other, over HTTP', async () => {
    const key = await newKey()
    for (const body of [
      hashed('names'),
      { documentId: 'names' },
      { documentId: 'sha256:names' },
      { query: QUERY },
      { query: `# a comment\n${QUERY.replaceAll(' ', '\n  ')}` },
      { query: QUERY, ...hashed(sha256(QUERY)) },
    ])
      expect([body, (await post(gateway, body, key)).body]).toEqual([body, NAMES])
    for (const body of [
      hashed('other'),
      { documentId: 'other' },
      { query: '{ providers { name health } }' },
      { query: '{ providers { name } }', ...hashed('names') },
      { query: '{ __typename }' },
      { query: '{ providers { ' },
    ])
      expect([body, ...refusal(await post(gateway, body, key))]).toEqual([body, ...NOT_LISTED])
  })

  it('applies to streams of server-sent events', async () => {
    const key = await newKey()
    const open = (body: object) =>
      fetch(`${gateway.url}/graphql`, {
        method: 'POST',
        headers: { ...key, 'content-type': 'application/json', accept: 'text/event-stream' },
        body: JSON.stringify(body),
      })
    const listed = await open(hashed('feed'))
    expect(listed.headers.get('content-type')).toContain('text/event-stream')
    await listed.body?.cancel()
    const refused = await open({ query: FEED.replace('__typename', 'cursor') })
    expect(await refused.text()).toContain('OPERATION_NOT_LISTED')
  })

  it('applies to WebSockets', async () => {
    const client = socketTo(gateway, await newKey())
    expect(await first(client, { query: QUERY })).toEqual(NAMES)
    expect(await first(client, { query: '', ...hashed('names') })).toEqual(NAMES)
    expect(await first(client, { query: '', documentId: 'names' })).toEqual(NAMES)
    for (const payload of [{ query: '{ __typename }' }, { query: '', ...hashed('other') }])
      await expect(first(client, payload)).rejects.toMatchObject([{ message: NOT_LISTED[2] }])
    await client.dispose()
  })

  it('does not bind a request with the key of the operator', async () => {
    const query = '{ viewer { isOperator } }'
    const viewer = { data: { viewer: { isOperator: true } } }
    expect((await post(gateway, { query }, asOperator)).body).toEqual(viewer)
    const client = socketTo(gateway, asOperator)
    expect(await first(client, { query })).toEqual(viewer)
    await client.dispose()
  })

  it('binds callers of a server without keys', async () => {
    const file = join(place.dataDir, 'operations.json')
    await using open = await openGateway({
      settings: { persistedQueries: 'allow-list', persistedQueriesFile: file },
    })
    expect(refusal(await post(open, { query: '{ __typename }' }))).toEqual(NOT_LISTED)
    expect((await post(open, { query: QUERY })).body).toEqual(NAMES)
  })

  it.each([
    ['no JSON', 'oops', 'cannot be read'],
    ['another form', '["{ a }"]', 'must be an Apollo manifest, or an object with documents by id'],
    ['a syntax error', '{"one":"{ a }","two":"{ a"}', 'has documents with syntax errors: two'],
    ['no operation', '{}', 'has no operation'],
  ])('is refused at the start if the file has %s', async (_, content, problem) => {
    const persistedQueriesFile = join(place.dataDir, 'invalid.json')
    await writeFile(persistedQueriesFile, content)
    const read = readOperationList({ persistedQueries: 'allow-list', persistedQueriesFile })
    await expect(read).rejects.toThrow(ConfigError)
    await expect(read).rejects.toMatchObject({ problems: [expect.stringContaining(problem)] })
  })

  it("may be Apollo's manifest", async () => {
    const persistedQueriesFile = join(place.dataDir, 'manifest.json')
    const operations = [{ id: sha256(QUERY), name: 'Names', type: 'query', body: QUERY }]
    const manifest = { format: 'apollo-persisted-query-manifest', version: 1, operations }
    await writeFile(persistedQueriesFile, JSON.stringify(manifest))
    const list = await readOperationList({ persistedQueries: 'allow-list', persistedQueriesFile })
    expect([...list]).toEqual([[sha256(QUERY), QUERY]])
  })
})
