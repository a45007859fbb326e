// NUL and half of a surrogate pair in every place where a text comes in.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createClient } from '../support/client.ts'
import { DATABASES } from '../support/database.ts'
import { openGateway, type TestGateway } from '../support/gateway.ts'

/** With `$t` or `$id` as the text. */
const REFUSED: [what: string, operation: string, field: string][] = [
  ['a prompt', 'mutation ($t: String!) { generateImage(input: { prompt: $t }) { task { id } } }', 'prompt'],
  [
    'an idempotency key',
    'mutation ($t: String!) { generateImage(input: { prompt: "a fox", idempotencyKey: $t }) { task { id } } }',
    'idempotencyKey',
  ],
  [
    'a label',
    'mutation ($t: String!) { generateImage(input: { prompt: "a fox", metadata: [{ key: "team", value: $t }] }) { task { id } } }',
    'metadata.0.value',
  ],
  [
    'a user',
    'mutation ($t: String!) { generateImage(input: { prompt: "a fox", user: $t }) { task { id } } }',
    'user',
  ],
  ['a model filter', 'query ($t: String!) { tasks(filter: { model: $t }) { nodes { id } } }', 'filter.model'],
  [
    'a provider filter',
    'query ($t: String!) { tasks(filter: { provider: $t }) { nodes { id } } }',
    'filter.provider',
  ],
  ['a cursor', 'query ($t: String!) { tasks(after: $t) { nodes { id } } }', 'after'],
  [
    'a cursor of reviews',
    'query ($t: String!) { attemptsNeedingReview(after: $t) { nodes { id } } }',
    'after',
  ],
  [
    'a reason',
    'mutation ($t: String!) { pauseProvider(input: { name: "sandbox", reason: $t }) { provider { name } } }',
    'reason',
  ],
  [
    'a provider',
    'mutation ($t: String!) { pauseProvider(input: { name: $t }) { provider { name } } }',
    'name',
  ],
  [
    'the name of a project',
    'mutation ($t: String!) { createProject(input: { name: $t }) { project { id } } }',
    'name',
  ],
  [
    'a remote id',
    'mutation ($t: String!) { resolveAttempt(input: { id: "att_1", resolution: ADOPT_REMOTE_ID, remoteId: $t }) { attempt { id } } }',
    'remoteId',
  ],
  [
    'a note',
    'mutation ($t: String!) { adjustCost(input: { attemptId: "att_1", costMicros: 1, note: $t }) { attempt { id } } }',
    'note',
  ],
  [
    'a user of a report',
    'query ($t: String!) { usage(from: "2026-01-01T00:00:00Z", to: "2026-02-01T00:00:00Z", filter: { users: [$t] }) { totals { attempts } } }',
    'filter.users.0',
  ],
  [
    'a label of a report',
    'query ($t: String!) { usage(from: "2026-01-01T00:00:00Z", to: "2026-02-01T00:00:00Z", filter: { metadata: [{ key: "team", value: $t }] }) { totals { attempts } } }',
    'filter.metadata.0.value',
  ],
]

const NAMES_NOTHING: [what: string, operation: string, code: string | null][] = [
  ['a task', 'query ($id: ID!) { task(id: $id) { id } }', null],
  ['a node', 'query ($id: ID!) { node(id: $id) { id } }', null],
  ['a canceled task', 'mutation ($id: ID!) { cancelTask(input: { id: $id }) { task { id } } }', 'NOT_FOUND'],
  ['a retried task', 'mutation ($id: ID!) { retryTask(input: { id: $id }) { task { id } } }', 'NOT_FOUND'],
  [
    'an attempt',
    'mutation ($id: ID!) { resolveAttempt(input: { id: $id, resolution: NOT_CHARGED }) { attempt { id } } }',
    'NOT_FOUND',
  ],
  [
    'a priced attempt',
    'mutation ($id: ID!) { adjustCost(input: { attemptId: $id, costMicros: 1, note: "a bill" }) { attempt { id } } }',
    'NOT_FOUND',
  ],
  [
    'the owner of a budget',
    'mutation ($id: ID!) { setBudget(input: { owner: $id, period: DAY, limitMicros: 1 }) { budget { period } } }',
    'NOT_FOUND',
  ],
  [
    'a revoked key',
    'mutation ($id: ID!) { revokeApiKey(input: { id: $id }) { apiKey { id } } }',
    'NOT_FOUND',
  ],
  ['a webhook', 'mutation ($id: ID!) { deleteWebhook(input: { id: $id }) { webhook { id } } }', 'NOT_FOUND'],
  [
    'a delivery',
    'mutation ($id: ID!) { redeliverWebhook(input: { deliveryId: $id }) { delivery { id } } }',
    'NOT_FOUND',
  ],
]

const TEXTS = ['a\0b', 'a\ud800b']

describe.each(DATABASES)('text that no database can store, on %s', (database) => {
  let server: TestGateway
  beforeAll(async () => {
    server = await openGateway({ database })
  })
  afterAll(() => server[Symbol.asyncDispose]())

  it.each(REFUSED)(
    'is refused as %s with BAD_USER_INPUT and the path of the field',
    async (_, operation, field) => {
      for (const t of TEXTS) {
        const { errors } = await server.execute(operation, { t })
        expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field } }])
      }
    },
  )

  it('is refused in a literal of the document as well', async () => {
    const query = '{ tasks(filter: { model: "a\\u0000b" }) { nodes { id } } }'
    expect((await server.execute(query)).errors).toMatchObject([
      { extensions: { code: 'BAD_USER_INPUT', field: 'filter.model' } },
    ])
  })

  it.each(NAMES_NOTHING)('names nothing as the id of %s', async (_, operation, code) => {
    for (const id of TEXTS) {
      const { data, errors } = await server.execute<Record<string, unknown>>(operation, { id })
      expect(Object.values(data ?? { nothing: null })).toEqual([null])
      expect(errors?.map(({ extensions }) => extensions?.['code']) ?? []).toEqual(code === null ? [] : [code])
    }
  })

  it('names nothing as the id of a task that is watched', async () => {
    for (const id of TEXTS) {
      const query = 'subscription ($id: ID!) { taskEvents(taskId: $id) { cursor } }'
      const { value } = await server.watch('WebSocket', query, { id }).next()
      expect(value).toMatchObject({ errors: [{ extensions: { code: 'NOT_FOUND' } }] })
    }
  })

  it.each(['provider=a%00b', 'metadata.team=a%00', 'api_key=%00', 'from=2026%00', 'a%00b=1'])(
    'is refused in the query %s of /usage.csv with 400',
    async (query) => {
      const response = await fetch(`${server.url}/usage.csv?${query}`)
      expect(response.status).toBe(400)
      expect(await response.json()).toMatchObject({ error: { code: 'BAD_USER_INPUT' } })
    },
  )

  it('names nothing in the path of an image, and in a parameter of a connection', async () => {
    expect((await fetch(`${server.url}/assets/img_a%00b.png`)).status).toBe(404)
    const client = createClient(server.url, { 'darkroom-project': 'a\0b' })
    await expect(client.watch('WebSocket', '{ project { id } }').next()).rejects.toMatchObject({ code: 4403 })
  })
})
