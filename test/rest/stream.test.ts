import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { eventsOf } from '../../src/http/rest/stream.ts'
import { splitCounts, usageBody } from '../../src/http/rest/usage-body.ts'
import { UNKNOWN_USAGE } from '../../src/providers/provider.ts'
import { ADMIN_KEY, openGatewayWithKeys } from '../access/gateway-with-keys.ts'
import { post, type ImagesReply } from './rest-server.ts'

describe('a stream of a task in which nothing happens', () => {
  it('has a keepalive every 15 seconds', async () => {
    const sleeps: number[] = []
    const ended = new AbortController()
    // Time passes at once.
    const clock = { ...systemClock, sleep: async (ms: number) => void sleeps.push(ms) }
    const source = {
      next: () => new Promise<never>(() => {}),
      return: async () => ({ done: true as const, value: undefined }),
    }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what it reads
    const deps = { clock, engine: { watchTask: async () => source } } as unknown as Parameters<
      typeof eventsOf
    >[0]
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what it reads
    const task = { id: 'task_1', projectId: 'prj_1' } as Parameters<typeof eventsOf>[1]
    let keepalives = 0
    for await (const item of eventsOf(deps, task, { after: 0, signal: ended.signal })) {
      expect(item).toBeUndefined()
      if (++keepalives === 3) ended.abort()
    }
    expect([keepalives, new Set(sleeps)]).toEqual([3, new Set([15_000])])
  })
})

describe('usage', () => {
  it('is unknown as a whole unless every count is known, and never zero', () => {
    expect(usageBody({ ...UNKNOWN_USAGE, totalTokens: 5 })).toBeNull()
    expect(splitCounts(null, 2)).toEqual([])
  })

  it('adds up to the total over any number of images', () => {
    const details = { text_tokens: 7, image_tokens: 4 }
    const total = { input_tokens: 11, output_tokens: 101, total_tokens: 112, input_tokens_details: details }
    for (const count of [1, 2, 3, 7]) {
      const parts = splitCounts(total, count)
      const sum = (read: (usage: (typeof parts)[number]) => number) =>
        parts.reduce((all, one) => all + read(one), 0)
      expect(sum((one) => one.total_tokens)).toBe(112)
      expect(sum((one) => one.input_tokens_details.text_tokens)).toBe(7)
    }
  })
})

describe('with API keys', () => {
  it('a URL works for an hour without a key, and each key needs the scope', async () => {
    await using server = await openGatewayWithKeys()
    const body = { prompt: 'a fox', response_format: 'url' }
    const headers = { authorization: `Bearer ${ADMIN_KEY}` }
    const { data }: ImagesReply = await (await post(server.url, body, { headers })).json()
    const expires = Number(new URL(data[0]!.url!).searchParams.get('expires'))
    expect(expires - Date.now() / 1000).toBeGreaterThan(3_500)
    expect((await fetch(data[0]!.url!)).status).toBe(200)
    const { key } = await server.newKey({ scopes: ['READ'] })
    const refused = await post(server.url, body, { headers: { authorization: `Bearer ${key}` } })
    expect([refused.status, (await refused.json()).error.code]).toEqual([403, 'insufficient_permissions'])
    const wrong = await post(server.url, body, { headers: { authorization: 'Bearer dk_live_x' } })
    expect([wrong.status, wrong.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="darkroom"'])
  })
})
