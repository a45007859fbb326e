import { Webhook } from 'standardwebhooks'
import { describe, expect, it } from 'vitest'
import { openGateway, type TestGateway } from '../support/gateway.ts'
import { ANY_ADDRESS, openReceiver, statuses } from '../support/receiver.ts'

interface Endpoint {
  id: string
  url: string
  events: string[] | null
  description: string | null
  secret: string | null
  deletedAt: string | null
}
interface Delivery {
  id: string
  event: string
  state: string
  url: string
  payload: string
  nextTryAt: string | null
  finishedAt: string | null
  webhook: { id: string } | null
  task: { id: string }
  tries: { number: number; httpStatus: number | null; failure: string | null; durationMs: number }[]
}

const ENDPOINT = 'id url events description deletedAt'
const DELIVERY = `id event state url payload nextTryAt finishedAt webhook { id } task { id }
  tries { number httpStatus failure durationMs }`

const open = () => openGateway({ webhookRule: ANY_ADDRESS })

async function register(gateway: TestGateway, input: Record<string, unknown>): Promise<Endpoint> {
  const { createWebhook } = await gateway.get<{ createWebhook: { webhook: Endpoint; secret: string } }>(
    `mutation ($input: CreateWebhookInput!) { createWebhook(input: $input) { webhook { ${ENDPOINT} } secret } }`,
    { input },
  )
  return { ...createWebhook.webhook, secret: createWebhook.secret }
}

/** The deliveries of a task once all of them have ended. */
async function deliveriesOf(gateway: TestGateway, id: string): Promise<Delivery[]> {
  const read = async () =>
    (
      await gateway.get<{ task: { webhookDeliveries: Delivery[] } }>(
        `query ($id: ID!) { task(id: $id) { webhookDeliveries { ${DELIVERY} } } }`,
        { id },
      )
    ).task.webhookDeliveries
  const pending = async () => (await read()).filter(({ state }) => state === 'PENDING').length
  await expect.poll(pending, { interval: 20 }).toBe(0)
  return read()
}

describe('webhooks over GraphQL', () => {
  it('show the secret only at creation', async () => {
    await using gateway = await open()
    const input = { url: 'http://example.com/hook', events: ['TASK_FAILED'], description: 'the billing team' }
    const { secret, ...created } = await register(gateway, input)
    expect(created).toEqual({ ...input, id: expect.stringMatching(/^whk_/), deletedAt: null })
    expect(Buffer.from(secret!.replace(/^whsec_/, ''), 'base64')).toHaveLength(32)
    const { webhooks, node } = await gateway.get<{ webhooks: Endpoint[]; node: Endpoint }>(
      `query ($id: ID!) { webhooks { ${ENDPOINT} } node(id: $id) { ... on Webhook { ${ENDPOINT} } } }`,
      { id: created.id },
    )
    expect(webhooks).toEqual([created])
    expect(node).toEqual(created)

    const remove = `mutation ($id: ID!) { deleteWebhook(input: { id: $id }) { webhook { ${ENDPOINT} } } }`
    const removed = await gateway.get<{ deleteWebhook: { webhook: Endpoint } }>(remove, { id: created.id })
    expect(removed.deleteWebhook.webhook).toEqual({ ...created, deletedAt: expect.any(String) })
    expect(await gateway.get(remove, { id: created.id })).toEqual(removed)
    expect(await gateway.get('{ webhooks { id } }')).toEqual({ webhooks: [] })
  })

  it('are sent to the registered URL and the callbackUrl, each with its own secret', async () => {
    await using receiver = await openReceiver()
    await using gateway = await open()
    const { secret, id: webhookId } = await register(gateway, { url: `${receiver.url}/registered` })
    const callbackUrl = `${receiver.url}/mine?order=7`
    const id = await gateway.generate({ prompt: 'a fox', size: '1024x1024', callbackUrl })
    const [registered] = await receiver.received(1, '/registered')
    const [mine] = await receiver.received(1, '/mine?order=7')
    const { webhookSecret } = await gateway.get<{ webhookSecret: string }>('{ webhookSecret }')
    expect(webhookSecret).not.toBe(secret)
    new Webhook(secret!).verify(registered!.body, registered!.headers)
    expect(new Webhook(webhookSecret).verify(mine!.body, mine!.headers)).toMatchObject({
      type: 'task.succeeded',
      data: { taskId: id, status: 'SUCCEEDED', charged: 'YES' },
    })
    expect(() => new Webhook(secret!).verify(mine!.body, mine!.headers)).toThrow('No matching signature')
    expect(await gateway.get('{ webhookSecret }')).toEqual({ webhookSecret })

    const deliveries = await deliveriesOf(gateway, id)
    expect(deliveries).toHaveLength(2)
    expect(deliveries.find(({ webhook }) => webhook === null)).toEqual({
      id: mine!.headers['webhook-id'],
      event: 'TASK_SUCCEEDED',
      state: 'SUCCEEDED',
      url: callbackUrl,
      payload: mine!.body,
      nextTryAt: null,
      finishedAt: expect.any(String),
      webhook: null,
      task: { id },
      tries: [{ number: 1, httpStatus: 204, failure: null, durationMs: expect.any(Number) }],
    })
    const { webhookDeliveries } = await gateway.get<{
      webhookDeliveries: { nodes: Delivery[]; totalCount: number }
    }>(
      `query ($webhookId: ID) { webhookDeliveries(webhookId: $webhookId) { nodes { ${DELIVERY} } totalCount } }`,
      { webhookId },
    )
    expect(webhookDeliveries).toEqual({
      nodes: [deliveries.find(({ webhook }) => webhook !== null)],
      totalCount: 1,
    })
    expect(webhookDeliveries.nodes[0]!.webhook).toEqual({ id: webhookId })
  })

  it('change only what is named', async () => {
    await using gateway = await open()
    const { id } = await register(gateway, {
      url: 'http://example.com/hook',
      events: ['TASK_FAILED'],
      description: 'the billing team',
    })
    const update = async (input: Record<string, unknown>) => {
      const query = `mutation ($input: UpdateWebhookInput!) { updateWebhook(input: $input) { webhook { events description } } }`
      const { data, errors } = await gateway.execute<{ updateWebhook: { webhook: unknown } }>(query, {
        input: { id, ...input },
      })
      return errors ? errors[0]!.extensions?.['code'] : data?.updateWebhook.webhook
    }
    expect(await update({})).toEqual({ events: ['TASK_FAILED'], description: 'the billing team' })
    expect(await update({ events: null })).toEqual({ events: null, description: 'the billing team' })
    expect(await update({ description: null })).toEqual({ events: null, description: null })
    expect(await update({ events: [] })).toBe('BAD_USER_INPUT')
    expect(await update({ id: 'whk_none' })).toBe('NOT_FOUND')
    await gateway.get('mutation ($id: ID!) { deleteWebhook(input: { id: $id }) { webhook { id } } }', { id })
    expect(await update({ description: 'late' })).toBe('CONFLICT')
  })

  it('list past deliveries by page and redeliver any of them', async () => {
    await using receiver = await openReceiver()
    await using gateway = await open()
    const tasks: string[] = []
    for (let i = 0; i < 3; i++) {
      tasks.push(await gateway.generate({ prompt: 'a fox', size: '1024x1024', callbackUrl: receiver.url }))
      await receiver.received(i + 1)
    }
    for (const id of tasks) await deliveriesOf(gateway, id)
    const page =
      'query ($after: String) { webhookDeliveries(first: 2, after: $after) { nodes { id task { id } } pageInfo { endCursor } } }'
    type Page = {
      webhookDeliveries: { nodes: { id: string; task: { id: string } }[]; pageInfo: { endCursor: string } }
    }
    const { webhookDeliveries: newest } = await gateway.get<Page>(page)
    const {
      webhookDeliveries: { nodes: rest },
    } = await gateway.get<Page>(page, { after: newest.pageInfo.endCursor })
    expect([...newest.nodes, ...rest].map(({ task }) => task.id)).toEqual(tasks.toReversed())

    const again =
      'mutation ($id: ID!) { redeliverWebhook(input: { deliveryId: $id }) { delivery { id state } } }'
    expect(await gateway.get(again, { id: rest[0]!.id })).toMatchObject({
      redeliverWebhook: { delivery: { id: rest[0]!.id, state: 'PENDING' } },
    })
    const deliveries = await receiver.received(4)
    expect(deliveries.at(-1)!.headers['webhook-id']).toBe(rest[0]!.id)
    expect(deliveries.at(-1)!.body).toBe(deliveries[0]!.body)
  })

  it('are part of an idempotent request: another callbackUrl is a conflict', async () => {
    await using gateway = await open()
    const input = { prompt: 'a fox', idempotencyKey: 'k', callbackUrl: 'http://example.com/a' }
    const id = await gateway.generate(input)
    expect(await gateway.generate(input)).toBe(id)
    const generate = 'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { task { id } } }'
    const { errors } = await gateway.execute(generate, {
      input: { ...input, callbackUrl: 'http://example.com/b' },
    })
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' })
    const query = 'query ($id: ID!) { task(id: $id) { callbackUrl } }'
    expect(await gateway.get(query, { id })).toEqual({ task: { callbackUrl: input.callbackUrl } })
  })
})

describe('sendTestWebhook', () => {
  const TEST = `mutation ($id: ID!) { sendTestWebhook(input: { id: $id }) { delivery { ${DELIVERY} } } }`
  async function tested(gateway: TestGateway, id: string): Promise<Delivery> {
    const { sendTestWebhook } = await gateway.get<{ sendTestWebhook: { delivery: Delivery } }>(TEST, { id })
    const read = async () =>
      (
        await gateway.get<{ node: Delivery }>(
          `query ($id: ID!) { node(id: $id) { ... on WebhookDelivery { ${DELIVERY} } } }`,
          { id: sendTestWebhook.delivery.id },
        )
      ).node
    await expect.poll(async () => (await read()).state, { interval: 20 }).not.toBe('PENDING')
    return read()
  }

  it('sends one signed message, whatever events the webhook has', async () => {
    await using receiver = await openReceiver()
    await using gateway = await open()
    const { id, secret } = await register(gateway, { url: receiver.url, events: ['TASK_FAILED'] })
    const delivery = await tested(gateway, id)
    expect(delivery).toMatchObject({
      event: 'WEBHOOK_TEST',
      state: 'SUCCEEDED',
      task: null,
      webhook: { id },
      tries: [{ number: 1, httpStatus: 204, failure: null }],
    })
    const [request] = await receiver.received(1)
    expect(new Webhook(secret!).verify(request!.body, request!.headers)).toEqual({
      type: 'webhook.test',
      timestamp: expect.any(String),
      data: { webhookId: id },
    })
  })

  it('does not repeat a failed message, and is refused for a closed webhook and as an event', async () => {
    await using receiver = await openReceiver(statuses(500, 410))
    await using gateway = await open()
    const { id } = await register(gateway, { url: receiver.url })
    const failed = { state: 'FAILED', nextTryAt: null }
    expect(await tested(gateway, id)).toMatchObject({ ...failed, tries: [{ httpStatus: 500 }] })
    expect(await tested(gateway, id)).toMatchObject({ ...failed, tries: [{ failure: 'GONE' }] })
    expect((await gateway.execute(TEST, { id })).errors).toMatchObject([
      { message: expect.stringContaining('is disabled'), extensions: { code: 'CONFLICT', field: 'id' } },
    ])
    const chosen = await gateway.execute(
      'mutation ($id: ID!) { updateWebhook(input: { id: $id, events: [WEBHOOK_TEST] }) { webhook { id } } }',
      { id },
    )
    expect(chosen.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field: 'events' } }])
  })
})

describe('the URL of a webhook', () => {
  const CREATE = 'mutation ($input: CreateWebhookInput!) { createWebhook(input: $input) { webhook { id } } }'
  const GENERATE = 'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { task { id } } }'

  it.each([
    { url: 'http://example.com/hook', message: 'must begin with https://' },
    { url: 'https://127.0.0.1/hook', message: 'must be on a public host' },
    { url: 'https://[::ffff:7f00:1]/hook', message: 'must be on a public host' },
    { url: 'https://localhost/hook', message: 'must be on a public host' },
    { url: 'https://169.254.169.254/latest', message: 'must be on a public host' },
    { url: 'https://user:pass@example.com/', message: 'must not contain a user name or password' },
    { url: 'https://example.com:6379/', message: 'must not name port 6379; 80 and 443 are allowed' },
    { url: `https://example.com/${'a'.repeat(2048)}`, message: 'must not be longer than 2048 characters' },
  ])('is refused before anything is stored: $message', async ({ url, message }) => {
    await using gateway = await openGateway()
    const registered = await gateway.execute(CREATE, { input: { url } })
    expect(registered.errors).toMatchObject([
      { message: `The url ${message}.`, extensions: { code: 'BAD_USER_INPUT', field: 'url' } },
    ])
    const result = await gateway.execute(GENERATE, { input: { prompt: 'a fox', callbackUrl: url } })
    expect(result.errors).toMatchObject([
      {
        message: `The callbackUrl ${message}.`,
        extensions: { code: 'BAD_USER_INPUT', field: 'callbackUrl' },
      },
    ])
    expect(await gateway.get('{ webhooks { id } tasks { nodes { id } } }')).toEqual({
      webhooks: [],
      tasks: { nodes: [] },
    })
  })

  it('and all other arguments are validated, and an unknown id is not found', async () => {
    await using gateway = await open()
    const url = 'http://example.com/hook'
    const codes = async (query: string, variables: Record<string, unknown>) =>
      (await gateway.execute(query, variables)).errors?.map(({ extensions }) => [
        extensions?.['code'],
        extensions?.['field'],
      ])
    expect(await codes(CREATE, { input: { url, events: [] } })).toEqual([['BAD_USER_INPUT', 'events']])
    expect(await codes(CREATE, { input: { url, description: 'x'.repeat(201) } })).toEqual([
      ['BAD_USER_INPUT', 'description'],
    ])
    expect(
      await codes('mutation { deleteWebhook(input: { id: "whk_none" }) { webhook { id } } }', {}),
    ).toEqual([['NOT_FOUND', 'id']])
    expect(
      await codes('mutation { redeliverWebhook(input: { deliveryId: "dlv_none" }) { delivery { id } } }', {}),
    ).toEqual([['NOT_FOUND', 'deliveryId']])
    expect(await codes('{ webhookDeliveries(first: 101) { nodes { id } } }', {})).toEqual([
      ['BAD_USER_INPUT', 'first'],
    ])
    expect(await codes('{ webhookDeliveries(after: "x") { nodes { id } } }', {})).toEqual([
      ['CURSOR_INVALID', 'after'],
    ])
    for (let i = 0; i < 20; i++) await register(gateway, { url })
    expect(await codes(CREATE, { input: { url } })).toEqual([['CONFLICT', undefined]])
  })
})
