// What can go wrong between the first byte of an order and the last of its answer, through a real gateway: what becomes
// of the task, what is said about its charge, and that nothing is sent again which may have been paid.
import { describe, expect, it, onTestFinished } from 'vitest'
import { DATABASES, newPlace, type DatabaseKind, type Place } from '../support/database.ts'
import { openGateway } from '../support/gateway.ts'
import { expectNoHarm } from './aftermath.ts'
import { breaksOff, says, startFaultyUpstream, well, type Act, type FaultyUpstream } from './upstream.ts'

const TASK = `query ($id: ID!) { task(id: $id) {
  status charged error { code charged } images { id } attempts { state charged wirePhase }
} }`

interface Seen {
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

/** What becomes of one task at an upstream that acts so; the gateway is closed and everything holds. */
async function becomes(database: DatabaseKind, acts: Act[], entry: Record<string, unknown> = {}) {
  const { place, upstream } = await begin(database)
  upstream.script(...acts)
  const seen = await runOne(place, { ...upstream.entry, ...entry })
  const { tasks } = await expectNoHarm(place, upstream.charges)
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
  const { task } = await gateway.get<Seen>(TASK, { id })
  return { ...task, ms: performance.now() - at }
}

const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n'
const half = (body: string) => body.slice(0, body.length / 2)

const UNKNOWN = { status: 'OUTCOME_UNKNOWN', charged: 'UNKNOWN', error: { code: 'OUTCOME_UNKNOWN' }, open: 1 }
const BROKEN = { status: 'FAILED', charged: 'UNKNOWN', error: { code: 'PROVIDER_BROKEN' }, open: 1 }
const notImage = { data: [{ b64_json: Buffer.from('no picture at all').toString('base64') }] }

describe.each(DATABASES)('an order on %s that meets', (database) => {
  it.each<[fault: string, act: Act, after: object, wirePhase: string]>([
    [
      'a reset after the whole request is unknown and not sent again',
      async (reply, work) => void (await work(), reply.socket?.resetAndDestroy()),
      UNKNOWN,
      'DISPATCHED',
    ],
    ['a close without an answer is unknown and not sent again', breaksOff(() => ''), UNKNOWN, 'DISPATCHED'],
    [
      'an answer cut before its length is unknown and not sent again',
      breaksOff((body) => `${HEAD}content-length: ${body.length}\r\n\r\n${half(body)}`),
      UNKNOWN,
      'HEADERS',
    ],
    [
      'a chunked answer cut in the middle is unknown and not sent again',
      breaksOff(
        (body) => `${HEAD}transfer-encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${half(body)}`,
      ),
      UNKNOWN,
      'HEADERS',
    ],
    [
      'a cut answer that never said its length fails, perhaps charged',
      breaksOff((body) => `${HEAD}connection: close\r\n\r\n${half(body)}`),
      BROKEN,
      'BODY_DONE',
    ],
    ['an image that is none fails, perhaps charged', says(200, notImage), BROKEN, 'BODY_DONE'],
    [
      'an image at an address of ours fails, charged, and is not fetched',
      says(200, { data: [{ url: 'http://169.254.169.254/latest/meta-data' }] }),
      { status: 'FAILED', charged: 'YES', error: { code: 'RESULT_UNREACHABLE' }, open: 1 },
      'BODY_DONE',
    ],
    [
      'a page of a proxy fails, perhaps charged',
      says(200, '<html>Please log in</html>'),
      BROKEN,
      'BODY_DONE',
    ],
    ['a server error is unknown and not sent again', says(500, 'oops'), UNKNOWN, 'BODY_DONE'],
    ['a bad gateway is unknown and not sent again', says(502, 'oops'), UNKNOWN, 'BODY_DONE'],
    ['a gateway timeout is unknown and not sent again', says(504, 'oops'), UNKNOWN, 'BODY_DONE'],
    [
      'a wrong key fails uncharged, and is not sent again',
      says(401, { error: { message: 'API key is invalid', code: 'invalid_api_key' } }),
      { status: 'FAILED', charged: 'NO', error: { code: 'PROVIDER_MISCONFIGURED' }, open: 0 },
      'BODY_DONE',
    ],
    [
      'an empty account fails uncharged, and is not sent again',
      says(429, { error: { message: 'You exceeded your quota', code: 'insufficient_quota' } }),
      { status: 'FAILED', charged: 'NO', error: { code: 'PROVIDER_QUOTA' }, open: 0 },
      'BODY_DONE',
    ],
    [
      'a wait of a day fails uncharged, and is not sent again',
      says(429, { error: { message: 'slow down' } }, { 'retry-after': '86400' }),
      { status: 'FAILED', charged: 'NO', error: { code: 'PROVIDER_RATE_LIMITED' }, open: 0 },
      'BODY_DONE',
    ],
  ])('%s', async (_, act, after, wirePhase) => {
    const seen = await becomes(database, [act, well, well])
    expect(seen).toMatchObject({ ...after, calls: 1, images: [], attempts: [{ wirePhase }] })
  })

  it.each<[wait: string, retryAfter: () => string]>([
    ['in seconds', () => '2'],
    // Whole seconds, so half a second may be lost of it.
    ['as a date', () => new Date(Date.now() + 3000).toUTCString()],
  ])(
    'a busy upstream that asks to wait %s is asked again no sooner, and paid once',
    async (_, retryAfter) => {
      const { place, upstream } = await begin(database)
      upstream.script((reply) => void reply.writeHead(429, { 'retry-after': retryAfter() }).end())
      const seen = await runOne(place, upstream.entry)
      expect(seen.ms).toBeGreaterThanOrEqual(1900)
      expect(seen).toMatchObject({ status: 'SUCCEEDED', charged: 'YES', images: [{}] })
      expect(seen.attempts.map(({ state }) => state)).toEqual(['REJECTED', 'SUCCEEDED'])
      expect([upstream.calls.length, upstream.charges.length]).toEqual([2, 1])
      await expectNoHarm(place, upstream.charges)
    },
  )

  it('a wait that makes no sense is asked again after a moment, and paid once', async () => {
    const seen = await becomes(database, [says(429, {}, { 'retry-after': 'soon' })])
    expect(seen).toMatchObject({ status: 'SUCCEEDED', calls: 2, charges: 1 })
  })

  it('a server error that its operator vouches for is sent again, and paid once', async () => {
    const seen = await becomes(database, [says(500, 'oops')], { unbilledServerErrors: true })
    expect(seen).toMatchObject({ status: 'SUCCEEDED', charged: 'YES', calls: 2, charges: 1, open: 1 })
  })

  it('a reset as soon as it connects is sent again or unknown, as far as its bytes got', async () => {
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
    await expectNoHarm(place, openai.charges.keys())
  })
})

describe.each(DATABASES)('an answer on %s in an envelope', (database) => {
  it.each<[what: string, body: object, after: object]>([
    [
      'that says no with a code of its own fails with its words, and is not sent again',
      { code: 50000, msg: 'the <b>canvas</b> tore', data: null },
      { status: 'FAILED' },
    ],
    [
      'that says yes and brings nothing fails, perhaps charged',
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
    await expectNoHarm(place, [])
  })
})
