// The part of the contract for upstreams that answer later: asked, or by themselves.
import { describe, expect, test } from 'vitest'
import { failureOf, openCall, orderOf } from './call.ts'
import { expectNoSecret, openSubject, total } from './contract-subject.ts'
import type { StatusRow, WireSubject } from './contract-wire.ts'
import type { Scenario } from './upstreams/fake.ts'

export function testPolling(name: string, subject: WireSubject, statuses: readonly StatusRow[]): void {
  async function accepted() {
    const { provider, upstream } = await openSubject(subject)
    const { call } = await openCall()
    const answer = await provider.submit(orderOf(), call)
    if (answer.state !== 'ACCEPTED') throw new Error(`The order was not accepted but ${answer.state}`)
    const { remoteId, checkAfterMs } = answer
    const check = async (id = remoteId) => {
      const next = await provider.check?.(id, orderOf(), call)
      if (!next) throw new Error('The provider cannot be asked')
      return next
    }
    return { upstream, check, checkAfterMs }
  }

  describe(`${name} asks how an order is doing:`, () => {
    test('after some time, not at once', async () => {
      expect((await accepted()).checkAfterMs).toBeGreaterThan(0)
    })

    test.each(statuses)('%s is %s', async (_says, becomes, reply) => {
      const { upstream, check } = await accepted()
      upstream.script(reply)
      const became = await check().then(
        ({ state }) => state,
        async (error: unknown) => {
          const failure = await failureOf(Promise.reject(error))
          expectNoSecret(failure, subject)
          return failure.kind
        },
      )
      expect(became).toBe(becomes)
    })

    test('an id that the upstream does not know is missing, and nothing is charged for asking', async () => {
      const { upstream, check } = await accepted()
      const charged = total(upstream.charges)
      expect(await check('no-such-id')).toMatchObject({ state: 'MISSING', checkAfterMs: expect.any(Number) })
      expect(total(upstream.charges)).toBe(charged)
    })

    test.each<Scenario>(['html', 'truncated', 'reset-at-accept', { status: 503, body: 'no' }])(
      'a question that went wrong says nothing about the order: %j',
      async (scenario) => {
        const { upstream, check } = await accepted()
        upstream.script(scenario)
        const failure = await failureOf(check())
        expect(['busy', 'lost', 'refused', 'unreached']).toContain(failure.kind)
        expectNoSecret(failure, subject)
      },
    )

    test('the same question twice has the same answer', async () => {
      const { check, upstream } = await accepted()
      let answer = await check()
      for (let times = 0; answer.state === 'PENDING' && times < 20; times++) answer = await check()
      const again = await check()
      if (answer.state !== 'DONE' || again.state !== 'DONE') throw new Error('The order is not done')
      expect({ ...again, images: again.images.length }).toEqual({ ...answer, images: answer.images.length })
      expect(total(upstream.charges)).toBe(1)
    })
  })
}

export function testCallbacks(
  name: string,
  subject: WireSubject,
  callbacks: readonly { body: string; remoteId: string | null }[],
): void {
  describe(`${name} reads a callback:`, () => {
    test.each(callbacks)('$body', async ({ body, remoteId }) => {
      const { provider } = await openSubject(subject)
      expect(provider.receive?.(body)).toEqual({ remoteId })
      expect(provider.receive?.(body)).toEqual({ remoteId })
    })

    test.each(['', 'null', '[]', '"ok"', '<html>', '{"success":'])('%j makes no sense', async (body) => {
      const { provider } = await openSubject(subject)
      const failure = await failureOf((async () => provider.receive?.(body))())
      expect(failure.kind).toBe('broken')
    })
  })
}
