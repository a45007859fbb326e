// The asynchronous form, and its stream of events.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openRestServer, post, type RestServer } from './rest-server.ts'

let rest: RestServer
let url: string
beforeAll(async () => {
  rest = await openRestServer({
    providers: [{ name: 'sandbox', dialect: 'sandbox', durationMs: 0 }],
    rest: { hangupGraceMs: 0 },
  })
  url = rest.url
})
afterAll(() => rest[Symbol.asyncDispose]())

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(path.startsWith('http') ? path : `${url}${path}`, {
    headers: { authorization: 'Bearer test', ...headers },
  })

describe('a request for a task', () => {
  it('gets its id at once, and the synchronous body as its result', async () => {
    const body = { prompt: 'a fox [sandbox:duration=200]' }
    const accepted = await post(url, body, { headers: { prefer: 'respond-async' } })
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
  })

  it('has the path /async as well', async () => {
    const accepted = await post(url, { prompt: 'async' }, { path: '/v1/images/generations/async' })
    expect(accepted.status).toBe(202)
    await accepted.arrayBuffer()
  })

  it('returns its error in the form of the synchronous response', async () => {
    const accepted = await post(
      url,
      { prompt: 'x [sandbox:moderation]', user: 'a' },
      { headers: { prefer: 'respond-async' } },
    )
    const { poll_url: pollUrl } = await accepted.json()
    const poll = async () => (await get(pollUrl)).json()
    await expect.poll(async () => (await poll()).status).toBe('failed')
    expect(await poll()).toMatchObject({
      http_status: 400,
      error: { code: 'moderation_blocked', type: expect.any(String) },
    })
  })
})

describe('the events of a task', () => {
  it('resume after a number without a gap or a repetition', async () => {
    const accepted = await post(
      url,
      { prompt: 'events [sandbox:duration=300]', stream: true, partial_images: 2 },
      { headers: { prefer: 'respond-async' } },
    )
    const { id } = await accepted.json()
    const all = idsIn(await (await get(`/v1/images/tasks/${id}/events`)).text())
    expect(all.types.filter((type) => type === 'image_generation.partial_image')).toHaveLength(2)
    expect(all.types.at(-1)).toBe('image_generation.completed')
    const middle = all.ids[2]!
    const after = idsIn(await (await get(`/v1/images/tasks/${id}/events?after=${middle}`)).text())
    expect(after.ids).toEqual(all.ids.slice(3))
    const resumed = await get(`/v1/images/tasks/${id}/events`, { 'last-event-id': String(middle) })
    expect(idsIn(await resumed.text())).toEqual(after)
    expect((await get(`/v1/images/tasks/${id}/events?after=999`)).status).toBe(400)
  })
})

describe('canceling a task', () => {
  it('costs nothing while it is queued', async () => {
    await rest.server.get('mutation { pauseProvider(input: { name: "sandbox" }) { provider { name } } }')
    const accepted = await post(url, { prompt: 'never' }, { headers: { prefer: 'respond-async' } })
    const { id } = await accepted.json()
    const canceled = await post(url, {}, { path: `/v1/images/tasks/${id}/cancel` })
    expect(await canceled.json()).toMatchObject({
      status: 'failed',
      charged: 'no',
      error: { code: 'task_canceled' },
    })
    await rest.server.get('mutation { resumeProvider(input: { name: "sandbox" }) { provider { name } } }')
  })
})

function idsIn(stream: string): { ids: number[]; types: string[] } {
  return {
    ids: [...stream.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id)),
    types: [...stream.matchAll(/^event: (\S+)$/gm)].map(([, type = '']) => type),
  }
}
