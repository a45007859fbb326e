// The organization's costs and image usage, from a server that answers as platform.openai.com/docs/api-reference/usage
// documents it.
import { createServer, type IncomingMessage } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { dialects } from '../../src/providers/index.ts'
import type { Provider } from '../../src/providers/provider.ts'
import { listen } from '../providers/upstreams/listen.ts'

const DAY_MS = 86_400_000
const FROM = Date.UTC(2026, 10, 1)
const signal = AbortSignal.timeout(60_000)

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

interface Asked {
  path: string
  query: URLSearchParams
  authorization: string | undefined
}

type Answer = (asked: Asked) => { status?: number; body: string }

async function start(answer: Answer, more: object = {}) {
  const asked: Asked[] = []
  const server = createServer((request: IncomingMessage, response) => {
    const url = new URL(request.url ?? '', 'http://127.0.0.1')
    const one = { path: url.pathname, query: url.searchParams, authorization: request.headers.authorization }
    asked.push(one)
    const { status = 200, body } = answer(one)
    response.writeHead(status, { 'content-type': 'application/json' }).end(body)
  })
  const origin = await listen(server)
  const dialect = dialects.openai!
  const options = dialect.options.parse({
    apiKey: 'sk-calls',
    adminKey: 'sk-admin-secret',
    baseUrl: `${origin}/v1`,
    models: ['gpt-image-2'],
    ...more,
  })
  const provider: Provider = dialect.create('openai', options)
  closing.push(async () => {
    await provider.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return { provider, asked }
}

const day = (nth: number, results: string) =>
  `{ "object": "bucket", "start_time": ${(FROM + nth * DAY_MS) / 1000}, "end_time": ${(FROM + (nth + 1) * DAY_MS) / 1000}, "results": [${results}] }`
const cost = (item: string | null, value: string) =>
  `{ "object": "organization.costs.result", "amount": { "value": ${value}, "currency": "usd" }, "line_item": ${JSON.stringify(item)}, "project_id": null }`
const images = (model: string, count: number) =>
  `{ "object": "organization.usage.images.result", "images": ${count}, "num_model_requests": ${count}, "model": "${model}" }`
const page = (data: string[], next: string | null = null) =>
  `{ "object": "page", "data": [${data.join()}], "has_more": ${next !== null}, "next_page": ${JSON.stringify(next)} }`

const empty = page([])
const period = { from: FROM, to: FROM + 2 * DAY_MS }

describe('the bill of an OpenAI organization', () => {
  it('sums the exact amounts of the offered models per day, over all pages', async () => {
    const { provider, asked } = await start(({ path, query }) => {
      if (path === '/v1/organization/usage/images')
        return { body: page([day(0, [images('gpt-image-2', 3), images('dall-e-3', 9)].join()), day(1, '')]) }
      if (query.get('page') === 'page_2')
        return { body: page([day(1, cost('gpt-image-2-2026-04-21, output', '1e-05'))]) }
      const first = [
        cost('gpt-image-2, input', '0.1'),
        cost('gpt-image-2, output', '0.2000004'),
        cost('gpt-image-2.5-flare, output', '7'),
        cost('gpt-image-2-mini, output', '5'),
        cost(null, '0.5'),
      ]
      return { body: page([day(0, first.join())], 'page_2') }
    })
    expect(await provider.fetchBill!(period, { signal })).toEqual([
      { startsAt: FROM, micros: 300_000, otherMicros: 12_500_000, images: 3 },
      { startsAt: FROM + DAY_MS, micros: 10, otherMicros: 0, images: 0 },
    ])
    expect(asked[0]).toMatchObject({
      path: '/v1/organization/costs',
      authorization: 'Bearer sk-admin-secret',
    })
    expect(Object.fromEntries(asked[0]!.query)).toEqual({
      start_time: String(FROM / 1000),
      end_time: String(period.to / 1000),
      bucket_width: '1d',
      limit: '31',
      'group_by[]': 'line_item',
    })
  })

  it('covers the configured project only', async () => {
    const { provider, asked } = await start(() => ({ body: empty }), { project: 'proj_1' })
    expect(await provider.fetchBill!(period, { signal })).toEqual([])
    expect(asked.map(({ query }) => query.get('project_ids[]'))).toEqual(['proj_1', 'proj_1'])
  })

  it.each<[string, ReturnType<Answer>, string]>([
    ['a refusal', { status: 401, body: '{"error":{"message":"Bad key sk-admin-secret"}}' }, 'status 401'],
    [
      'another currency',
      { body: page([day(0, cost('gpt-image-2', '1').replace('usd', 'eur'))]) },
      'currency is eur',
    ],
    ['another shape', { body: '{"data":[{"start_time":"x"}]}' }, 'not as documented'],
    ['no JSON', { body: '<html>' }, 'not as documented'],
    ['a page that repeats', { body: page([], 'again') }, 'more than 50 pages'],
  ])('cannot be read after %s, and the message has no secret', async (_, answer, message) => {
    const { provider } = await start(({ path }) => (path.endsWith('/costs') ? answer : { body: empty }))
    const error = await provider.fetchBill!(period, { signal }).catch((thrown: unknown) => thrown)
    expect(String(error)).toContain(message)
    expect(String(error)).not.toContain('sk-admin-secret')
  })

  it('is not readable without an admin key', async () => {
    const { provider } = await start(() => ({ body: empty }), { adminKey: undefined })
    expect('fetchBill' in provider).toBe(false)
  })
})
