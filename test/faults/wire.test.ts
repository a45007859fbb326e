// Faults between the first byte of a request and the last byte of its response, through a real gateway: the end of the
// task, its recorded charge, and that nothing that may have been paid is sent again.
import { describe, expect, it, onTestFinished } from 'vitest'
import { DATABASES, newPlace, type DatabaseKind, type Place } from '../support/database.ts'
import { openGateway } from '../support/gateway.ts'
import { expectConsistency } from './consistency.ts'
import { breakOff, respond, startFaultyUpstream, succeed, type Act, type FaultyUpstream } from './upstream.ts'

const TASK = `query ($id: ID!) { task(id: $id) {
  status charged error { code charged } images { id } attempts { state charged wirePhase }
} }`

interface TaskView {
  task: {
    status: string
    charged: string
    error: { code: string; charged: string } | null
    images: { id: string }[]
    attempts: { state: string; charged: string; wirePhase: string }[]
  }
}

async function begin(database: DatabaseKind): Promise<{ place: Place; upstream: FaultyUpstream }> {
  const place = await newPlace(database)
  onTestFinished(() => place.remove())
  const upstream = await startFaultyUpstream()
  onTestFinished(() => upstream[Symbol.asyncDispose]())
  return { place, upstream }
}

/** The end of one task at an upstream with these handlers. Checks the database after the gateway is closed. */
async function outcomeOf(database: DatabaseKind, acts: Act[], entry: Record<string, unknown> = {}) {
  const { place, upstream } = await begin(database)
  upstream.script(...acts)
  const seen = await runOne(place, { ...upstream.entry, ...entry })
  const { tasks } = await expectConsistency(place, upstream.charges)
  return {
    ...seen,
    open: tasks[0]?.chargesOpen,
    calls: upstream.calls.length,
    charges: upstream.charges.length,
  }
}

async function runOne(place: Place, entry: Record<string, unknown>) {
  await using gateway = await openGateway({ place, providers: [entry], engine: { pollMs: 20 } })
  const at = performance.now()
  const id = await gateway.generate({ prompt: 'a lighthouse' })
  await gateway.ended(id)
  const { task } = await gateway.get<TaskView>(TASK, { id })
  return { ...task, ms: performance.now() - at }
}

const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n'
const half = (body: string) => body.slice(0, body.length / 2)

const UNKNOWN = { status: 'OUTCOME_UNKNOWN', charged: 'UNKNOWN', error: { code: 'OUTCOME_UNKNOWN' }, open: 1 }
const BROKEN = { status: 'FAILED', charged: 'UNKNOWN', error: { code: 'PROVIDER_BROKEN' }, open: 1 }
const notImage = { data: [{ b64_json: Buffer.from('not an image').toString('base64') }] }

describe.each(DATABASES)('a request on %s with', (database) => {
  it.each<[fault: string, act: Act, after: object, wirePhase: string]>([
    [
      'a reset after the whole request is unknown and not sent again',
      async (reply, work) => void (await work(), reply.socket?.resetAndDestroy()),
      UNKNOWN,
      'DISPATCHED',
    ],
    ['a close without a response is unknown and not sent again', breakOff(() => ''), UNKNOWN, 'DISPATCHED'],
    [
      'a response cut before its length is unknown and not sent again',
      breakOff((body) => `${HEAD}content-length: ${body.length}\r\n\r\n${half(body)}`),
      UNKNOWN,
      'HEADERS',
    ],
    [
      'a chunked response cut in the middle is unknown and not sent again',
      breakOff(
        (body) => `${HEAD}transfer-encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${half(body)}`,
      ),
      UNKNOWN,
      'HEADERS',
    ],
    [
      'a cut response without a length fails, possibly charged',
      breakOff((body) => `${HEAD}connection: close\r\n\r\n${half(body)}`),
      BROKEN,
      'BODY_DONE',
    ],
    ['a result that is no image fails, possibly charged', respond(200, notImage), BROKEN, 'BODY_DONE'],
    [
      'an image at a private address fails, charged, and is not fetched',
      respond(200, { data: [{ url: 'http://169.254.169.254/latest/meta-data' }] }),
      { status: 'FAILED', charged: 'YES', error: { code: 'RESULT_UNREACHABLE' }, open: 1 },
      'BODY_DONE',
    ],
    [
      'an HTML page of a proxy fails, possibly charged',
      respond(200, '<html>Please log in</html>'),
      BROKEN,
      'BODY_DONE',
    ],
    ['a server error is unknown and not sent again', respond(500, 'oops'), UNKNOWN, 'BODY_DONE'],
    ['a bad gateway is unknown and not sent again', respond(502, 'oops'), UNKNOWN, 'BODY_DONE'],
    ['a gateway timeout is unknown and not sent again', respond(504, 'oops'), UNKNOWN, 'BODY_DONE'],
    [
      'a wrong API key fails uncharged, and is not sent again',
      respond(401, { error: { message: 'API key is invalid', code: 'invalid_api_key' } }),
      { status: 'FAILED', charged: 'NO', error: { code: 'PROVIDER_MISCONFIGURED' }, open: 0 },
      'BODY_DONE',
    ],
    [
      'an exceeded quota fails uncharged, and is not sent again',
      respond(429, { error: { message: 'You exceeded your quota', code: 'insufficient_quota' } }),
      { status: 'FAILED', charged: 'NO', error: { code: 'PROVIDER_QUOTA' }, open: 0 },
      'BODY_DONE',
    ],
    [
      'a Retry-After of a day fails uncharged, and is not sent again',
      respond(429, { error: { message: 'slow down' } }, { 'retry-after': '86400' }),
      { status: 'FAILED', charged: 'NO', error: { code: 'PROVIDER_RATE_LIMITED' }, open: 0 },
      'BODY_DONE',
    ],
  ])('%s', async (_, act, after, wirePhase) => {
    const seen = await outcomeOf(database, [act, succeed, succeed])
    expect(seen).toMatchObject({ ...after, calls: 1, images: [], attempts: [{ wirePhase }] })
  })

  it.each<[wait: string, retryAfter: () => string]>([
    ['in seconds', () => '2'],
    // In whole seconds, so up to one second is lost.
    ['as a date', () => new Date(Date.now() + 3000).toUTCString()],
  ])('a Retry-After %s is sent again no sooner, and paid once', async (_, retryAfter) => {
    const { place, upstream } = await begin(database)
    upstream.script((reply) => void reply.writeHead(429, { 'retry-after': retryAfter() }).end())
    const seen = await runOne(place, upstream.entry)
    expect(seen.ms).toBeGreaterThanOrEqual(1900)
    expect(seen).toMatchObject({ status: 'SUCCEEDED', charged: 'YES', images: [{}] })
    expect(seen.attempts.map(({ state }) => state)).toEqual(['REJECTED', 'SUCCEEDED'])
    expect([upstream.calls.length, upstream.charges.length]).toEqual([2, 1])
    await expectConsistency(place, upstream.charges)
  })

  it('a malformed Retry-After is sent again after a short delay, and paid once', async () => {
    const seen = await outcomeOf(database, [respond(429, {}, { 'retry-after': 'soon' })])
    expect(seen).toMatchObject({ status: 'SUCCEEDED', calls: 2, charges: 1 })
  })

  it('a server error that is declared unbilled is sent again, and paid once', async () => {
    const seen = await outcomeOf(database, [respond(500, 'oops')], { unbilledServerErrors: true })
    expect(seen).toMatchObject({ status: 'SUCCEEDED', charged: 'YES', calls: 2, charges: 1, open: 1 })
  })

  it('a reset on connect is sent again or unknown, depending on the bytes sent', async () => {
    const { place, upstream } = await begin(database)
    const { startOpenaiUpstream } = await import('../providers/upstreams/openai.ts')
    const openai = await startOpenaiUpstream({ apiKey: 'sk-test-key' })
    onTestFinished(() => openai.close())
    openai.script('reset-at-accept')
    const entry = { name: 'openai', dialect: 'openai', baseUrl: openai.url, apiKey: 'sk-test-key' }
    const { status, attempts } = await runOne(place, entry)
    const [first] = attempts
    expect(first?.state).toBe(first?.wirePhase === 'INTENT' ? 'NOT_SENT' : 'UNKNOWN')
    expect(status).toBe(first?.state === 'NOT_SENT' ? 'SUCCEEDED' : 'OUTCOME_UNKNOWN')
    expect(upstream.calls).toEqual([])
    await expectConsistency(place, openai.charges.keys())
  })
})

describe.each(DATABASES)('a response envelope on %s', (database) => {
  it.each<[what: string, body: object, after: object]>([
    [
      'with an error code fails with its message, and is not sent again',
      { code: 50000, msg: 'the <b>canvas</b> tore', data: null },
      { status: 'FAILED' },
    ],
    [
      'of success without images fails, possibly charged',
      { code: 20000, msg: 'ok', data: { data: [] } },
      { status: 'FAILED', charged: 'UNKNOWN', error: { code: 'PROVIDER_BROKEN' } },
    ],
  ])('%s', async (_, body, after) => {
    const { startJimmyUpstream } = await import('../providers/upstreams/jimmy.ts')
    const place = await newPlace(database)
    onTestFinished(() => place.remove())
    const jimmy = await startJimmyUpstream({})
    onTestFinished(() => jimmy.close())
    jimmy.script({ status: 200, body })
    const seen = await runOne(place, {
      name: 'jimmy',
      dialect: 'jimmy',
      baseUrl: jimmy.url,
      apiKey: 'jimmy-test-key',
      mode: 'sync',
    })
    expect(seen).toMatchObject({ ...after, attempts: [{}] })
    expect(JSON.stringify(seen)).not.toContain('<b>')
    expect(jimmy.requests).toHaveLength(1)
    await expectConsistency(place, [])
  })
})
