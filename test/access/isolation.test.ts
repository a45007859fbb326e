// Two projects on one server. Every field that takes an id must respond to an id of the other project as to an unknown
// id: a different response would reveal that the id exists.
import {
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isNonNullType,
  isObjectType,
  type GraphQLField,
  type GraphQLInputType,
} from 'graphql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newId } from '../../src/ids.ts'
import { requestRule } from '../../src/providers/wire/address.ts'
import { schema } from '../../src/schema/index.ts'
import type { Client, Result } from '../support/client.ts'
import { DATABASES } from '../support/database.ts'
import { readFirstResult } from './first-result.ts'
import { bearer, openGatewayWithKeys, type GatewayWithKeys } from './gateway-with-keys.ts'

const webhookRule = { ...requestRule(['http:']), ports: null, isPublic: () => true }

/** The types of the schema that have ids. Providers and models belong to no project. */
const NODE_TYPES = Object.values(schema.getTypeMap())
  .filter((type) => isObjectType(type) && type.getInterfaces().some(({ name }) => name === 'Node'))
  .map(({ name }) => name)
  .filter((name) => name !== 'Provider' && name !== 'Model')

/** Creates one object of each type in a project, and returns their ids by type. A new type must be added here. */
async function makeOneOfEach(client: Client, project: string): Promise<Record<string, string>> {
  const input = { prompt: 'a red fox', idempotencyKey: 'the-same-in-both', partialImages: 1, metadata: [] }
  const { createWebhook } = await client.get<{ createWebhook: { webhook: { id: string } } }>(
    'mutation { createWebhook(input: { url: "http://127.0.0.1:9/" }) { webhook { id } } }',
  )
  const { createApiKey } = await client.get<{ createApiKey: { apiKey: { id: string } } }>(
    'mutation { createApiKey(input: { name: "x" }) { apiKey { id } } }',
  )
  const taskId = await client.generate(input)
  await client.ended(taskId)
  const { task } = await client.get<{
    task: Record<'images' | 'attempts' | 'webhookDeliveries', { id: string }[]>
  }>('query ($id: ID!) { task(id: $id) { images { id } attempts { id } webhookDeliveries { id } } }', {
    id: taskId,
  })
  return {
    Task: taskId,
    Attempt: task.attempts[0]!.id,
    Image: task.images[0]!.id,
    Webhook: createWebhook.webhook.id,
    WebhookDelivery: task.webhookDeliveries[0]!.id,
    ApiKey: createApiKey.apiKey.id,
    Project: project,
  }
}

const ROOTS = [
  ['query', schema.getQueryType()!],
  ['mutation', schema.getMutationType()!],
  ['subscription', schema.getSubscriptionType()!],
] as const

/** Every argument or input field of a root field that takes an id: the operation, and its variables with the id. */
const ID_ARGUMENTS = ROOTS.flatMap(([kind, type]) =>
  Object.values(type.getFields()).flatMap((field) =>
    field.args.flatMap((arg) =>
      idPositionsOf(arg.type).map((position) => ({
        name: `${field.name}(${arg.name}${position.path})`,
        query: operationOf(kind, field, arg.name),
        variables: (id: string) => ({ ...requiredOf(field, arg.name), [arg.name]: position.value(id) }),
      })),
    ),
  ),
)

interface IdPosition {
  path: string
  value: (id: string) => unknown
}

/** The positions of an argument's type that take an id. */
function idPositionsOf(type: GraphQLInputType, depth = 0): IdPosition[] {
  const inList = String(type).includes('[')
  const wrap = (value: unknown) => (inList ? [value] : value)
  const named = getNamedType(type)
  if (named.name === 'ID') return [{ path: '', value: wrap }]
  if (!isInputObjectType(named) || depth > 2) return []
  return Object.values(named.getFields()).flatMap((field) =>
    idPositionsOf(field.type, depth + 1).map(({ path, value }) => ({
      path: `.${field.name}${path}`,
      value: (id: string) =>
        wrap({ ...(named.isOneOf ? {} : requiredFieldsOf(named)), [field.name]: value(id) }),
    })),
  )
}

function requiredFieldsOf(type: ReturnType<typeof getNamedType>): Record<string, unknown> {
  if (!isInputObjectType(type)) return {}
  const needed = Object.values(type.getFields()).filter(
    (field) => isNonNullType(field.type) && field.defaultValue === undefined,
  )
  return Object.fromEntries(needed.map((field) => [field.name, validValueOf(field.type)]))
}

function requiredOf({ args }: GraphQLField<unknown, unknown>, but: string): Record<string, unknown> {
  const needed = args.filter(
    (arg) => arg.name !== but && isNonNullType(arg.type) && arg.defaultValue === undefined,
  )
  return Object.fromEntries(needed.map((arg) => [arg.name, validValueOf(arg.type)]))
}

/** A valid value of a type. */
function validValueOf(type: GraphQLInputType): unknown {
  const named = getNamedType(type)
  if (String(type).includes('[')) return []
  if (isEnumType(named)) return named.getValues()[0]!.name
  if (isInputObjectType(named)) return requiredFieldsOf(named)
  const values: Record<string, unknown> = {
    Int: 1,
    BigInt: 1,
    Float: 1,
    Boolean: true,
    DateTime: '2026-01-01T00:00:00Z',
  }
  return values[named.name] ?? 'x'
}

function operationOf(kind: string, field: GraphQLField<unknown, unknown>, given: string): string {
  const used = field.args.filter(
    (arg) => arg.name === given || (isNonNullType(arg.type) && arg.defaultValue === undefined),
  )
  const head = used.map((arg) => `$${arg.name}: ${String(arg.type)}`).join(', ')
  const call = used.map((arg) => `${arg.name}: $${arg.name}`).join(', ')
  return `${kind} (${head}) { ${field.name}(${call}) ${selectionOf(field)} }`
}

function selectionOf({ type }: Pick<GraphQLField<unknown, unknown>, 'type'>): string {
  const named = getNamedType(type)
  if (!isObjectType(named) && !isInterfaceType(named)) return ''
  const fields = Object.values(named.getFields())
  // The object that a mutation returns is inside.
  if (/(Payload|Outcome)$/.test(named.name))
    return `{ ${fields.map((field) => `${field.name} ${selectionOf(field)}`).join(' ')} }`
  return fields.some(({ name }) => name === 'id') ? '{ __typename id }' : '{ __typename }'
}

describe.each(DATABASES)('two projects on %s', (database) => {
  let keyed: GatewayWithKeys
  let foreign: Record<string, string>
  let own: Record<string, string>
  let key: string
  let ownClient: Client
  let foreignClient: Client

  beforeAll(async () => {
    keyed = await openGatewayWithKeys({ database, webhookRule })
    const make = async (name: string) => {
      const project = await keyed.newProject(name)
      const { key: made } = await keyed.newKey({ project, scopes: ['GENERATE', 'READ', 'REPORT', 'ADMIN'] })
      return { project, key: made, client: keyed.as(made) }
    }
    const [a, b] = [await make('A'), await make('B')]
    foreign = await makeOneOfEach(a.client, a.project)
    own = await makeOneOfEach(b.client, b.project)
    ;({ key, client: ownClient } = b)
    foreignClient = a.client
  })
  afterAll(() => keyed[Symbol.asyncDispose]())

  it('are tested with every type and every argument that has an id', () => {
    expect(Object.keys(foreign).toSorted()).toEqual(NODE_TYPES.toSorted())
    // New arguments are found in the schema.
    expect(ID_ARGUMENTS.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'node(id)',
        'nodes(ids)',
        'task(id)',
        'webhookDeliveries(webhookId)',
        'cancelTask(input.id)',
        'retryTask(input.id)',
        'resolveAttempt(input.id)',
        'deleteWebhook(input.id)',
        'redeliverWebhook(input.deliveryId)',
        'revokeApiKey(input.id)',
        'generateImage(input.images.imageId)',
        'generateImage(input.mask.imageId)',
        'generateImages(input.inputs.images.imageId)',
        'cancelTasks(input.ids)',
        'retryTasks(input.ids)',
        'taskEvents(taskId)',
      ]),
    )
  })

  it.each(ID_ARGUMENTS)(
    '$name responds to an id of the other project as to an unknown id',
    async ({ query, variables }) => {
      for (const id of Object.values(foreign)) {
        // With the same timestamp, so that it has the same position in every order.
        const missing = id.slice(0, -4) + (id.endsWith('ZZZZ') ? 'YYYY' : 'ZZZZ')
        const [ofForeign, ofMissing] = [
          await post(query, variables(id)),
          await post(query, variables(missing)),
        ]
        expect(ofForeign.text.replaceAll(id, 'ID')).toBe(ofMissing.text.replaceAll(missing, 'ID'))
        expect(ofForeign.status).toBe(ofMissing.status)
      }
    },
  )

  it.each(NODE_TYPES)('node and nodes return a %s only to its own project', async (type) => {
    const query = 'query ($id: ID!) { node(id: $id) { __typename id } nodes(ids: [$id]) { id } }'
    const id = own[type]!
    expect(await ownClient.get(query, { id })).toEqual({ node: { __typename: type, id }, nodes: [{ id }] })
    expect(await ownClient.get(query, { id: foreign[type] })).toEqual({ node: null, nodes: [null] })
  })

  it('B47: an invalid id and an id of another type return null', async () => {
    const query = 'query ($id: ID!) { node(id: $id) { id } task(id: $id) { id } }'
    for (const id of [
      '%%%',
      '',
      'task_',
      'att_01K00000000000000000000000',
      '💥',
      own['Image']!.replace('img', 'task'),
    ])
      expect(await ownClient.get(query, { id })).toEqual({ node: null, task: null })
    expect((await ownClient.get<{ task: unknown }>(query, { id: own['Attempt'] })).task).toBeNull()
  })

  it('list no objects of each other', async () => {
    const ids = Object.values(foreign)
    for (const field of Object.values(schema.getQueryType()!.getFields())) {
      if (field.args.some((arg) => isNonNullType(arg.type) && arg.defaultValue === undefined)) continue
      const { data, errors } = await requestDeepest(field)
      const text = JSON.stringify(data ?? null)
      const code = errors?.[0]?.extensions?.['code'] ?? 'FORBIDDEN'
      expect([field.name, code, ids.filter((id) => text.includes(id))]).toEqual([field.name, 'FORBIDDEN', []])
    }
  })

  it('receive no events of each other in a feed', async () => {
    const feed = ownClient.watch<{ taskFeed: { task: { id: string } } }>(
      'SSE',
      'subscription { taskFeed { task { id } } }',
    )
    const next = feed.next()
    await expect.poll(() => keyed.server.gateway.subscriberCount()).toBe(1)
    const foreignTask = await foreignClient.generate({ prompt: 'foreign' })
    await foreignClient.ended(foreignTask)
    const ownTask = await ownClient.generate({ prompt: 'own' })
    expect((await next).value?.data?.taskFeed.task.id).toBe(ownTask)
    await feed.return?.()
  })

  it('have separate idempotency keys', () => {
    // Both projects used the same key, and each has a task.
    expect(own['Task']).not.toBe(foreign['Task'])
  })

  it('cannot resume from a cursor of the other', async () => {
    const { task, tasks } = await foreignClient.get<{
      task: { lastCursor: string }
      tasks: { feedCursor: string }
    }>('query ($id: ID!) { task(id: $id) { lastCursor } tasks { feedCursor } }', { id: foreign['Task'] })
    for (const query of [
      `subscription { taskEvents(taskId: "${own['Task']}", after: "${task.lastCursor}") { cursor } }`,
      `subscription { taskFeed(after: "${tasks.feedCursor}") { cursor } }`,
    ])
      expect((await post(query, {})).text).toContain('CURSOR_INVALID')
  })

  it('cannot fetch images of each other', async () => {
    const query = 'query ($id: ID!) { task(id: $id) { images { url } partialImages { image { url } } } }'
    const urls = async (client: Client, id: string) =>
      JSON.stringify(await client.get(query, { id })).match(/http[^"]+/g)!
    const foreignUrls = await urls(foreignClient, foreign['Task']!)
    const [ownUrl] = await urls(ownClient, own['Task']!)
    expect((await fetch(ownUrl)).status).toBe(200)
    const missing = newId('img', Date.now())
    for (const url of foreignUrls) {
      expect((await fetch(url)).status).toBe(200)
      const id = /img_\w+/.exec(url)![0]
      for (const forged of [
        url.replace(/\?.*/, ''),
        ownUrl.replace(own['Image']!, id),
        url.replace(/signature=.*/, ownUrl.replace(/.*signature=/, 'signature=')),
      ]) {
        const [ofForeign, ofMissing] = [
          await fetch(forged, { headers: bearer(key) }),
          await fetch(forged.replace(id, missing)),
        ]
        expect([ofForeign.status, await ofForeign.text()]).toEqual([403, await ofMissing.text()])
        expect(ofMissing.status).toBe(403)
      }
    }
  })

  it('receive image URLs in webhooks that are valid for four days', async () => {
    const { node } = await foreignClient.get<{ node: { payload: string } }>(
      'query ($id: ID!) { node(id: $id) { ... on WebhookDelivery { payload } } }',
      { id: foreign['WebhookDelivery'] },
    )
    const [path = ''] = /\/assets\/[^"]+/.exec(node.payload) ?? []
    expect((await fetch(keyed.url + path)).status).toBe(200)
    const expires = Number(new URLSearchParams(path.split('?')[1]).get('expires')) * 1000
    expect(Math.abs(expires - Date.now() - 4 * 86_400_000)).toBeLessThan(600_000)
  })

  it('are unchanged by requests of each other', async () => {
    const { nodes } = await foreignClient.get<{ nodes: Record<string, unknown>[] }>(
      `query ($ids: [ID!]!) { nodes(ids: $ids) { __typename ... on Task { status } ... on Webhook { deletedAt }
        ... on ApiKey { revokedAt } ... on WebhookDelivery { state } } }`,
      { ids: NODE_TYPES.map((type) => foreign[type]) },
    )
    expect(nodes.map(({ __typename }) => __typename)).toEqual(NODE_TYPES)
    const states = Object.fromEntries(nodes.map(({ __typename, ...rest }) => [__typename, rest]))
    expect(states).toMatchObject({
      Task: { status: 'SUCCEEDED' },
      Webhook: { deletedAt: null },
      ApiKey: { revokedAt: null },
      WebhookDelivery: { state: 'PENDING' },
    })
  })

  async function post(query: string, variables: unknown): Promise<{ status: number; text: string }> {
    const isStream = query.startsWith('subscription')
    const response = await fetch(`${keyed.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: isStream ? 'text/event-stream' : 'application/json',
        ...bearer(key),
      },
      body: JSON.stringify({ query, variables }),
    })
    return {
      status: response.status,
      text: isStream ? await readFirstResult(response) : await response.text(),
    }
  }

  /** Requests a field to the greatest depth that the query limits accept. */
  async function requestDeepest(field: GraphQLField<unknown, unknown>): Promise<Result<unknown>> {
    for (let depth = 6; ; depth--) {
      const result: Result<unknown> = await ownClient.execute(
        `{ ${field.name} ${allFieldsOf(field, depth)} }`,
      )
      const code = result.errors?.[0]?.extensions?.['code']
      if (depth === 1 || code !== 'QUERY_TOO_LARGE') return result
    }
  }
})

/** A selection of all fields without required arguments, `depth` levels deep. */
function allFieldsOf({ type }: Pick<GraphQLField<unknown, unknown>, 'type'>, depth: number): string {
  const named = getNamedType(type)
  if (!isObjectType(named) && !isInterfaceType(named)) return ''
  const fields = Object.values(named.getFields()).filter(
    (field) =>
      !field.args.some((arg) => isNonNullType(arg.type) && arg.defaultValue === undefined) &&
      (depth > 1 || !(isObjectType(getNamedType(field.type)) || isInterfaceType(getNamedType(field.type)))),
  )
  const inner = fields.map((field) => `${field.name} ${allFieldsOf(field, depth - 1)}`)
  return `{ __typename ${inner.join(' ')} }`
}
