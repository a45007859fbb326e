import { Client as Connection } from 'pg'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openGatewayWithKeys, type GatewayWithKeys } from '../access/gateway-with-keys.ts'
import { TRANSPORTS, type Client, type Result, type Transport } from '../support/client.ts'
import { DATABASES, newPlace } from '../support/database.ts'
import { openGateway } from '../support/gateway.ts'

const LIMITED = {
  code: 'RATE_LIMITED',
  retryAfter: expect.any(Number) as number,
}

const GENERATE = 'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { task { id } } }'
const TASK_EVENTS = 'subscription ($taskId: ID!) { taskEvents(taskId: $taskId) { cursor } }'
/** A media type and an operation per form of a response over HTTP. */
const RESPONSE_FORMS = [
  ['application/json', '{ providers { name } }'],
  ['application/graphql-response+json', '{ providers { name } }'],
  ['text/event-stream', TASK_EVENTS],
] as const
const PLAIN = { prompt: 'a fox', size: '1024x1024' }
const STALLED = { ...PLAIN, prompt: 'a fox [sandbox:stall]' }

async function setLimits(
  keyed: GatewayWithKeys,
  owner: string,
  limits: Record<string, number> | null,
): Promise<void> {
  await keyed
    .operator()
    .get(
      'mutation ($owner: ID!, $limits: LimitsInput) { setLimits(input: { owner: $owner, limits: $limits }) { limits { tasksPerMinute } } }',
      { owner, limits },
    )
}

/** The error code of each result, undefined for an accepted request. */
const codes = (results: Result<unknown>[]) => results.map(({ errors }) => errors?.[0]?.extensions?.['code'])

/** A request with an image of `bytes` bytes that cannot be decoded. It is counted before it is decoded. */
const image = (bytes: number) => ({
  input: {
    ...PLAIN,
    images: [{ dataUrl: `data:image/png;base64,${'A'.repeat((bytes / 3) * 4 - 22)}` }],
  },
})

const times = <Value>(count: number, make: () => Promise<Value>) =>
  Promise.all(Array.from({ length: count }, make))

describe.each(DATABASES)('limits on %s', (database) => {
  it('of requests count for all transports together, and are reported with the time to wait', async () => {
    await using keyed = await openGatewayWithKeys({ database })
    const { key, id } = await keyed.newKey()
    await setLimits(keyed, id, { requestsPerMinute: 5 })
    const client = keyed.as(key)
    const taskId = await keyed.operator().generate(PLAIN)
    expect(codes(await times(3, () => client.execute('{ providers { name } }')))).toEqual(
      Array(3).fill(undefined),
    )
    for (const transport of TRANSPORTS) {
      const watched = await firstResultOf(client, transport, taskId)
      expect(watched.errors).toBeUndefined()
    }
    const refused = await firstResultOf(client, 'WebSocket', taskId)
    expect(refused.errors?.[0]?.extensions).toEqual(LIMITED)
    for (const [accept, query] of RESPONSE_FORMS) {
      const response = await fetch(`${keyed.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept, authorization: `Bearer ${key}` },
        body: JSON.stringify({ query, variables: { taskId } }),
      })
      expect([accept, response.status]).toEqual([accept, 429])
      const seconds = Number(response.headers.get('retry-after'))
      expect(seconds).toBeGreaterThan(0)
      expect(seconds).toBeLessThanOrEqual(60)
      const body = await response.text()
      expect(body).toContain(`The API key may send 5 requests a minute. Try again in ${seconds} s.`)
      expect(body).toContain(`"extensions":{"code":"RATE_LIMITED","retryAfter":${seconds}}`)
    }
    const other = await keyed.newKey()
    expect(codes([await keyed.as(other.key).execute('{ providers { name } }')])).toEqual([undefined])
  })

  it('of tasks count only new tasks, for all keys of a project together', async () => {
    await using keyed = await openGatewayWithKeys({ database })
    const project = await keyed.newProject('limited')
    await setLimits(keyed, project, { tasksPerMinute: 4 })
    const [one, two] = [await keyed.newKey({ project }), await keyed.newKey({ project })]
    const clients = [keyed.as(one.key), keyed.as(two.key)]
    const input = { ...PLAIN, idempotencyKey: 'once' }
    await clients[0]!.get(GENERATE, { input })
    expect(codes(await times(5, () => clients[1]!.execute(GENERATE, { input })))).toEqual(
      Array(5).fill(undefined),
    )
    const results = [
      ...(await times(4, () => clients[0]!.execute(GENERATE, { input: PLAIN }))),
      ...(await times(4, () => clients[1]!.execute(GENERATE, { input: PLAIN }))),
    ]
    expect(codes(results).filter((code) => code === undefined)).toHaveLength(3)
    expect(codes(results).filter((code) => code === 'RATE_LIMITED')).toHaveLength(5)
    expect(codes([await keyed.operator().execute(GENERATE, { input: PLAIN })])).toEqual([undefined])
  })

  it('of concurrent tasks are not exceeded by concurrent requests', async () => {
    const providers = [{ name: 'sandbox', dialect: 'sandbox', concurrency: 1 }]
    await using keyed = await openGatewayWithKeys({ database, providers })
    const project = await keyed.newProject('limited')
    await setLimits(keyed, project, { concurrentTasks: 3 })
    const [one, two] = [await keyed.newKey({ project }), await keyed.newKey({ project })]
    await setLimits(keyed, two.id, { concurrentTasks: 1 })
    const [ofOne, ofTwo] = await Promise.all([
      times(12, () =>
        keyed.as(one.key).execute<{ generateImage: { task: { id: string } } }>(GENERATE, { input: STALLED }),
      ),
      times(12, () =>
        keyed.as(two.key).execute<{ generateImage: { task: { id: string } } }>(GENERATE, { input: STALLED }),
      ),
    ])
    const accepted = [...ofOne, ...ofTwo].flatMap(({ data }) => data?.generateImage?.task.id ?? [])
    expect(accepted).toHaveLength(3)
    expect(ofTwo.filter(({ data }) => data?.generateImage).length).toBeLessThanOrEqual(1)
    const refused = [...ofOne, ...ofTwo].find(({ errors }) => errors)
    expect(refused?.errors?.[0]).toMatchObject({
      message: expect.stringMatching(/may have [13] tasks? queued or running at a time/) as string,
      extensions: LIMITED,
    })
    const client = keyed.as(one.key)
    // One of them may be running and continues; queued ones are canceled immediately.
    for (const taskId of accepted)
      await client.execute('mutation ($id: ID!) { cancelTask(input: { id: $id }) { task { id } } }', {
        id: taskId,
      })
    await expect
      .poll(async () => codes([await client.execute(GENERATE, { input: STALLED })]))
      .toEqual([undefined])
  })

  it('of uploads count bytes, and leave the bytes of a refused upload to a smaller one', async () => {
    await using keyed = await openGatewayWithKeys({ database })
    const { key, id } = await keyed.newKey()
    const client = keyed.as(key)
    await setLimits(keyed, id, { uploadBytesPerMinute: 30_000 })
    expect(codes([await client.execute(GENERATE, image(24_000))])).toEqual(['BAD_USER_INPUT'])
    expect(codes([await client.execute(GENERATE, image(9_000))])).toEqual(['RATE_LIMITED'])
    expect(codes([await client.execute(GENERATE, image(3_000))])).toEqual(['BAD_USER_INPUT'])
    const { errors } = await client.execute(GENERATE, image(60_000))
    expect(errors?.[0]?.message).toContain('30000 bytes of images a minute; this request alone has 60000')
    expect(errors?.[0]?.extensions).toEqual({ code: 'RATE_LIMITED' })
  })

  it('of the configuration apply to every project without its own', async () => {
    const settings = { limits: { tasksPerMinute: 2 } }
    await using keyed = await openGatewayWithKeys({ database, settings })
    const own = await keyed.newProject('with limits of its own')
    await setLimits(keyed, own, { tasksPerMinute: 3 })
    const withDefaults = await keyed.newProject('with default limits')
    const accepted = async (project: string) => {
      const { key } = await keyed.newKey({ project })
      const results = await times(5, () => keyed.as(key).execute(GENERATE, { input: PLAIN }))
      return codes(results).filter((code) => code === undefined).length
    }
    expect(await accepted(withDefaults)).toBe(2)
    expect(await accepted(own)).toBe(3)
    await setLimits(keyed, own, null)
    expect(await accepted(own)).toBe(0)
  })

  it('that are not named stay, and none is removed by a missing argument', async () => {
    const settings = { limits: { tasksPerMinute: 50, concurrentTasks: 40 } }
    await using keyed = await openGatewayWithKeys({ database, settings })
    const project = await keyed.newProject('shop')
    const set = async (limits?: Record<string, number | null> | null) => {
      const { data, errors } = await keyed.operator(project).execute<{ setLimits: { limits: unknown } }>(
        `mutation ($owner: ID!, $limits: LimitsInput) { setLimits(input: { owner: $owner, limits: $limits }) { limits {
            requestsPerMinute tasksPerMinute concurrentTasks uploadBytesPerMinute
          } } }`,
        { owner: project, limits },
      )
      return errors ? errors[0]!.message : data?.setLimits.limits
    }
    const configured = {
      requestsPerMinute: null,
      tasksPerMinute: 50,
      concurrentTasks: 40,
      uploadBytesPerMinute: null,
    }
    expect(await set({ concurrentTasks: 5 })).toEqual({ ...configured, concurrentTasks: 5 })
    const large = { uploadBytesPerMinute: 5_000_000_000 }
    expect(await set(large)).toEqual({ ...configured, concurrentTasks: 5, ...large })
    expect(await set({ tasksPerMinute: null })).toEqual({
      ...configured,
      tasksPerMinute: null,
      concurrentTasks: 5,
      ...large,
    })
    expect(await set()).toContain('limits is missing')
    const effective =
      '{ project { limits { concurrentTasks } effectiveLimits { tasksPerMinute concurrentTasks } } }'
    expect(await keyed.operator(project).get(effective)).toEqual({
      project: {
        limits: { concurrentTasks: 5 },
        effectiveLimits: { tasksPerMinute: null, concurrentTasks: 5 },
      },
    })
    expect(await set(null)).toBeNull()
    expect(await keyed.operator(project).get(effective)).toEqual({
      project: { limits: null, effectiveLimits: { tasksPerMinute: 50, concurrentTasks: 40 } },
    })
  })

  it('do not apply by default', async () => {
    await using gateway = await openGateway({ database })
    // A few at a time: a busy machine refuses what waits for a connection to the database for long.
    for (let sent = 0; sent < 60; sent += 10) {
      const results = await times(10, () => gateway.execute(GENERATE, { input: PLAIN }))
      expect(codes(results)).toEqual(Array(10).fill(undefined))
    }
  })
})

describe('limits over several processes', () => {
  it('count for all of them together, and for each separately while the database does not respond', async () => {
    const place = await newPlace('postgresql')
    onTestFinished(() => place.remove())
    await using one = await openGatewayWithKeys({ place })
    await using two = await openGatewayWithKeys({ place })
    const { key, id } = await one.newKey()
    await setLimits(one, id, { requestsPerMinute: 6 })
    const both = (count: number) =>
      Promise.all(
        [one, two].flatMap((keyed) =>
          Array.from({ length: count }, () => keyed.as(key).execute('{ __typename }')),
        ),
      )
    expect(codes(await both(5)).filter((code) => code === undefined)).toHaveLength(6)

    const other = await one.newKey()
    await setLimits(one, other.id, { requestsPerMinute: 4 })
    const connection = new Connection({ connectionString: place.databaseUrl! })
    await connection.connect()
    await connection.query('begin; lock table rate_counters in access exclusive mode')
    const separately = await Promise.all(
      [one, two].map((keyed) => times(7, () => keyed.as(other.key).execute('{ __typename }'))),
    )
    expect(separately.map((results) => codes(results).filter((code) => code === undefined).length)).toEqual([
      4, 4,
    ])
    await connection.end()
  })
})

/** The first result of a subscription, or its error. */
async function firstResultOf(client: Client, transport: Transport, taskId: string): Promise<Result<unknown>> {
  try {
    for await (const result of client.watch(transport, TASK_EVENTS, { taskId })) return result
  } catch (error) {
    return { errors: error as NonNullable<Result<unknown>['errors']> }
  }
  return {}
}
