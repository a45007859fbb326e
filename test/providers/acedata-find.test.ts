// Requests whose reply was lost, and the lookup of their tasks by client ref.
import { describe, expect, it, onTestFinished } from 'vitest'
import { acedata } from '../../src/providers/acedata/acedata.ts'
import { failureOf, openCall, requestOf } from './call.ts'
import { startAcedataUpstream } from './upstreams/acedata.ts'
import type { CannedReply } from './upstreams/fake.ts'

const SYNC = { mode: 'sync' }

/** Loses the reply to a submit. */
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
  const { kind } = await failureOf(provider.submit(requestOf(), call))
  expect(kind).toBe('lost')
  return { provider, upstream, call }
}

describe('a request whose reply was lost', () => {
  it.each(['auto', 'async'])('in mode %s is found by its client ref, free of charge', async (mode) => {
    const { provider, upstream, call } = await lost({ mode })
    expect(await provider.find?.('att_1', call)).toEqual({ remoteId: 'task-1' })
    expect(upstream.requests[1]?.body.toString()).toBe('{"action":"retrieve","trace_id":"att_1"}')
    expect([...upstream.charges.values()]).toEqual([1])
    const { traits } = provider
    expect(traits.recovery).toBe('CLIENT_REF')
  })

  it('is not found by another id, nor if the upstream has no record of it', async () => {
    const { provider, upstream, call } = await lost()
    expect(await provider.find?.('att_2', call)).toBeUndefined()
    upstream.script({ status: 200, body: {} })
    expect(await provider.find?.('att_1', call)).toBeUndefined()
  })

  it.each<[string, CannedReply, string]>([
    ['a record of another request', { status: 200, body: { id: 'task-9', trace_id: 'att_9' } }, 'lost'],
    ['a record without a trace id', { status: 200, body: { id: 'task-9' } }, 'lost'],
    ['a reply that is not JSON', { status: 200, body: '<html>' }, 'lost'],
    ['a wrong token', { status: 401, body: { error: { code: 'invalid_token', message: 'No.' } } }, 'refused'],
    ['too many lookups', { status: 429, body: { error: { code: 'too_many_requests' } } }, 'busy'],
  ])('is not taken for %s', async (_, reply, kind) => {
    const { provider, upstream, call } = await lost()
    upstream.script(reply)
    expect(await failureOf(provider.find?.('att_1', call) ?? Promise.resolve())).toMatchObject({ kind })
  })

  it('in mode sync is on no record and cannot be found', async () => {
    const { provider } = await lost(SYNC)
    expect('find' in provider).toBe(false)
    expect(provider.traits.recovery).toBe('NONE')
  })
})
