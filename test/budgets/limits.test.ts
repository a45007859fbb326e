import { Client as Connection } from 'pg'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openKeyed, type Keyed } from '../access/gateway-with-keys.ts'
import { TRANSPORTS, type Client, type Result, type Transport } from '../support/client.ts'
import { DATABASES, newPlace } from '../support/database.ts'
import { openGateway } from '../support/gateway.ts'

const LIMITED = {
  code: 'RATE_LIMITED',
  retryAfter: expect.any(Number) as number,
}

const ASK = 'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { id } }'
const WATCH = 'subscription ($taskId: ID!) { taskEvents(taskId: $taskId) { cursor } }'
/** Ways to be refused over HTTP. */
const WAYS = [
  ['application/json', '{ providers { name } }'],
  ['application/graphql-response+json', '{ providers { name } }'],
  ['text/event-stream', WATCH],
] as const
const PLAIN = { prompt: 'a fox', size: '1024x1024' }
const STALLED = { ...PLAIN, prompt: 'a fox [sandbox:stall]' }

async function limit(keyed: Keyed, owner: string, limits: Record<string, number> | null): Promise<void> {
  await keyed
    .operator()
    .get(
      'mutation ($owner: ID!, $limits: LimitsInput) { setLimits(owner: $owner, limits: $limits) { tasksPerMinute } }',
      { owner, limits },
    )
}

/** The codes of the answers, undefined for those that were accepted. */
const codes = (answers: Result<unknown>[]) => answers.map(({ errors }) => errors?.[0]?.extensions?.['code'])

/** A request with so many bytes, which are no image: that is found out only after they were counted. */
const image = (bytes: number) => ({
  input: {
    ...PLAIN,
    images: [{ dataUrl: `data:image/png;base64,${'A'.repeat((bytes / 3) * 4 - 22)}` }],
  },
})

const times = <Value>(count: number, make: () => Promise<Value>) =>
  Promise.all(Array.from({ length: count }, make))

describe.each(DATABASES)('limits on %s', (database) => {
  it('of requests count for all ways of asking together, and say when to ask again', async () => {
    await using keyed = await openKeyed({ database })
    const { key, id } = await keyed.newKey()
    await limit(keyed, id, { requestsPerMinute: 5 })
    const client = keyed.as(key)
    const taskId = await keyed.operator().generate(PLAIN)
    expect(codes(await times(3, () => client.ask('{ providers { name } }')))).toEqual(
      Array(3).fill(undefined),
    )
    for (const transport of TRANSPORTS) {
      const watched = await firstOf(client, transport, taskId)
      expect(watched.errors).toBeUndefined()
    }
    const refused = await firstOf(client, 'WebSocket', taskId)
    expect(refused.errors?.[0]?.extensions).toEqual(LIMITED)
    for (const [accept, query] of WAYS) {
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
    expect(codes([await keyed.as(other.key).ask('{ providers { name } }')])).toEqual([undefined])
  })

  it('of tasks count new ones only, and those of all keys of a project together', async () => {
    await using keyed = await openKeyed({ database })
    const project = await keyed.newProject('limited')
    await limit(keyed, project, { tasksPerMinute: 4 })
    const [one, two] = [await keyed.newKey({ project }), await keyed.newKey({ project })]
    const clients = [keyed.as(one.key), keyed.as(two.key)]
    const input = { ...PLAIN, idempotencyKey: 'once' }
    await clients[0]!.get(ASK, { input })
    expect(codes(await times(5, () => clients[1]!.ask(ASK, { input })))).toEqual(Array(5).fill(undefined))
    const answers = [
      ...(await times(4, () => clients[0]!.ask(ASK, { input: PLAIN }))),
      ...(await times(4, () => clients[1]!.ask(ASK, { input: PLAIN }))),
    ]
    expect(codes(answers).filter((code) => code === undefined)).toHaveLength(3)
    expect(codes(answers).filter((code) => code === 'RATE_LIMITED')).toHaveLength(5)
    expect(codes([await keyed.operator().ask(ASK, { input: PLAIN })])).toEqual([undefined])
  })

  it('of tasks at a time let no two take the last place', async () => {
    const providers = [{ name: 'sandbox', dialect: 'sandbox', concurrency: 1 }]
    await using keyed = await openKeyed({ database, providers })
    const project = await keyed.newProject('limited')
    await limit(keyed, project, { concurrentTasks: 3 })
    const [one, two] = [await keyed.newKey({ project }), await keyed.newKey({ project })]
    await limit(keyed, two.id, { concurrentTasks: 1 })
    const [ofOne, ofTwo] = await Promise.all([
      times(12, () => keyed.as(one.key).ask<{ generateImage: { id: string } }>(ASK, { input: STALLED })),
      times(12, () => keyed.as(two.key).ask<{ generateImage: { id: string } }>(ASK, { input: STALLED })),
    ])
    const accepted = [...ofOne, ...ofTwo].flatMap(({ data }) => data?.generateImage?.id ?? [])
    expect(accepted).toHaveLength(3)
    expect(ofTwo.filter(({ data }) => data?.generateImage).length).toBeLessThanOrEqual(1)
    const refused = [...ofOne, ...ofTwo].find(({ errors }) => errors)
    expect(refused?.errors?.[0]).toMatchObject({
      message: expect.stringMatching(/may have [13] tasks? queued or running at a time/) as string,
      extensions: LIMITED,
    })
    const client = keyed.as(one.key)
    // One of them may be running, and stays so; the others wait, and end at once.
    for (const taskId of accepted)
      await client.ask('mutation ($id: ID!) { cancelTask(id: $id) { id } }', { id: taskId })
    await expect.poll(async () => codes([await client.ask(ASK, { input: STALLED })])).toEqual([undefined])
  })

  it('of uploads count bytes, and leave what did not fit to a smaller one', async () => {
    await using keyed = await openKeyed({ database })
    const { key, id } = await keyed.newKey()
    const client = keyed.as(key)
    await limit(keyed, id, { uploadBytesPerMinute: 30_000 })
    expect(codes([await client.ask(ASK, image(24_000))])).toEqual(['BAD_USER_INPUT'])
    expect(codes([await client.ask(ASK, image(9_000))])).toEqual(['RATE_LIMITED'])
    expect(codes([await client.ask(ASK, image(3_000))])).toEqual(['BAD_USER_INPUT'])
    const { errors } = await client.ask(ASK, image(60_000))
    expect(errors?.[0]?.message).toContain('30000 bytes of images a minute; this request alone has 60000')
    expect(errors?.[0]?.extensions).toEqual({ code: 'RATE_LIMITED' })
  })

  it('in the configuration are those of every project without its own', async () => {
    const settings = { limits: { tasksPerMinute: 2 } }
    await using keyed = await openKeyed({ database, settings })
    const own = await keyed.newProject('with limits of its own')
    await limit(keyed, own, { tasksPerMinute: 3 })
    const usual = await keyed.newProject('without')
    const accepted = async (project: string) => {
      const { key } = await keyed.newKey({ project })
      const answers = await times(5, () => keyed.as(key).ask(ASK, { input: PLAIN }))
      return codes(answers).filter((code) => code === undefined).length
    }
    expect(await accepted(usual)).toBe(2)
    expect(await accepted(own)).toBe(3)
    await limit(keyed, own, null)
    expect(await accepted(own)).toBe(0)
  })

  it('are not there where nobody set any', async () => {
    await using gateway = await openGateway({ database })
    expect(codes(await times(60, () => gateway.ask(ASK, { input: PLAIN })))).toEqual(
      Array(60).fill(undefined),
    )
  })
})

describe('limits over several processes', () => {
  it('count for all of them together, and for each alone while the database does not answer', async () => {
    const place = await newPlace('postgresql')
    onTestFinished(() => place.remove())
    await using one = await openKeyed({ place })
    await using two = await openKeyed({ place })
    const { key, id } = await one.newKey()
    await limit(one, id, { requestsPerMinute: 6 })
    const both = (count: number) =>
      Promise.all(
        [one, two].flatMap((keyed) =>
          Array.from({ length: count }, () => keyed.as(key).ask('{ __typename }')),
        ),
      )
    expect(codes(await both(5)).filter((code) => code === undefined)).toHaveLength(6)

    const other = await one.newKey()
    await limit(one, other.id, { requestsPerMinute: 4 })
    const connection = new Connection({ connectionString: place.databaseUrl! })
    await connection.connect()
    await connection.query('begin; lock table rate_counters in access exclusive mode')
    const alone = await Promise.all(
      [one, two].map((keyed) => times(7, () => keyed.as(other.key).ask('{ __typename }'))),
    )
    expect(alone.map((answers) => codes(answers).filter((code) => code === undefined).length)).toEqual([4, 4])
    await connection.end()
  })
})

/** The first that a subscription tells. */
async function firstOf(client: Client, transport: Transport, taskId: string): Promise<Result<unknown>> {
  try {
    for await (const result of client.watch(transport, WATCH, { taskId })) return result
  } catch (error) {
    return { errors: error as NonNullable<Result<unknown>['errors']> }
  }
  return {}
}
