// What the engine may rely on, whatever the dialect. Every dialect runs all of it; a dialect with several modes runs it
// once for each mode.
import { createServer } from 'node:http'
import { inspect } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Offer, Order, Provider } from '../../src/providers/provider.ts'
import { develop, failureOf, inputOf, openCall, orderOf } from './call.ts'
import { testCallbacks, testPolling } from './contract-later.ts'
import { eachSetting } from './contract-settings.ts'
import { failPlainly, openSubject, total, type Subject, type Upstream } from './contract-subject.ts'
import { listen } from './upstreams/listen.ts'
import type { Mood } from './upstreams/fake.ts'

export type { FailureRow, StatusRow, Subject, Upstream } from './contract-subject.ts'

/** Registers the promises. Call it at the top of a test file. */
export function testProvider(name: string, subject: Subject): void {
  testOrders(name, subject)
  testClaims(name, subject)
  testFailures(name, subject)
  testConnection(name, subject)
  if (subject.polling) testPolling(name, subject, subject.polling.statuses)
  if (subject.callbacks) testCallbacks(name, subject, subject.callbacks)
}

function testOrders(name: string, subject: Subject): void {
  // What goes wrong with the result goes wrong in the reply that has it: the submit's, or the first check's.
  const before: Mood[] = subject.polling ? ['ok'] : []
  describe(`${name} with an order`, () => {
    test('asks for what was ordered and for nothing else, once', async () => {
      const { provider, upstream } = await openSubject(subject)
      await develop(provider)
      const [submit] = upstream.requests
      expect(submit?.path).toBe(subject.plain.path)
      expect(JSON.parse(String(submit?.body))).toEqual(subject.plain.body)
      expect(upstream.requests.filter(({ path }) => path === subject.plain.path)).toHaveLength(1)
      expect([...upstream.charges.values()]).toEqual([1])
    })

    test.each<Mood>(['ok', 'drip'])('brings the picture byte for byte: %s', async (mood) => {
      const { provider, upstream } = await openSubject(subject)
      upstream.script(...before, mood)
      const { pictures } = await develop(provider)
      expect(pictures).toEqual(upstream.pictures)
      expect(pictures).toHaveLength(1)
    })

    test('says how far it got, in order', async () => {
      const { provider } = await openSubject(subject)
      const { call, heard } = await openCall()
      await provider.submit(orderOf(), call)
      expect([...new Set(heard.phases)]).toEqual(['DISPATCHED', 'HEADERS', 'BODY_DONE'])
    })

    test(`tells the upstream’s own id for the request${subject.givesNoRequestId ? ', of which there is none' : ''}`, async () => {
      const { provider } = await openSubject(subject)
      const { call, heard } = await openCall()
      await provider.submit(orderOf(), call)
      expect(heard.requestIds.length > 0).toBe(!subject.givesNoRequestId)
    })

    test('keeps orders apart that are under way together', async () => {
      const { provider, upstream } = await openSubject(subject)
      const done = await Promise.all(
        [1, 2, 3, 4, 5].map((number) => develop(provider, { prompt: `fox ${number}` })),
      )
      expect(hexOf(done.flatMap(({ pictures }) => pictures))).toEqual(hexOf(upstream.pictures))
      expect(total(upstream.charges)).toBe(5)
    })
  })
}

function testClaims(name: string, subject: Subject): void {
  describe(`${name} can what it claims:`, () => {
    test('every setting of every capability is sent, and taken', async () => {
      const { provider, upstream } = await openSubject(subject)
      for (const offer of provider.offers) expect(await dropped(provider, upstream, offer)).toEqual([])
    })

    test('every price says which table it is from, and every listed size has a form', async () => {
      const { provider } = await openSubject(subject)
      expect(provider.offers.length).toBeGreaterThan(0)
      expect(provider.offers.filter(({ price }) => price?.version === '')).toEqual([])
      const sizes = provider.offers.map(({ capabilities }) => capabilities.sizes)
      const listed = sizes.flatMap((rule) => (rule.kind === 'list' ? rule.values : []))
      expect(listed.filter((size) => !/^\d+x\d+$/.test(size))).toEqual([])
    })
  })
}

function testFailures(name: string, subject: Subject): void {
  // What goes wrong with the result goes wrong in the reply that has it: the submit's, or the first check's.
  const before: Mood[] = subject.polling ? ['ok'] : []
  describe(`${name} fails as it is:`, () => {
    test.each(subject.failures)('%s is %s, as %s, charged %s', async (_says, kind, code, charged, reply) => {
      const failed = await failPlainly(subject, reply)
      expect(failed).toMatchObject({ kind, code, charged })
      expect([undefined, reply.status]).toContain(failed.httpStatus)
    })

    test.each<[string, Record<string, string>, number | undefined]>([
      ['seconds', { 'retry-after': '12' }, 12_000],
      ['milliseconds', { 'retry-after-ms': '1500', 'retry-after': '2' }, 1500],
      ['a date', { date: DATE, 'retry-after': LATER }, 30_000],
      ['a date that has passed', { date: LATER, 'retry-after': DATE }, 0],
      ['words', { 'retry-after': 'soon' }, undefined],
      ['nothing', {}, undefined],
    ])('too many requests is busy, and waits as asked in %s', async (_form, headers, retryAfterMs) => {
      const { status, body } = subject.busy
      const failed = await failPlainly(subject, { status, headers, body })
      expect(failed).toMatchObject({ kind: 'busy', code: 'PROVIDER_RATE_LIMITED', charged: 'NO' })
      expect(failed.retryAfterMs).toBe(retryAfterMs)
    })

    test('a rejection is told in the upstream’s words, without secrets and markup', async () => {
      const words = `The <b>fox</b> is wrong: ${subject.secrets.join(', ')}`
      const failed = await failPlainly(subject, subject.rejection(words))
      expect(failed).toMatchObject({ kind: 'rejected', charged: 'NO', charges: 0 })
      expect(failed.message).toContain('fox')
      expect(failed.message).toContain('[redacted]')
    })

    test.each<Mood>(['html', 'empty-data', { status: 200, body: '' }, { status: 200, body: null }])(
      'a success that is none may have been charged: %j',
      async (mood) => {
        expect(await failPlainly(subject, mood)).toMatchObject({
          kind: 'broken',
          code: 'PROVIDER_BROKEN',
          charged: 'UNKNOWN',
        })
      },
    )

    test('a picture in wrong base64 is broken', async () => {
      const failed = await failPlainly(subject, ...before, subject.wrongBase64)
      expect(failed).toMatchObject({ kind: 'broken', code: 'PROVIDER_BROKEN', charged: 'UNKNOWN' })
    })

    test.each<Mood>(['truncated', 'reset-after-request'])(
      'a call that is cut off is lost, since it was carried out: %s',
      async (mood) => {
        const failed = await failPlainly(subject, mood)
        expect(failed).toMatchObject({ kind: 'lost', code: 'OUTCOME_UNKNOWN', charged: 'UNKNOWN' })
      },
    )
  })
}

function testConnection(name: string, subject: Subject): void {
  describe(`${name} on the wire:`, () => {
    test('a connection that nobody took was not used', async () => {
      const failed = await failPlainly(subject, 'reset-at-accept')
      expect(failed).toMatchObject({
        kind: 'unreached',
        code: 'PROVIDER_UNREACHABLE',
        charged: 'NO',
        charges: 0,
      })
    })

    test('a redirect is not followed', async () => {
      const trap = await startTrap()
      for (const status of [301, 302, 303, 307, 308]) {
        const failed = await failPlainly(subject, { status, headers: { location: trap.url }, body: '' })
        expect(failed.kind).not.toBe('unreached')
        expect(failed.httpStatus).toBe(status)
      }
      expect(trap.visits).toBe(0)
    })

    test('an upstream that hangs is lost when time is up', async () => {
      const { provider, upstream } = await openSubject(subject)
      upstream.script('hang')
      const deadline = new AbortController()
      const { call } = await openCall({ signal: deadline.signal })
      const failed = failureOf(provider.submit(orderOf(), call))
      await expect.poll(() => upstream.requests.length).toBe(1)
      deadline.abort()
      expect(await failed).toMatchObject({ kind: 'lost', code: 'OUTCOME_UNKNOWN', charged: 'UNKNOWN' })
      expect(total(upstream.charges)).toBe(1)
    })

    test('a call whose time is up before it begins is never sent', async () => {
      const { provider, upstream } = await openSubject(subject)
      const { call } = await openCall({ signal: AbortSignal.abort() })
      const failed = await failureOf(provider.submit(orderOf(), call))
      expect(failed).toMatchObject({ kind: 'unreached', charged: 'NO' })
      expect(upstream.requests).toEqual([])
    })
  })
}

/** One order per setting: it must come out well, and must look different from the plain one or name the setting. */
async function dropped(provider: Provider, upstream: Upstream, offer: Offer): Promise<string[]> {
  const base = { model: offer.model, upstreamModel: offer.upstreamModel }
  async function sent(wishes: Partial<Order>): Promise<string> {
    upstream.requests.length = 0
    const { pictures } = await develop(provider, { ...base, ...wishes })
    if (pictures.length !== (wishes.n ?? 1)) throw new Error(`${pictures.length} came of ${inspect(wishes)}`)
    return upstream.requests[0]?.body.toString('latin1') ?? ''
  }
  const plainly = await sent({})
  const silent: string[] = []
  for (const { wishes, word } of eachSetting(offer.capabilities, inputOf)) {
    const body = await sent(wishes)
    if (body === plainly && !body.includes(word)) silent.push(`${offer.model} with ${inspect(wishes)}`)
  }
  return silent
}

const DATE = 'Fri, 20 Nov 2026 08:00:00 GMT'
const LATER = 'Fri, 20 Nov 2026 08:00:30 GMT'

function hexOf(pictures: readonly Buffer[]): string[] {
  return pictures.map((bytes) => bytes.toString('hex')).sort()
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
