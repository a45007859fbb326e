// The part of the contract that only a wire can put to the test.
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Charged, TaskErrorCode } from '../../src/domain.ts'
import type { FailureKind } from '../../src/providers/error.ts'
import type { Provider } from '../../src/providers/provider.ts'
import { develop, failureOf, openCall, requestOf } from './call.ts'
import { testCallbacks, testPolling } from './contract-later.ts'
import { failPlainly, openSubject, total, type Subject } from './contract-subject.ts'
import { clientRefOf, type CannedReply, type FakeUpstream, type Scenario } from './upstreams/fake.ts'
import { listen } from './upstreams/listen.ts'

/** The part of a fake that the contract uses; `upstreams/fake.ts` describes each scenario. */
export type WireUpstream = Pick<FakeUpstream, 'pictures' | 'charges' | 'release' | 'close'> & {
  requests: { path: string; headers: IncomingHttpHeaders; body: Buffer }[]
  script(...scenarios: Scenario[]): void
}

/** One row of a failure table; it reads "{says} is {kind}, as {code}, charged {charged}". */
export type FailureRow = [
  says: string,
  kind: FailureKind,
  code: TaskErrorCode,
  charged: Charged,
  reply: CannedReply,
]

/** One row of a table of statuses: what a check makes of a reply, a state or a kind of failure. */
export type StatusRow = [
  says: string,
  becomes: 'DONE' | 'PENDING' | 'MISSING' | FailureKind,
  reply: CannedReply,
]

/** What is particular about a dialect, or about one mode of it. */
export interface WireSubject {
  /** A provider with the `secrets` at a fresh upstream. The contract closes both. */
  open(): Promise<{ provider: Provider; upstream: WireUpstream }>
  /** Every credential that `open` configures: long, and like nothing else. */
  secrets: readonly string[]
  /** What `requestOf()` becomes on the wire: the path with its query, and the parsed JSON body. */
  plain: { path: string; body: unknown }
  /** Only where the upstream gives requests no id of its own. */
  givesNoRequestId?: true
  /** A reply with status 429 or what stands for it there. The contract adds the headers that ask for patience. */
  busy: CannedReply
  /** A reply that rejects the request in these words of the upstream's. */
  rejection(words: string): CannedReply
  /** A reply that has the result, but its `b64_json` is `%%%%`; where the dialect polls, the reply to a check. */
  wrongBase64: CannedReply
  /** Replies to a submit, each documented or assumed failure. */
  failures: readonly FailureRow[]
  /** Only where requests are accepted and polled. */
  polling?: {
    /** Every status on file, and one that is on no file. `DONE` rows have an inline picture of any bytes. */
    statuses: readonly StatusRow[]
  }
  /** Only where the upstream calls back: bodies and what they are about. */
  callbacks?: readonly { body: string; remoteId: string | null }[]
}

/** A promise about the wire. A provider without a wire must state for each why it does not apply. */
export type WirePromise = keyof typeof WIRE_PROMISES

export const WIRE_PROMISES = {
  /** A request is one message, as on the upstream's page. */
  request: testRequest,
  /** Only submits carry the client ref: to a proxy, a check with it would be the submit again. */
  refs: testRefs,
  /** A reply may come in pieces of any size. */
  pieces: testPieces,
  /** Each request is charged once, and none that was not carried out. */
  charges: testCharges,
  /** A rejection is reported with the upstream's message, without secrets and markup. */
  words: testWords,
  /** A success that makes no sense may have been charged. */
  nonsense: testNonsense,
  /** So may a picture in wrong base64. */
  base64: testBase64,
  /** A redirect is not followed. */
  redirects: testRedirects,
  /** An accepted request is checked. */
  checks: (name: string, subject: WireSubject) => {
    if (subject.polling) testPolling(name, subject, subject.polling.statuses)
  },
  /** An upstream that calls back is understood, and not believed. */
  callbacks: (name: string, subject: WireSubject) => {
    if (subject.callbacks) testCallbacks(name, subject, subject.callbacks)
  },
} satisfies Record<string, (name: string, subject: WireSubject) => void>

/** The same provider as a subject of the promises that are about no wire. */
export function onTheWire(subject: WireSubject): Subject<Scenario> {
  const { secrets, givesNoRequestId, plain, busy } = subject
  return {
    secrets,
    ...(givesNoRequestId && { givesNoRequestId }),
    async open() {
      const { provider, upstream } = await subject.open()
      const submits = () => upstream.requests.filter(({ path }) => path === plain.path)
      let seen = 0
      let plainly = ''
      return {
        provider,
        upstream: {
          script: (...scenarios) => upstream.script(...scenarios),
          orders: () => submits().length,
          refs: () => submits().map(({ headers }) => clientRefOf(headers)),
          painted: async () => upstream.pictures,
          // The body must differ from that of default settings, or contain the value.
          async objection({ wishes, word }) {
            const body = upstream.requests[seen]?.body.toString('latin1') ?? ''
            seen = upstream.requests.length
            if (Object.keys(wishes).length === 0) plainly = body
            else if (body === plainly && !body.includes(word)) return 'it is not in the request'
            return undefined
          },
          close: () => upstream.close(),
        },
      }
    },
    failures: subject.failures.map(([says, kind, code, charged, reply]) => [
      says,
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
  it(`${name} sends one message with exactly the requested settings`, async () => {
    const { provider, upstream } = await openSubject(subject)
    await develop(provider)
    const [submit] = upstream.requests
    expect(submit?.path).toBe(subject.plain.path)
    expect(JSON.parse(String(submit?.body))).toEqual(subject.plain.body)
    expect(upstream.requests.filter(({ path }) => path === subject.plain.path)).toHaveLength(1)
  })
}

function testRefs(name: string, subject: WireSubject): void {
  it(`${name} sends the client ref with the submit in both headers, and with no other message`, async () => {
    const { provider, upstream } = await openSubject(subject)
    await develop(provider)
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
    const { pictures } = await develop(provider)
    expect(pictures).toEqual(upstream.pictures)
    expect(pictures).toHaveLength(1)
  })
}

function testCharges(name: string, subject: WireSubject): void {
  describe(`${name} is charged`, () => {
    it('once for each request', async () => {
      const { provider, upstream } = await openSubject(subject)
      await develop(provider)
      expect([...upstream.charges.values()]).toEqual([1])
      await Promise.all([1, 2, 3, 4, 5].map((number) => develop(provider, { prompt: `fox ${number}` })))
      expect(total(upstream.charges)).toBe(6)
    })

    it('for a request that was carried out and whose reply never arrived', async () => {
      const { provider, upstream } = await openSubject(subject)
      upstream.script('hang')
      const deadline = new AbortController()
      const { call } = await openCall({ signal: deadline.signal })
      const failed = failureOf(provider.submit(requestOf(), call))
      await expect.poll(() => upstream.requests.length).toBe(1)
      deadline.abort()
      await failed
      await expect.poll(() => total(upstream.charges)).toBe(1)
    })

    it('not for a call that was aborted before it began, of which nothing arrives', async () => {
      const { provider, upstream } = await openSubject(subject)
      const { call } = await openCall({ signal: AbortSignal.abort() })
      expect((await failureOf(provider.submit(requestOf(), call))).kind).toBe('unreached')
      expect(upstream.requests).toEqual([])
      expect(total(upstream.charges)).toBe(0)
    })

    it('neither for a rejected request nor for one that never arrived', async () => {
      const { provider, upstream } = await openSubject(subject)
      upstream.script('reset-at-accept', subject.rejection('No.'))
      const { call } = await openCall()
      expect((await failureOf(provider.submit(requestOf(), call))).kind).toBe('unreached')
      expect((await failureOf(provider.submit(requestOf(), call))).kind).toBe('rejected')
      expect(total(upstream.charges)).toBe(0)
    })
  })
}

function testWords(name: string, subject: WireSubject): void {
  it(`${name} reports a rejection with the upstream’s message, without secrets and markup`, async () => {
    const words = `The <b>fox</b> is wrong: ${subject.secrets.join(', ')}`
    const failed = await failPlainly(subject, subject.rejection(words))
    expect(failed).toMatchObject({ kind: 'rejected', charged: 'NO' })
    expect(failed.message).toContain('fox')
    expect(failed.message).toContain('[redacted]')
  })
}

function testNonsense(name: string, subject: WireSubject): void {
  it.each<Scenario>(['html', 'empty-data', { status: 200, body: '' }, { status: 200, body: null }])(
    `${name} treats an unreadable success as a failure that may have been charged: %j`,
    async (scenario) => {
      expect(await failPlainly<Scenario>(subject, scenario)).toMatchObject({
        kind: 'broken',
        code: 'PROVIDER_BROKEN',
        charged: 'UNKNOWN',
      })
    },
  )
}

function testBase64(name: string, subject: WireSubject): void {
  it(`${name} treats invalid base64 as broken`, async () => {
    const failed = await failPlainly<Scenario>(subject, ...beforeResult(subject), subject.wrongBase64)
    expect(failed).toMatchObject({ kind: 'broken', code: 'PROVIDER_BROKEN', charged: 'UNKNOWN' })
  })
}

function testRedirects(name: string, subject: WireSubject): void {
  it(`${name} does not follow a redirect`, async () => {
    const trap = await startTrap()
    for (const status of [301, 302, 303, 307, 308]) {
      const failed = await failPlainly<Scenario>(subject, {
        status,
        headers: { location: trap.url },
        body: '',
      })
      expect(failed.kind).not.toBe('unreached')
      expect(failed.httpStatus).toBe(status)
    }
    expect(trap.visits).toBe(0)
  })
}

/** What goes wrong with the result goes wrong in the reply that has it: the submit's, or the first check's. */
function beforeResult({ polling }: WireSubject): Scenario[] {
  return polling ? ['ok'] : []
}

/** A place where no request may ever arrive. */
async function startTrap() {
  const trap = { url: '', visits: 0 }
  const server = createServer((_request, response) => {
    trap.visits += 1
    response.end()
  })
  trap.url = await listen(server)
  onTestFinished(() => void server.close())
  return trap
}
