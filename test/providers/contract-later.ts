// The part of the contract for upstreams with polling or callbacks.
import { describe, expect, it } from 'vitest'
import { failureOf, openCall, requestOf } from './call.ts'
import { expectNoSecret, openSubject, countCharges } from './contract-subject.ts'
import type { StatusRow, WireSubject } from './contract-wire.ts'
import type { Scenario } from './upstreams/fake.ts'

export function testPolling(name: string, subject: WireSubject, statuses: readonly StatusRow[]): void {
  async function accepted() {
    const { provider, upstream } = await openSubject(subject)
    const { call } = await openCall()
    const result = await provider.submit(requestOf(), call)
    if (result.state !== 'ACCEPTED') throw new Error(`The request was not accepted but ${result.state}`)
    const { remoteId, checkAfterMs } = result
    const check = async (id = remoteId) => {
      const next = await provider.check?.(id, requestOf(), call)
      if (!next) throw new Error('The provider has no check')
      return next
    }
    return { upstream, check, checkAfterMs }
  }

  describe(`${name} checks an accepted request`, () => {
    it('after some time, not immediately', async () => {
      expect((await accepted()).checkAfterMs).toBeGreaterThan(0)
    })

    it.each(statuses)('and takes %s for %s', async (_title, becomes, reply) => {
      const { upstream, check } = await accepted()
      upstream.script(reply)
      const outcome = await check().then(
        ({ state }) => state,
        async (error: unknown) => {
          const failure = await failureOf(Promise.reject(error))
          expectNoSecret(failure, subject)
          return failure.isUnproven ? 'unproven' : failure.kind
        },
      )
      expect(outcome).toBe(becomes)
    })

    it('and reports an unknown id as MISSING, free of charge', async () => {
      const { upstream, check } = await accepted()
      const charged = countCharges(upstream.charges)
      expect(await check('no-such-id')).toMatchObject({ state: 'MISSING', checkAfterMs: expect.any(Number) })
      expect(countCharges(upstream.charges)).toBe(charged)
    })

    it.each<Scenario>(['html', 'truncated', 'reset-at-accept', { status: 503, body: 'no' }])(
      'and learns nothing about the request from a failed check: %j',
      async (scenario) => {
        const { upstream, check } = await accepted()
        upstream.script(scenario)
        const failure = await failureOf(check())
        expect(['busy', 'lost', 'refused', 'unreached']).toContain(failure.kind)
        expectNoSecret(failure, subject)
      },
    )

    it('and gets the same result from the same check', async () => {
      const { check, upstream } = await accepted()
      let result = await check()
      for (let times = 0; result.state === 'PENDING' && times < 20; times++) result = await check()
      const again = await check()
      if (result.state !== 'DONE' || again.state !== 'DONE') throw new Error('The request is not done')
      expect({ ...again, images: again.images.length }).toEqual({ ...result, images: result.images.length })
      expect(countCharges(upstream.charges)).toBe(1)
    })
  })
}

export function testCallbacks(
  name: string,
  subject: WireSubject,
  callbacks: readonly { body: string; remoteId: string | null }[],
): void {
  describe(`${name} reads a callback`, () => {
    it.each(callbacks)('with the body $body', async ({ body, remoteId }) => {
      const { provider } = await openSubject(subject)
      expect(provider.readCallback?.(body)).toEqual({ remoteId })
      expect(provider.readCallback?.(body)).toEqual({ remoteId })
    })

    it.each(['', 'null', '[]', '"ok"', '<html>', '{"success":'])(
      'and rejects the malformed body %j',
      async (body) => {
        const { provider } = await openSubject(subject)
        const failure = await failureOf((async () => provider.readCallback?.(body))())
        expect(failure.kind).toBe('broken')
      },
    )
  })
}
