import { execute, parse, type ExecutionResult } from 'graphql'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { Unavailable } from '../../src/errors.ts'
import { schema } from '../../src/schema/index.ts'
import { openGatewayWithKeys } from '../access/gateway-with-keys.ts'
import type { Client, Result } from '../support/client.ts'
import { DATABASES } from '../support/database.ts'
import { openGateway } from '../support/gateway.ts'

interface Outcome {
  id?: string
  task: { id: string; status: string; prompt: string; retryOf: { id: string } | null } | null
  replayed?: boolean
  error: { code: string; message: string; field: string | null; retryAfterMs: number | null } | null
}

const OUTCOME = 'task { id status prompt retryOf { id } } error { code message field retryAfterMs }'
const GENERATE = `mutation ($input: GenerateImagesInput!) { result: generateImages(input: $input) { outcomes { replayed ${OUTCOME} } } }`
const CANCEL = `mutation ($input: CancelTasksInput!) { result: cancelTasks(input: $input) { outcomes { id ${OUTCOME} } } }`
const RETRY = `mutation ($input: RetryTasksInput!) { result: retryTasks(input: $input) { outcomes { id ${OUTCOME} } } }`

type Bulk = Result<{ result: { outcomes: Outcome[] } | null }>

async function outcomesOf(client: Client, query: string, input: object): Promise<Outcome[]> {
  return (await client.get<{ result: { outcomes: Outcome[] } }>(query, { input })).result.outcomes
}

async function countTasks(client: Client): Promise<number> {
  return (await client.get<{ tasks: { totalCount: number } }>('{ tasks { totalCount } }')).tasks.totalCount
}

const codesOf = ({ errors }: Bulk) =>
  errors?.map(({ extensions }) => [extensions?.['code'], extensions?.['field']])

const edited = (widths: number[]) => ({
  task: { inputImages: widths.map((width) => ({ width })) },
  error: null,
})

const ACCEPTED = { replayed: false, error: null, task: { status: 'QUEUED' } }

describe.each(DATABASES)('generateImages on %s', (database) => {
  it('creates a task for each input in order; a refused one does not stop the others', async () => {
    await using server = await openGateway({ database })
    const inputs = [
      { prompt: 'a fox', idempotencyKey: 'a' },
      { prompt: 'a hare', n: 11 },
      { prompt: 'an owl' },
    ]
    const outcomes = await outcomesOf(server, GENERATE, { inputs })
    expect(outcomes).toMatchObject([
      { ...ACCEPTED, task: { prompt: 'a fox' } },
      { task: null, replayed: false, error: { code: 'BAD_USER_INPUT', field: 'n', retryAfterMs: null } },
      { ...ACCEPTED, task: { prompt: 'an owl' } },
    ])
    expect(outcomes[1]!.error!.message).toContain('11')
    for (const index of [0, 2])
      expect(await server.ended(outcomes[index]!.task!.id)).toEqual({ status: 'SUCCEEDED' })
    expect(await countTasks(server)).toBe(2)
  })

  it('replays each idempotency key on its own', async () => {
    await using server = await openGateway({ database })
    const inputs = [
      { prompt: 'a fox', idempotencyKey: 'a' },
      { prompt: 'a hare', idempotencyKey: 'b' },
    ]
    const first = await outcomesOf(server, GENERATE, { inputs })
    const again = await outcomesOf(server, GENERATE, {
      inputs: [
        ...inputs,
        { prompt: 'another', idempotencyKey: 'b' },
        { prompt: 'an owl', idempotencyKey: 'c' },
      ],
    })
    expect(again).toMatchObject([
      { replayed: true, error: null, task: { id: first[0]!.task!.id } },
      { replayed: true, error: null, task: { id: first[1]!.task!.id } },
      { replayed: false, task: null, error: { code: 'IDEMPOTENCY_KEY_REUSED', field: 'idempotencyKey' } },
      { replayed: false, error: null, task: { prompt: 'an owl' } },
    ])
    expect(await countTasks(server)).toBe(3)
  })

  it('counts each input against the limits of the key', async () => {
    await using keyed = await openGatewayWithKeys({ database })
    const { id, key } = await keyed.newKey({ scopes: ['GENERATE', 'READ'] })
    await keyed
      .operator()
      .get(
        'mutation ($owner: ID!) { setLimits(input: { owner: $owner, limits: { tasksPerMinute: 2 } }) { limits { tasksPerMinute } } }',
        { owner: id },
      )
    const inputs = ['a fox', 'a hare', 'an owl'].map((prompt) => ({ prompt }))
    const outcomes = await outcomesOf(keyed.as(key), GENERATE, { inputs })
    expect(outcomes.map(({ error }) => error?.code)).toEqual([undefined, undefined, 'RATE_LIMITED'])
    expect(outcomes[2]!.error!.retryAfterMs).toBeGreaterThan(0)
  })
})

describe('generateImages', () => {
  it('accepts 50 inputs, and refuses 51 before it stores one', async () => {
    await using server = await openGateway()
    const inputs = Array.from({ length: 51 }, () => ({ prompt: 'a fox', size: '1024x1024' }))
    const refused: Bulk = await server.execute(GENERATE, { input: { inputs } })
    expect(codesOf(refused)).toEqual([['BAD_USER_INPUT', 'inputs']])
    expect(refused.data).toEqual({ result: null })
    expect(await countTasks(server)).toBe(0)
    const outcomes = await outcomesOf(server, GENERATE, { inputs: inputs.slice(1) })
    expect(new Set(outcomes.map(({ task }) => task?.id)).size).toBe(50)
  })

  it('multiplies the complexity by the number of inputs', async () => {
    await using server = await openGateway()
    // Its weight is about 1000 for each input.
    const fields = `attempts { ${Array.from({ length: 4 }, (_, i) => `a${i}: ledger { kind amountMicros at }`).join(' ')} }`
    const query = `mutation ($input: GenerateImagesInput!) { result: generateImages(input: $input) { outcomes { task { ${Array.from({ length: 6 }, (_, i) => `t${i}: ${fields.replaceAll(/a\d: /g, '')}`).join(' ')} } } } }`
    const inputs = Array.from({ length: 50 }, () => ({ prompt: 'a fox' }))
    expect(codesOf(await server.execute(query, { input: { inputs } }))).toEqual([
      ['QUERY_TOO_LARGE', undefined],
    ])
    expect(await countTasks(server)).toBe(0)
    expect(codesOf(await server.execute(query, { input: { inputs: inputs.slice(49) } }))).toBeUndefined()
  })

  it('refuses the header Idempotency-Key, which names one task', async () => {
    await using server = await openGateway()
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': 'one' },
      body: JSON.stringify({ query: GENERATE, variables: { input: { inputs: [{ prompt: 'a fox' }] } } }),
    })
    const result: Bulk = await response.json()
    expect(codesOf(result)).toEqual([['BAD_USER_INPUT', 'idempotencyKey']])
    expect(await countTasks(server)).toBe(0)
  })

  it('takes uploaded files at the inputs that the map names', async () => {
    await using server = await openGateway()
    const form = new FormData()
    const inputs = [
      { prompt: 'a fox' },
      { prompt: 'more teal', images: [{ upload: null }] },
      { prompt: 'more red', images: [{ upload: null }] },
    ]
    const query = `mutation ($input: GenerateImagesInput!) { generateImages(input: $input) {
      outcomes { task { inputImages { width } } error { code } }
    } }`
    form.set('operations', JSON.stringify({ query, variables: { input: { inputs } } }))
    form.set('map', JSON.stringify({ a: [1, 2].map((i) => `variables.input.inputs.${i}.images.0.upload`) }))
    const background = 'teal'
    const image = await sharp({ create: { width: 64, height: 48, channels: 3, background } })
      .png()
      .toBuffer()
    form.set('a', new File([new Uint8Array(image)], 'image.png'))
    const headers = { 'graphql-require-preflight': '1' }
    const response = await fetch(`${server.url}/graphql`, { method: 'POST', headers, body: form })
    expect(await response.json()).toEqual({
      data: { generateImages: { outcomes: [edited([]), edited([64]), edited([64])] } },
    })
  })

  it('keeps the other outcomes when one input fails unexpectedly', async () => {
    const { data, errors, calls } = await withEngine(async (nth) => {
      if (nth === 1) throw new TypeError('a bug')
      return { task: { id: `task_${nth}` }, replayed: false }
    })
    expect(calls).toBe(3)
    expect(data).toEqual({
      generateImages: {
        outcomes: [
          { replayed: false, task: { id: 'task_0' }, error: null },
          { replayed: false, task: null, error: null },
          { replayed: false, task: { id: 'task_2' }, error: null },
        ],
      },
    })
    expect(errors).toMatchObject([{ path: ['generateImages', 'outcomes', 1, 'task'], message: 'a bug' }])
  })

  it('does not try further inputs while the database is away', async () => {
    const { data, calls } = await withEngine(async (nth) => {
      if (nth === 1) throw new Unavailable('The database is away.', 1000)
      return { task: { id: `task_${nth}` }, replayed: false }
    })
    expect(calls).toBe(2)
    const refused = { replayed: false, task: null, error: { code: 'SERVICE_UNAVAILABLE' } }
    expect(data).toEqual({
      generateImages: {
        outcomes: [{ replayed: false, task: { id: 'task_0' }, error: null }, refused, refused],
      },
    })
  })
})

describe.each(DATABASES)('cancelTasks and retryTasks on %s', (database) => {
  it('cancel each task on its own, and again without effect', async () => {
    const providers = [{ name: 'sandbox', dialect: 'sandbox', durationMs: 0, concurrency: 1 }]
    await using server = await openGateway({ database, providers })
    const ended = await server.generate({ prompt: 'a hare' })
    await server.ended(ended)
    await server.generate({ prompt: 'a fox [sandbox:stall]' })
    const queued = await server.generate({ prompt: 'an owl' })
    const ids = [ended, queued, 'task_none']
    for (const _ of [1, 2]) {
      expect(await outcomesOf(server, CANCEL, { ids })).toMatchObject([
        { id: ended, task: null, error: { code: 'CONFLICT', field: 'id' } },
        { id: queued, task: { id: queued, status: 'CANCELED' }, error: null },
        { id: 'task_none', task: null, error: { code: 'NOT_FOUND' } },
      ])
    }
    const many = Array.from({ length: 51 }, () => queued)
    expect(codesOf(await server.execute(CANCEL, { input: { ids: many } }))).toEqual([
      ['BAD_USER_INPUT', 'ids'],
    ])
  })

  it('retry each task on its own, with one permission for all', async () => {
    await using server = await openGateway({ database })
    const failed = await server.generate({ prompt: 'a fox [sandbox:reject]' })
    const lost = await server.generate({ prompt: 'a hare [sandbox:vanish]' })
    const done = await server.generate({ prompt: 'an owl' })
    for (const id of [failed, lost, done]) await server.ended(id)
    const ids = [failed, lost, done]
    const outcomes = await outcomesOf(server, RETRY, { ids })
    expect(outcomes).toMatchObject([
      { id: failed, task: { retryOf: { id: failed } }, error: null },
      {
        id: lost,
        task: null,
        error: { code: 'CHARGE_PERMISSION_REQUIRED', field: 'acceptPossibleSecondCharge' },
      },
      { id: done, task: null, error: { code: 'CONFLICT', field: 'id' } },
    ])
    const permitted = await outcomesOf(server, RETRY, { ids: [lost], acceptPossibleSecondCharge: true })
    expect(permitted).toMatchObject([{ id: lost, task: { id: lost }, error: null }])
    const twice: Bulk = await server.execute(RETRY, { input: { ids: [failed, failed] } })
    expect(codesOf(twice)).toEqual([['BAD_USER_INPUT', 'ids']])
    expect(await countTasks(server)).toBe(4)
  })
})

describe('a secret that is shown once', () => {
  it('is returned although another field of the operation fails', async () => {
    await using keyed = await openGatewayWithKeys()
    const { data, errors } = await keyed.operator().execute(`mutation {
      createApiKey(input: { name: "app" }) { key apiKey { name } }
      cancelTask(input: { id: "task_none" }) { task { id } }
      createWebhook(input: { url: "https://example.com/hook" }) { secret webhook { url } }
      deleteWebhook(input: { id: "whk_none" }) { webhook { id } }
    }`)
    expect(data).toEqual({
      createApiKey: { key: expect.stringMatching(/^dk_live_/), apiKey: { name: 'app' } },
      cancelTask: null,
      createWebhook: {
        secret: expect.stringMatching(/^whsec_/),
        webhook: { url: 'https://example.com/hook' },
      },
      deleteWebhook: null,
    })
    expect(errors?.map(({ path }) => path)).toEqual([['cancelTask'], ['deleteWebhook']])
  })

  it('is returned although a field next to it cannot be read', async () => {
    await using keyed = await openGatewayWithKeys()
    const admin = keyed.as((await keyed.newKey({ scopes: ['ADMIN'] })).key)
    const { data, errors } = await admin.execute(
      'mutation { createApiKey(input: { name: "app" }) { key apiKey { budgets { period } } } }',
    )
    expect(data).toEqual({ createApiKey: { key: expect.stringMatching(/^dk_live_/), apiKey: null } })
    expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }])
  })
})

/** The outcomes of three inputs at an engine that fails as told. */
async function withEngine(createTask: (nth: number) => Promise<object>) {
  let calls = 0
  const engine = { createTask: () => createTask(calls++) }
  const inputs = ['a fox', 'a hare', 'an owl'].map((prompt) => ({ prompt }))
  const result: ExecutionResult = await execute({
    schema,
    document: parse(
      'mutation ($input: GenerateImagesInput!) { generateImages(input: $input) { outcomes { replayed task { id } error { code } } } }',
    ),
    contextValue: { engine, idempotencyKey: null },
    variableValues: { input: { inputs } },
  })
  return { calls, ...result }
}
