// Orders whose answer was lost, and how their tasks are found again by the id that they were given here.
import { describe, expect, onTestFinished, test } from 'vitest'
import { acedata } from '../../src/providers/acedata/acedata.ts'
import { failureOf, openCall, orderOf } from './call.ts'
import { startAcedataUpstream } from './upstreams/acedata.ts'
import type { CannedReply } from './upstreams/fake.ts'

const SYNC = { mode: 'sync' }

/** Loses the answer to an order. */
async function lost(entry: object = {}) {
  const upstream = await startAcedataUpstream()
  const options = acedata.options.parse({ baseUrl: upstream.url, apiKey: 'ace-test-key', ...entry })
  const provider = acedata.create('acedata', options)
  onTestFinished(async () => {
    await provider.close()
    await upstream.close()
  })
  upstream.script('reset-after-request')
  const { call } = await openCall()
  const { kind } = await failureOf(provider.submit(orderOf(), call))
  expect(kind).toBe('lost')
  return { provider, upstream, call }
}

describe('an order whose answer was lost', () => {
  test.each(['auto', 'async'])(
    'in the mode %s is found by our own id, and nothing is charged for looking',
    async (mode) => {
      const { provider, upstream, call } = await lost({ mode })
      expect(await provider.find?.('att_1', call)).toEqual({ remoteId: 'task-1' })
      expect(upstream.requests[1]?.body.toString()).toBe('{"action":"retrieve","trace_id":"att_1"}')
      expect([...upstream.charges.values()]).toEqual([1])
      const { traits } = provider
      expect(traits.recovery).toBe('CLIENT_REF')
    },
  )

  test('is not found by another id, nor where none of ours are kept', async () => {
    const { provider, upstream, call } = await lost()
    expect(await provider.find?.('att_2', call)).toBeUndefined()
    upstream.script({ status: 200, body: {} })
    expect(await provider.find?.('att_1', call)).toBeUndefined()
  })

  test.each<[string, CannedReply, string]>([
    ['a record of another order', { status: 200, body: { id: 'task-9', trace_id: 'att_9' } }, 'lost'],
    ['a record that does not say whose it is', { status: 200, body: { id: 'task-9' } }, 'lost'],
    ['a reply that is none', { status: 200, body: '<html>' }, 'lost'],
    ['a wrong token', { status: 401, body: { error: { code: 'invalid_token', message: 'No.' } } }, 'refused'],
    ['too many questions', { status: 429, body: { error: { code: 'too_many_requests' } } }, 'busy'],
  ])('is not believed to be %s', async (_, reply, kind) => {
    const { provider, upstream, call } = await lost()
    upstream.script(reply)
    expect(await failureOf(provider.find?.('att_1', call) ?? Promise.resolve())).toMatchObject({ kind })
  })

  test('at once is on no record, and cannot be looked for', async () => {
    const { provider } = await lost(SYNC)
    expect('find' in provider).toBe(false)
    expect(provider.traits.recovery).toBe('NONE')
  })
})
