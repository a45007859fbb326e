import { randomBytes } from 'node:crypto'
import { expect, it, onTestFinished } from 'vitest'
import { createBruteForceLimiter } from '../../src/http/security/brute-force.ts'
import { startAcedataUpstream } from '../providers/upstreams/acedata.ts'
import { openGateway } from '../support/gateway.ts'

const FORGED = 1_500

it('forged callbacks are rate limited for any forwarded address, while valid ones from the same address are accepted', async () => {
  const upstream = await startAcedataUpstream()
  onTestFinished(() => upstream.close())
  upstream.scriptCallbacks('late')
  const entry = { baseUrl: upstream.url, apiKey: 'ace-test-key', callbackPollMs: 600_000 }
  await using gateway = await openGateway({
    providers: [{ name: 'ace', dialect: 'acedata', ...entry }],
    settings: { trustedProxies: ['10.0.0.0/8'] },
  })
  const id = await gateway.generate({ prompt: 'a red fox' })
  await expect.poll(() => upstream.requests.length).toBe(1)
  await upstream.deliver()
  await gateway.ended(id)
  const [{ url, body } = { url: '', body: '' }] = upstream.deliveries

  const statuses = new Map<number, number>()
  let retryAfter: string | null = null
  let left = FORGED
  const takeNext = () => left-- > 0
  const isForging = () => left > 0
  const forge = async () => {
    while (takeNext()) {
      const response = await fetch(`${gateway.url}/callbacks/${randomBytes(32).toString('base64url')}`, {
        method: 'POST',
        // The loopback address is not a trusted proxy, so this header is ignored.
        headers: { 'x-forwarded-for': `203.0.113.${left % 250}` },
        body: '{}',
      })
      await response.arrayBuffer()
      statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1)
      retryAfter = response.headers.get('retry-after') ?? retryAfter
    }
  }
  let acceptedMeanwhile = 0
  const call = async () => {
    while (isForging()) {
      const response = await fetch(url, { method: 'POST', body })
      await response.arrayBuffer()
      expect(response.status).toBe(200)
      if (isForging()) acceptedMeanwhile++
    }
  }
  await Promise.all([...Array.from({ length: 20 }, forge), call()])
  expect(statuses.get(404)).toBe(60)
  expect(statuses.get(429)).toBe(FORGED - 60)
  expect(Number(retryAfter)).toBeGreaterThan(0)
  expect(acceptedMeanwhile).toBeGreaterThan(10)
})

it('the brute-force limiter counts an IPv6 network as one client, and other networks separately', () => {
  const limiter = createBruteForceLimiter()
  for (let i = 0; i < 60; i++) limiter.count(`2001:db8:1:2::${i}`)
  expect(limiter.waitMs('2001:db8:1:2:ffff::1')).toBeGreaterThan(0)
  expect(limiter.waitMs('2001:db8:1:3::1')).toBe(0)
  expect(limiter.waitMs('192.0.2.1')).toBe(0)
  expect(limiter.waitMs(null)).toBe(0)
})
