// What the engine may rely on, whatever the provider. Every dialect runs all of it; a dialect with several modes runs it
// once for each mode. What only a wire can put to the test is in contract-wire.ts; a provider without one says of each of
// those promises why it cannot apply.
import { createHash } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Offer, Provider } from '../../src/providers/provider.ts'
import { develop, failureOf, inputOf, openCall, orderOf } from './call.ts'
import { eachSetting, type Setting } from './contract-settings.ts'
import { failPlainly, openSubject, type Subject, type Upstream } from './contract-subject.ts'
import { onTheWire, WIRE_PROMISES, type WirePromise, type WireSubject } from './contract-wire.ts'

export type { FailureRow, StatusRow, WireSubject } from './contract-wire.ts'

/** Registers the promises of a provider at a real server. Call it at the top of a test file. */
export function testProvider(name: string, subject: WireSubject): void {
  testPromises(name, onTheWire(subject))
  for (const promise of Object.values(WIRE_PROMISES)) promise(name, subject)
}

/** The same for a provider that works in this process. */
export function testInProcess<M>(
  name: string,
  subject: Subject<M> & { cannot: Readonly<Record<WirePromise, string>> },
): void {
  testPromises(name, subject)
}

function testPromises<M>(name: string, subject: Subject<M>): void {
  testOrders(name, subject)
  testClaims(name, subject)
  testFailures(name, subject)
  testEnds(name, subject)
}

function testOrders<M>(name: string, subject: Subject<M>): void {
  describe(`${name} with an order`, () => {
    test('brings the picture byte for byte', async () => {
      const { provider, upstream } = await openSubject(subject)
      const { pictures } = await develop(provider)
      expect(digestsOf(pictures)).toEqual(digestsOf(await upstream.painted()))
      expect(pictures).toHaveLength(1)
      expect(upstream.orders()).toBe(1)
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

    test('tells the upstream our own id for the order, each its own', async () => {
      const { provider, upstream } = await openSubject(subject)
      for (const clientRef of ['att_7', 'att_8']) {
        const { call } = await openCall({ clientRef })
        await provider.submit(orderOf(), call)
      }
      expect(upstream.refs()).toEqual(['att_7', 'att_8'])
    })

    test('keeps orders apart that are under way together', async () => {
      const { provider, upstream } = await openSubject(subject)
      const done = await Promise.all(
        [1, 2, 3, 4, 5].map((number) => develop(provider, { prompt: `fox ${number}` })),
      )
      const came = digestsOf(done.flatMap(({ pictures }) => pictures))
      expect(came).toEqual(digestsOf(await upstream.painted()))
      expect(new Set(came).size).toBe(5)
    })
  })
}

function testClaims<M>(name: string, subject: Subject<M>): void {
  describe(`${name} can what it claims:`, () => {
    test.each(subject.models ?? ['every model'])(
      'each setting of %s is taken, and none is dropped',
      async (model) => {
        const { provider, upstream } = await openSubject(subject)
        const offers = provider.offers.filter((offer) => !subject.models || offer.model === model)
        expect(offers.length).toBeGreaterThan(0)
        for (const offer of offers) expect(await objections(subject, provider, upstream, offer)).toEqual([])
      },
    )

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

function testFailures<M>(name: string, subject: Subject<M>): void {
  describe(`${name} fails as it is:`, () => {
    test.each(subject.failures)(
      '%s is %s, as %s, charged %s',
      async (_says, kind, code, charged, scenario, statuses) => {
        const failed = await failPlainly(subject, scenario)
        expect(failed).toMatchObject({ kind, code, charged })
        expect(statuses).toContain(failed.httpStatus)
      },
    )

    test.each(subject.waits)(
      'too many requests is busy, and waits as asked in %s',
      async (_form, scenario, retryAfterMs) => {
        const failed = await failPlainly(subject, scenario)
        expect(failed).toMatchObject({ kind: 'busy', code: 'PROVIDER_RATE_LIMITED', charged: 'NO' })
        expect(failed.retryAfterMs).toBe(retryAfterMs)
      },
    )

    test.each(subject.cut)(
      'a call that is cut off is lost, since it was carried out: %s',
      async (scenario) => {
        const failed = await failPlainly(subject, scenario)
        expect(failed).toMatchObject({ kind: 'lost', code: 'OUTCOME_UNKNOWN', charged: 'UNKNOWN' })
      },
    )
  })
}

function testEnds<M>(name: string, subject: Subject<M>): void {
  describe(`${name} at its ends:`, () => {
    test('an upstream that nobody reached was not used', async () => {
      const failed = await failPlainly(subject, subject.unreached)
      expect(failed).toMatchObject({ kind: 'unreached', code: 'PROVIDER_UNREACHABLE', charged: 'NO' })
    })

    test('an upstream that hangs is waited for until time is up, and then lost', async () => {
      const { provider, upstream } = await openSubject(subject)
      upstream.script(subject.hang)
      const deadline = new AbortController()
      const { call } = await openCall({ signal: deadline.signal })
      const failed = failureOf(provider.submit(orderOf(), call))
      await expect.poll(() => upstream.orders()).toBe(1)
      expect(await Promise.race([failed, pause(50, 'waiting')])).toBe('waiting')
      deadline.abort()
      expect(await failed).toMatchObject({ kind: 'lost', code: 'OUTCOME_UNKNOWN', charged: 'UNKNOWN' })
    })

    test('a call whose time is up before it begins is never sent', async () => {
      const { provider, upstream } = await openSubject(subject)
      const { call, heard } = await openCall({ signal: AbortSignal.abort() })
      const failed = await failureOf(provider.submit(orderOf(), call))
      expect(failed).toMatchObject({ kind: 'unreached', charged: 'NO' })
      expect(upstream.orders()).toBe(0)
      expect(heard.phases).toEqual([])
    })
  })
}

/** One order per setting: all of its pictures must come, and the setting must have made its difference. */
async function objections<M>(
  subject: Subject<M>,
  provider: Provider,
  upstream: Upstream<M>,
  offer: Offer,
): Promise<string[]> {
  const { model, upstreamModel, capabilities } = offer
  const found: string[] = []
  const none: Setting = { wishes: {}, word: '' }
  for (const setting of [none, ...eachSetting(capabilities, subject.input ?? inputOf)]) {
    const came = await develop(provider, { model, upstreamModel, ...setting.wishes })
    const { n = 1 } = setting.wishes
    const objection =
      came.pictures.length === n
        ? await upstream.objection(setting, came)
        : `${came.pictures.length} pictures came`
    if (objection) found.push(`${model} with ${Object.keys(setting.wishes).join()}: ${objection}`)
  }
  return found
}

// Of two pictures that differ, nobody wants to read how.
function digestsOf(pictures: readonly Buffer[]): string[] {
  return pictures.map((bytes) => createHash('sha256').update(bytes).digest('hex')).sort()
}
