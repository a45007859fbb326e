// The promises that the engine relies on, for every dialect and each of its modes. Promises about HTTP are in
// contract-wire.ts; a provider without HTTP states for each why it does not apply.
import { createHash } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Offer, Provider } from '../../src/providers/provider.ts'
import { runRequest, failureOf, inputOf, openCall, requestOf } from './call.ts'
import { eachSetting, type Setting } from './contract-settings.ts'
import { failureIn, openSubject, type Subject, type Upstream } from './contract-subject.ts'
import { toSubject, WIRE_PROMISES, type WirePromise, type WireSubject } from './contract-wire.ts'

export type { FailureRow, StatusRow, WireSubject } from './contract-wire.ts'

/** Registers the tests of a provider with a real server. Call it at the top level of a test file. */
export function testProvider(name: string, subject: WireSubject): void {
  testPromises(name, toSubject(subject))
  for (const promise of Object.values(WIRE_PROMISES)) promise(name, subject)
}

/** Registers the tests of a provider that runs in this process. */
export function testInProcess<M>(
  name: string,
  subject: Subject<M> & { cannot: Readonly<Record<WirePromise, string>> },
): void {
  testPromises(name, subject)
}

function testPromises<M>(name: string, subject: Subject<M>): void {
  testRequests(name, subject)
  testOffers(name, subject)
  testFailures(name, subject)
  testDeadline(name, subject)
}

function testRequests<M>(name: string, subject: Subject<M>): void {
  describe(`${name} with a request`, () => {
    it('delivers the image byte for byte', async () => {
      const { provider, upstream } = await openSubject(subject)
      const { imageBytes } = await runRequest(provider)
      expect(digestsOf(imageBytes)).toEqual(digestsOf(await upstream.sentImages()))
      expect(imageBytes).toHaveLength(1)
      expect(upstream.requestCount()).toBe(1)
    })

    it('reports its phases in order', async () => {
      const { provider } = await openSubject(subject)
      const { call, reports } = await openCall()
      await provider.submit(requestOf(), call)
      expect([...new Set(reports.phases)]).toEqual(['DISPATCHED', 'HEADERS', 'BODY_DONE'])
    })

    it(`reports ${subject.givesNoRequestId ? 'no request id, because the upstream has none' : 'the upstream’s request id'}`, async () => {
      const { provider } = await openSubject(subject)
      const { call, reports } = await openCall()
      await provider.submit(requestOf(), call)
      expect(reports.requestIds.length > 0).toBe(!subject.givesNoRequestId)
    })

    it('sends the client ref of each request', async () => {
      const { provider, upstream } = await openSubject(subject)
      for (const clientRef of ['att_7', 'att_8']) {
        const { call } = await openCall({ clientRef })
        await provider.submit(requestOf(), call)
      }
      expect(upstream.clientRefs()).toEqual(['att_7', 'att_8'])
    })

    it('returns to each concurrent request its own image', async () => {
      const { provider, upstream } = await openSubject(subject)
      const done = await Promise.all(
        [1, 2, 3, 4, 5].map((number) => runRequest(provider, { prompt: `fox ${number}` })),
      )
      const digests = digestsOf(done.flatMap(({ imageBytes }) => imageBytes))
      expect(digests).toEqual(digestsOf(await upstream.sentImages()))
      expect(new Set(digests).size).toBe(5)
    })
  })
}

function testOffers<M>(name: string, subject: Subject<M>): void {
  describe(`${name} supports its offers:`, () => {
    it.each(subject.models ?? ['every model'])(
      'each setting of %s is sent, and none is dropped',
      async (model) => {
        const { provider, upstream } = await openSubject(subject)
        const offers = provider.offers.filter((offer) => !subject.models || offer.model === model)
        expect(offers.length).toBeGreaterThan(0)
        for (const offer of offers) expect(await listProblems(subject, provider, upstream, offer)).toEqual([])
      },
    )

    it('every price has a version, and every listed size has the form WIDTHxHEIGHT', async () => {
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
  describe(`${name} reports failures:`, () => {
    it.each(subject.failures)(
      '%s is %s, as %s, charged %s',
      async (_title, kind, code, charged, scenario, statuses) => {
        const failed = await failureIn(subject, scenario)
        expect(failed).toMatchObject({ kind, code, charged })
        expect(statuses).toContain(failed.httpStatus)
      },
    )

    it.each(subject.waits)(
      'too many requests is busy, with the wait given in %s',
      async (_form, scenario, retryAfterMs) => {
        const failed = await failureIn(subject, scenario)
        expect(failed).toMatchObject({ kind: 'busy', code: 'PROVIDER_RATE_LIMITED', charged: 'NO' })
        expect(failed.retryAfterMs).toBe(retryAfterMs)
      },
    )

    it.each(subject.cut)(
      'a call whose connection breaks after it was executed is lost: %s',
      async (scenario) => {
        const failed = await failureIn(subject, scenario)
        expect(failed).toMatchObject({ kind: 'lost', code: 'OUTCOME_UNKNOWN', charged: 'UNKNOWN' })
      },
    )
  })
}

function testDeadline<M>(name: string, subject: Subject<M>): void {
  describe(`${name} and its deadline:`, () => {
    it('a call that did not reach the upstream is unreached and uncharged', async () => {
      const failed = await failureIn(subject, subject.unreached)
      expect(failed).toMatchObject({ kind: 'unreached', code: 'PROVIDER_UNREACHABLE', charged: 'NO' })
    })

    it('a call that hangs is lost at the deadline', async () => {
      const { provider, upstream } = await openSubject(subject)
      upstream.script(subject.hang)
      const deadline = new AbortController()
      const { call } = await openCall({ signal: deadline.signal })
      const failed = failureOf(provider.submit(requestOf(), call))
      await expect.poll(() => upstream.requestCount()).toBe(1)
      expect(await Promise.race([failed, pause(50, 'waiting')])).toBe('waiting')
      deadline.abort()
      expect(await failed).toMatchObject({ kind: 'lost', code: 'OUTCOME_UNKNOWN', charged: 'UNKNOWN' })
    })

    it('a call that is aborted before it starts is never sent', async () => {
      const { provider, upstream } = await openSubject(subject)
      const { call, reports } = await openCall({ signal: AbortSignal.abort() })
      const failed = await failureOf(provider.submit(requestOf(), call))
      expect(failed).toMatchObject({ kind: 'unreached', charged: 'NO' })
      expect(upstream.requestCount()).toBe(0)
      expect(reports.phases).toEqual([])
    })
  })
}

/** Runs one request per setting. All of its images must be returned, and the setting must have an effect. */
async function listProblems<M>(
  subject: Subject<M>,
  provider: Provider,
  upstream: Upstream<M>,
  offer: Offer,
): Promise<string[]> {
  const { model, upstreamModel, capabilities } = offer
  const problems: string[] = []
  const none: Setting = { overrides: {}, wireText: '' }
  for (const setting of [none, ...eachSetting(capabilities, subject.input ?? inputOf)]) {
    const result = await runRequest(provider, { model, upstreamModel, ...setting.overrides })
    const { n = 1 } = setting.overrides
    const problem =
      result.imageBytes.length === n
        ? await upstream.problemWith(setting, result)
        : `${result.imageBytes.length} images were returned`
    if (problem) problems.push(`${model} with ${Object.keys(setting.overrides).join()}: ${problem}`)
  }
  return problems
}

// The difference of digests is readable, unlike that of bytes.
function digestsOf(imageBytes: readonly Buffer[]): string[] {
  return imageBytes.map((bytes) => createHash('sha256').update(bytes).digest('hex')).sort()
}
