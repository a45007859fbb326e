import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { serverAudits } from 'graphql-http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLog } from '../../src/log.ts'
import { TRANSPORTS, type Result } from '../support/client.ts'
import { newPlace, type Place } from '../support/database.ts'
import { openGateway, type TestGateway } from '../support/gateway.ts'

// The specification's own audits, https://github.com/graphql/graphql-http#audits.
describe('GraphQL over HTTP', () => {
  let server: TestGateway
  beforeAll(async () => {
    server = await openGateway()
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
  })

  const audits = serverAudits({ url: () => `${server.url}/graphql`, fetchFn: fetch })
  const level = (word: string) => audits.filter(({ name }) => name.startsWith(`${word} `))

  it('is audited by 13 MUST, 23 SHOULD and 25 MAY rules', () => {
    expect([level('MUST').length, level('SHOULD').length, level('MAY').length]).toEqual([13, 23, 25])
  })

  it.each(audits)('$name', async (audit) => {
    expect(await audit.fn()).toMatchObject({ status: 'ok' })
  })

  it.each([
    { body: '{', status: 400, code: 'BAD_REQUEST' },
    { body: 'null', status: 400, code: 'BAD_REQUEST' },
    { body: '[{"query":"{ __typename }"}]', status: 400, code: 'BAD_REQUEST' },
    { body: '{"query":"{ __typename }","variables":[]}', status: 400, code: 'BAD_REQUEST' },
    { body: '{"query":"{ __typename }","unknown":1}', status: 400, code: 'BAD_REQUEST' },
    { body: '{"query":"{ __typename"}', status: 200, code: 'GRAPHQL_PARSE_FAILED' },
    { body: '{"query":"{ nothing }"}', status: 200, code: 'GRAPHQL_VALIDATION_FAILED' },
    {
      body: '{"query":"query A { __typename } query B { __typename }"}',
      status: 400,
      code: 'OPERATION_RESOLUTION_FAILURE',
    },
  ])('refuses the body $body with $code and without internals', async ({ body, status, code }) => {
    const headers = { 'content-type': 'application/json', accept: 'application/json' }
    const response = await fetch(`${server.url}/graphql`, { method: 'POST', headers, body })
    const { errors }: Result<unknown> = await response.json()
    expect(response.status).toBe(status)
    expect(errors?.[0]?.message).toMatch(/\w+ \w+/)
    expect(errors?.[0]?.extensions).toEqual({ code })
  })

  it.each(['variables={', 'extensions={'])(
    'refuses a GET with invalid JSON in %s with 400',
    async (broken) => {
      const response = await fetch(`${server.url}/graphql?query={__typename}&${broken}`)
      expect(response.status).toBe(400)
      expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_REQUEST' } }] })
    },
  )

  it('executes no mutation by GET', async () => {
    const response = await fetch(
      `${server.url}/graphql?query=mutation{generateImage(input:{prompt:"x"}){ task {id} }}`,
    )
    expect(response.status).toBe(405)
    const { tasks } = await server.get<{ tasks: { nodes: unknown[] } }>('{ tasks { nodes { id } } }')
    expect(tasks.nodes).toEqual([])
  })
})

const UNEXPECTED = /^Unexpected error \(id ([0-9a-f-]{36})\)\.$/
const INSIDES = /task_events|hidden|no such table|select|sqlite|assets|ENOENT|at \w+ \(/i
const WATCH =
  'subscription ($taskId: ID!) { taskEvents(taskId: $taskId) { __typename task { images { b64Json } } } }'

describe('an unexpected error', () => {
  it.each([
    { operation: 'a query', query: '{ tasks { nodes { events { nodes { at } } } } }', data: null },
    {
      operation: 'a mutation',
      query: 'mutation { generateImage(input: { prompt: "a fox" }) { task { id } } }',
      data: { generateImage: null },
    },
  ])('of $operation is shown as an id under which the log has the details', async ({ query, data }) => {
    await using broken = await openBreakable()
    await broken.server.generate({ prompt: 'a fox [sandbox:stall]' })
    using _ = broken.hideEvents()
    const result = await broken.server.execute(query)
    expect(result.data).toEqual(data)
    expectMasked(result, broken.logged())
  })

  it.each(TRANSPORTS)('ends a stream over %s with a result that has only its id', async (transport) => {
    await using broken = await openBreakable()
    const taskId = await broken.server.generate({ prompt: 'a fox [sandbox:stall]' })
    const watching = broken.server.watch(transport, WATCH, { taskId })
    expect((await watching.next()).value).toMatchObject({
      data: { taskEvents: { __typename: 'TaskSnapshot' } },
    })
    using _ = broken.hideEvents()
    let last = await watching.next()
    // Earlier events are sent first.
    while (last.value.data && !last.value.errors) last = await watching.next()
    expectMasked(last.value, broken.logged())
    expect((await watching.next()).done).toBe(true)
    expect(broken.server.gateway.subscriberCount()).toBe(0)
  })

  it.each(TRANSPORTS)(
    'in a field of an event over %s is shown as an id, and the stream continues',
    async (transport) => {
      await using broken = await openWithoutFiles()
      const { server, taskId } = broken
      const results: Result<unknown>[] = []
      for await (const result of server.watch(transport, WATCH, { taskId })) results.push(result)
      expect(results).toHaveLength(2)
      for (const result of results) expectMasked(result, broken.logged())
    },
  )

  it('of a query for missing image bytes does not reveal files', async () => {
    await using broken = await openWithoutFiles()
    const { server, taskId } = broken
    const query = 'query ($id: ID!) { task(id: $id) { images { b64Json dataUrl } } }'
    const result = await server.execute(query, { id: taskId })
    expect(result.data).toEqual({ task: null })
    expectMasked(result, broken.logged())
  })
})

function expectMasked({ errors }: Result<unknown>, log: string): void {
  expect(errors?.length).toBeGreaterThan(0)
  for (const error of errors ?? []) {
    const [, id] = UNEXPECTED.exec(error.message) ?? []
    expect(error).toMatchObject({
      message: expect.stringMatching(UNEXPECTED),
      extensions: { code: 'INTERNAL_SERVER_ERROR', id },
    })
    expect(JSON.stringify(error)).not.toMatch(INSIDES)
    expect(log).toContain(`"id":"${id}"`)
  }
}

/** A gateway with a readable log, whose events can be hidden. */
async function openBreakable(place?: Place) {
  const lines: string[] = []
  const log = createLog('error', { write: (line: string) => void lines.push(line) })
  const server = await openGateway({ log, engine: { pollMs: 50 }, ...(place && { place }) })
  return {
    server,
    logged: () => lines.join(''),
    hideEvents() {
      const other = new BetterSqlite3(join(server.place.dataDir, 'darkroom.db'))
      other.exec('alter table task_events rename to hidden')
      return {
        [Symbol.dispose]() {
          other.exec('alter table hidden rename to task_events')
          other.close()
        },
      }
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

/** Restarted, so that memory caches are empty, with a finished task without files. */
async function openWithoutFiles() {
  const place = await newPlace('sqlite')
  let taskId: string
  {
    await using before = await openGateway({ place })
    taskId = await before.generate({ prompt: 'a fox', size: '1024x1024' })
    await before.ended(taskId)
  }
  await rm(join(place.dataDir, 'assets'), { recursive: true })
  const broken = await openBreakable(place)
  return {
    ...broken,
    taskId,
    async [Symbol.asyncDispose]() {
      await broken[Symbol.asyncDispose]()
      await place.remove()
    },
  }
}
