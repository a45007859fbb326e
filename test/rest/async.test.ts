// The asynchronous form, and its stream of events.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openRestServer, post, type RestServer } from './rest-server.ts'

let paid: RestServer
let sandbox: RestServer
let url: string
beforeAll(async () => {
  const providers = [{ name: 'sandbox', dialect: 'sandbox', durationMs: 0 }]
  ;[paid, sandbox] = await Promise.all([
    openRestServer({ rest: { hangupGraceMs: 0 } }),
    openRestServer({ providers, rest: { hangupGraceMs: 0 } }),
  ])
  url = paid.url
})
afterAll(() => Promise.all([paid[Symbol.asyncDispose](), sandbox[Symbol.asyncDispose]()]))

const ONE = { pays: 1, tasks: 1 }
const ASYNC = { headers: { prefer: 'respond-async' } }
const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(path.startsWith('http') ? path : `${url}${path}`, {
    headers: { authorization: 'Bearer test', ...headers },
  })

describe('a request for a task', () => {
  it('gets its id at once, and the synchronous body as its result', async () => {
    const body = { prompt: 'a fox' }
    const accepted = await post(url, body, ASYNC)
    expect(accepted.status).toBe(202)
    expect(accepted.headers.get('preference-applied')).toBe('respond-async')
    const { id, status, poll_url: pollUrl } = await accepted.json()
    expect([status, accepted.headers.get('location')]).toEqual(['processing', pollUrl])
    const poll = async () => (await get(pollUrl)).json()
    await expect.poll(async () => (await poll()).status).toBe('completed')
    const { result, http_status: httpStatus, charged } = await poll()
    expect([httpStatus, charged]).toEqual([200, 'yes'])
    const keyed = await post(url, body, { headers: { 'x-stainless-retry-count': '1' } })
    expect(keyed.headers.get('darkroom-task-id')).toBe(id)
    expect(await keyed.json()).toEqual(result)
    expect(paid.added()).toMatchObject(ONE)
    await expect.poll(() => paid.records().calls).toEqual({ ATTACHED: 1, DELIVERED: 1 })
  })

  it('has the path /async as well', async () => {
    const accepted = await post(url, { prompt: 'async' }, { path: '/v1/images/generations/async' })
    expect(accepted.status).toBe(202)
    const { poll_url: pollUrl } = await accepted.json()
    await expect.poll(async () => (await (await get(pollUrl)).json()).status).toBe('completed')
    expect(paid.added()).toMatchObject(ONE)
  })

  it('returns its error in the form of the synchronous response', async () => {
    const error = { message: 'Blocked.', type: 'image_generation_user_error', code: 'moderation_blocked' }
    paid.upstream.script({ status: 400, body: { error } })
    const accepted = await post(url, { prompt: 'x', user: 'a' }, ASYNC)
    const { poll_url: pollUrl } = await accepted.json()
    const poll = async () => (await get(pollUrl)).json()
    await expect.poll(async () => (await poll()).status).toBe('failed')
    expect(await poll()).toMatchObject({
      http_status: 400,
      error: { code: 'moderation_blocked', type: expect.any(String) },
    })
    expect(paid.added()).toMatchObject({ pays: 0, tasks: 1 })
  })
})

describe('the events of a task', () => {
  it('resume after a number without a gap or a repetition', async () => {
    const body = { prompt: 'events [sandbox:duration=300]', stream: true, partial_images: 2 }
    const accepted = await post(sandbox.url, body, ASYNC)
    const { id } = await accepted.json()
    const events = `${sandbox.url}/v1/images/tasks/${id}/events`
    const all = idsIn(await (await get(events)).text())
    expect(all.types.filter((type) => type === 'image_generation.partial_image')).toHaveLength(2)
    expect(all.types.at(-1)).toBe('image_generation.completed')
    const middle = all.ids[2]!
    const after = idsIn(await (await get(`${events}?after=${middle}`)).text())
    expect(after.ids).toEqual(all.ids.slice(3))
    const resumed = await get(events, { 'last-event-id': String(middle) })
    expect(idsIn(await resumed.text())).toEqual(after)
    expect((await get(`${events}?after=999`)).status).toBe(400)
    expect(sandbox.added()).toMatchObject({ tasks: 1 })
  })
})

describe('canceling a task', () => {
  it('costs nothing while it is queued', async () => {
    await paid.server.get('mutation { pauseProvider(input: { name: "paid" }) { provider { name } } }')
    const accepted = await post(url, { prompt: 'never' }, ASYNC)
    const { id } = await accepted.json()
    const canceled = await post(url, {}, { path: `/v1/images/tasks/${id}/cancel` })
    expect(await canceled.json()).toMatchObject({
      status: 'failed',
      charged: 'no',
      error: { code: 'task_canceled' },
    })
    await paid.server.get('mutation { resumeProvider(input: { name: "paid" }) { provider { name } } }')
    expect(paid.added()).toMatchObject({ pays: 0, tasks: 1 })
    expect(paid.upstream.requests.some(({ body }) => JSON.stringify(body).includes('never'))).toBe(false)
  })
})

function idsIn(stream: string): { ids: number[]; types: string[] } {
  return {
    ids: [...stream.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id)),
    types: [...stream.matchAll(/^event: (\S+)$/gm)].map(([, type = '']) => type),
  }
}
