// The part of the contract about HTTP.
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Charged, TaskErrorCode } from '../../src/domain.ts'
import type { FailureKind } from '../../src/providers/error.ts'
import type { Provider } from '../../src/providers/provider.ts'
import { runRequest, failureOf, openCall, requestOf } from './call.ts'
import { testCallbacks, testPolling } from './contract-later.ts'
import { failureIn, openSubject, countCharges, type Subject } from './contract-subject.ts'
import type { GoodReply, ResultImage } from './receiving/damaged-replies.ts'
import { testDamage } from './receiving/damage.ts'
import { testEcho } from './receiving/echo.ts'
import { clientRefOf, type CannedReply, type FakeUpstream, type Scenario } from './upstreams/fake.ts'
import { listen } from './upstreams/listen.ts'

/** The part of a fake upstream that the contract uses; `upstreams/fake.ts` describes each scenario. */
export type WireUpstream = Pick<FakeUpstream, 'url' | 'imageBytes' | 'charges' | 'release' | 'close'> & {
  requests: { path: string; headers: IncomingHttpHeaders; body: Buffer }[]
  script(...scenarios: Scenario[]): void
}

/** One row of a failure table; its title is "{title} is {kind}, as {code}, charged {charged}". */
export type FailureRow = [
  title: string,
  kind: FailureKind,
  code: TaskErrorCode,
  charged: Charged,
  reply: CannedReply,
]

/** One row of a status table: the state or the failure kind that a check derives from a reply. `unproven` is asked again. */
export type StatusRow = [
  title: string,
  becomes: 'DONE' | 'PENDING' | 'MISSING' | 'unproven' | FailureKind,
  reply: CannedReply,
]

/** The properties of a dialect, or of one of its modes. */
export interface WireSubject {
  /** Opens a provider with the `secrets` at a new upstream. The contract closes both. */
  open(): Promise<{ provider: Provider; upstream: WireUpstream }>
  /** Every credential that `open` configures: long and unique. */
  secrets: readonly string[]
  /** The HTTP request of `requestOf()`: the path with its query, and the parsed JSON body. */
  plain: { path: string; body: unknown }
  /** True if the upstream returns no request id. */
  givesNoRequestId?: true
  /** A reply with status 429, or its equivalent. The contract adds the headers with the wait. */
  busy: CannedReply
  /** A reply that rejects the request with this message. */
  rejection(message: string): CannedReply
  /** The reply with the result, whose `b64_json` is `%%%%`. If the dialect polls, the reply to a check. */
  wrongBase64: CannedReply
  /** Good replies with this result; to a check of `id` where the dialect polls. */
  results(image: ResultImage, id: string): readonly GoodReply[]
  /** Of a service whose only reply has few fields. 400 by default. */
  minDamagedReplies?: number
  /** Every documented or assumed failure of a submit. */
  failures: readonly FailureRow[]
  /** Set if requests are accepted and polled. */
  polling?: {
    /** Every documented status and an unknown one. `DONE` rows have an inline image of any bytes. */
    statuses: readonly StatusRow[]
  }
  /** Set if the upstream sends callbacks: bodies with their remote ids. */
  callbacks?: readonly { body: string; remoteId: string | null }[]
}

/** A promise about HTTP. A provider without HTTP must state for each why it does not apply. */
export type WirePromise = keyof typeof WIRE_PROMISES

export const WIRE_PROMISES = {
  /** A request is one HTTP request, as on the upstream's page. */
  request: testRequest,
  /** Only submits carry the client ref: to a proxy, a check with it would be the submit again. */
  clientRefs: testRefs,
  /** A reply may arrive in pieces of any size. */
  pieces: testPieces,
  /** Each executed request is charged once, any other request never. */
  charges: testCharges,
  /** A rejection is reported with the upstream's message, without secrets and markup. */
  messages: testMessages,
  /** An unreadable success may have been charged. */
  unreadable: testUnreadable,
  /** An image in invalid base64 may have been charged. */
  base64: testBase64,
  /** An image that arrives is kept, whatever stands around it. */
  damage: testDamage,
  /** No word of a message decides, since it may repeat the prompt. */
  echo: testEcho,
  /** A redirect is not followed. */
  redirects: testRedirects,
  /** An accepted request is checked. */
  checks: (name: string, subject: WireSubject) => {
    if (subject.polling) testPolling(name, subject, subject.polling.statuses)
  },
  /** A callback is read, but only as a hint to check. */
  callbacks: (name: string, subject: WireSubject) => {
    if (subject.callbacks) testCallbacks(name, subject, subject.callbacks)
  },
} satisfies Record<string, (name: string, subject: WireSubject) => void>

/** The subject of the promises that are not about HTTP. */
export function toSubject(subject: WireSubject): Subject<Scenario> {
  const { secrets, givesNoRequestId, plain, busy } = subject
  return {
    secrets,
    ...(givesNoRequestId && { givesNoRequestId }),
    async open() {
      const { provider, upstream } = await subject.open()
      const submits = () => upstream.requests.filter(({ path }) => path === plain.path)
      let checked = 0
      let defaultBody = ''
      return {
        provider,
        upstream: {
          script: (...scenarios) => upstream.script(...scenarios),
          requestCount: () => submits().length,
          clientRefs: () => submits().map(({ headers }) => clientRefOf(headers)),
          sentImages: async () => upstream.imageBytes,
          // The body must differ from that of default settings, or contain the value.
          async problemWith({ overrides, wireText }) {
            const body = upstream.requests[checked]?.body.toString('latin1') ?? ''
            checked = upstream.requests.length
            if (Object.keys(overrides).length === 0) defaultBody = body
            else if (body === defaultBody && !body.includes(wireText)) return 'it is not in the request'
            return undefined
          },
          close: () => upstream.close(),
        },
      }
    },
    failures: subject.failures.map(([title, kind, code, charged, reply]) => [
      title,
      kind,
      code,
      charged,
      reply,
      [undefined, reply.status],
    ]),
    waits: WAITS.map(([form, headers, retryAfterMs]) => [
      form,
      { status: busy.status, headers, body: busy.body },
      retryAfterMs,
    ]),
    cut: ['truncated', 'reset-after-request'],
    unreached: 'reset-at-accept',
    hang: 'hang',
  }
}

const DATE = 'Fri, 20 Nov 2026 08:00:00 GMT'
const LATER = 'Fri, 20 Nov 2026 08:00:30 GMT'

const WAITS: readonly [string, Record<string, string>, number | undefined][] = [
  ['seconds', { 'retry-after': '12' }, 12_000],
  ['milliseconds', { 'retry-after-ms': '1500', 'retry-after': '2' }, 1500],
  ['a date', { date: DATE, 'retry-after': LATER }, 30_000],
  ['a date that has passed', { date: LATER, 'retry-after': DATE }, 0],
  ['words', { 'retry-after': 'soon' }, undefined],
  ['nothing', {}, undefined],
]

function testRequest(name: string, subject: WireSubject): void {
  it(`${name} sends one HTTP request with exactly the requested settings`, async () => {
    const { provider, upstream } = await openSubject(subject)
    await runRequest(provider)
    const [submit] = upstream.requests
    expect(submit?.path).toBe(subject.plain.path)
    expect(JSON.parse(String(submit?.body))).toEqual(subject.plain.body)
    expect(upstream.requests.filter(({ path }) => path === subject.plain.path)).toHaveLength(1)
  })
}

function testRefs(name: string, subject: WireSubject): void {
  it(`${name} sends the client ref in both headers of the submit, and in no other request`, async () => {
    const { provider, upstream } = await openSubject(subject)
    await runRequest(provider)
    const sent = upstream.requests.map(({ headers }) => [
      headers['x-client-request-id'],
      headers['idempotency-key'],
    ])
    expect(sent[0]).toEqual(['att_1', 'att_1'])
    expect(sent.slice(1).flat().filter(Boolean)).toEqual([])
  })
}

function testPieces(name: string, subject: WireSubject): void {
  it(`${name} delivers the image byte for byte when it arrives in small pieces`, async () => {
    const { provider, upstream } = await openSubject(subject)
    upstream.script(...beforeResult(subject), 'drip')
    const { imageBytes } = await runRequest(provider)
    expect(imageBytes).toEqual(upstream.imageBytes)
    expect(imageBytes).toHaveLength(1)
  })
}

function testCharges(name: string, subject: WireSubject): void {
  describe(`${name} is charged`, () => {
    it('once for each request', async () => {
      const { provider, upstream } = await openSubject(subject)
      await runRequest(provider)
      expect([...upstream.charges.values()]).toEqual([1])
      await Promise.all([1, 2, 3, 4, 5].map((number) => runRequest(provider, { prompt: `fox ${number}` })))
      expect(countCharges(upstream.charges)).toBe(6)
    })

    it('for an executed request whose reply never arrived', async () => {
      const { provider, upstream } = await openSubject(subject)
      upstream.script('hang')
      const deadline = new AbortController()
      const { call } = await openCall({ signal: deadline.signal })
      const failed = failureOf(provider.submit(requestOf(), call))
      await expect.poll(() => upstream.requests.length).toBe(1)
      deadline.abort()
      await failed
      await expect.poll(() => countCharges(upstream.charges)).toBe(1)
    })

    it('not for a call that is aborted before it starts, and sends nothing', async () => {
      const { provider, upstream } = await openSubject(subject)
      const { call } = await openCall({ signal: AbortSignal.abort() })
      expect((await failureOf(provider.submit(requestOf(), call))).kind).toBe('unreached')
      expect(upstream.requests).toEqual([])
      expect(countCharges(upstream.charges)).toBe(0)
    })

    it('neither for a rejected request nor for one that never arrived', async () => {
      const { provider, upstream } = await openSubject(subject)
      upstream.script('reset-at-accept', subject.rejection('No.'))
      const { call } = await openCall()
      expect((await failureOf(provider.submit(requestOf(), call))).kind).toBe('unreached')
      expect((await failureOf(provider.submit(requestOf(), call))).kind).toBe('rejected')
      expect(countCharges(upstream.charges)).toBe(0)
    })
  })
}

function testMessages(name: string, subject: WireSubject): void {
  it(`${name} reports a rejection with the upstream’s message, without secrets and markup`, async () => {
    const message = `The <b>fox</b> is wrong: ${subject.secrets.join(', ')}`
    const failed = await failureIn(subject, subject.rejection(message))
    expect(failed).toMatchObject({ kind: 'rejected', charged: 'NO' })
    expect(failed.message).toContain('fox')
    expect(failed.message).toContain('[redacted]')
  })
}

function testUnreadable(name: string, subject: WireSubject): void {
  it.each<Scenario>(['html', 'empty-data', { status: 200, body: '' }, { status: 200, body: null }])(
    `${name} treats an unreadable success as a failure that may have been charged: %j`,
    async (scenario) => {
      expect(await failureIn<Scenario>(subject, scenario)).toMatchObject({
        kind: 'broken',
        code: 'PROVIDER_BROKEN',
        charged: 'UNKNOWN',
      })
    },
  )
}

function testBase64(name: string, subject: WireSubject): void {
  it(`${name} treats invalid base64 as broken`, async () => {
    const failed = await failureIn<Scenario>(subject, ...beforeResult(subject), subject.wrongBase64)
    expect(failed).toMatchObject({ kind: 'broken', code: 'PROVIDER_BROKEN', charged: 'UNKNOWN' })
  })
}

function testRedirects(name: string, subject: WireSubject): void {
  it(`${name} does not follow a redirect`, async () => {
    const trap = await startTrap()
    for (const status of [301, 302, 303, 307, 308]) {
      const failed = await failureIn<Scenario>(subject, {
        status,
        headers: { location: trap.url },
        body: '',
      })
      expect(failed.kind).not.toBe('unreached')
      expect(failed.httpStatus).toBe(status)
    }
    expect(trap.requests).toBe(0)
  })
}

/** The scenarios before the reply with the result, which is the reply to the submit or to the first check. */
function beforeResult({ polling }: WireSubject): Scenario[] {
  return polling ? ['ok'] : []
}

/** A server that must not receive a request. */
async function startTrap() {
  const trap = { url: '', requests: 0 }
  const server = createServer((_request, response) => {
    trap.requests += 1
    response.end()
  })
  trap.url = await listen(server)
  onTestFinished(() => void server.close())
  return trap
}
