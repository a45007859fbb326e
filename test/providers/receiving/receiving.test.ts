// Replies that are no table of damages: texts of failures, images as bodies, and bodies that unfold.
import { setTimeout as pause } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { describe, expect, it, onTestFinished } from 'vitest'
import { basic } from '../../../src/providers/basic/basic.ts'
import { wordsOf } from '../../../src/providers/images-api/words.ts'
import { failureOf, openCall, requestOf, runRequest } from '../call.ts'
import { startBasicUpstream } from '../upstreams/basic.ts'
import type { CannedReply } from '../upstreams/fake.ts'
import { makeImage } from '../upstreams/make-image.ts'

async function open() {
  const upstream = await startBasicUpstream({ apiKey: 'key-of-the-test' })
  const options = basic.options.parse({ baseUrl: upstream.url, apiKey: 'key-of-the-test' })
  const provider = basic.create('cloud', options)
  onTestFinished(async () => {
    await provider.close()
    await upstream.close()
  })
  return { provider, upstream }
}

async function messageOf(reply: CannedReply): Promise<string> {
  const { provider, upstream } = await open()
  upstream.script(reply)
  const { call } = await openCall()
  return (await failureOf(provider.submit(requestOf(), call))).message
}

describe('the message of a failure has the words of the upstream', () => {
  const said = 'the fox is wrong'
  it.each<[where: string, body: unknown]>([
    ['error.message', { error: { message: said, code: 'invalid_value' } }],
    ['error', { error: said }],
    ['detail', { detail: said }],
    [
      'a list of details, as of FastAPI',
      { detail: [{ loc: ['body', 'size'], msg: said, type: 'value_error' }] },
    ],
    ['errors', { errors: [{ message: said }] }],
    ['message', { code: 40_001, message: said }],
    ['msg', { code: 40_001, msg: said }],
    ['error_description', { error: {}, error_description: said }],
    ['title, as in RFC 9457', { type: 'about:blank', title: said, status: 400 }],
    ['a fault', { fault: { faultstring: said } }],
    ['an unknown field', { status: 400, info: { because: { message: said } } }],
    ['JSON without a known field', { because: said }],
    ['a list', [said]],
    ['JSON that is a text', JSON.stringify(said)],
    ['plain text', said],
    ['plain text that begins as a stream does', `error: ${said}`],
    ['the title of a web page', `<!doctype html><title>${said}</title><body>nginx 1.27</body>`],
    ['a web page without a title', `<html><h1>${said}</h1></html>`],
    ['text after a byte order mark', `\uFEFF{"detail":"${said}"}`],
  ])('in %s', async (_where, body) => {
    const message = await messageOf({ status: 422, body })
    expect(message).toContain(said)
    expect(message).toContain('status 422')
    expect(message).not.toMatch(/<\w|nginx/)
  })

  it('without secrets, and cut', async () => {
    const message = await messageOf({ status: 422, body: { detail: `key-of-the-test ${'x'.repeat(5000)}` } })
    expect(message).toContain('[redacted]')
    expect(message.length).toBeLessThan(700)
  })

  it('and none where there are none', () => {
    for (const json of [null, 7, true, {}, [], '', { error: {} }.error])
      expect(wordsOf(json, '', true)).toBe('')
    expect(wordsOf(undefined, '', true)).toBe('')
    expect(wordsOf({ code: 200, message: 'success', data: { status: 'failed' } }, '', false)).toBe('')
  })
})

it('a body that is an image is the result', async () => {
  const { provider, upstream } = await open()
  for (const format of ['png', 'jpeg', 'webp']) {
    const bytes = await makeImage({ output_format: format }, 1, '16x16')
    upstream.script({ status: 200, headers: { 'content-type': `image/${format}` }, body: bytes })
    expect((await runRequest(provider)).imageBytes).toEqual([bytes])
  }
})

it('three replies of 1 MB that unpack to a gigabyte of white space do not take memory', async () => {
  // Members of gzip may follow each other.
  const member = gzipSync(Buffer.alloc(16 * 1024 * 1024, ' '))
  const bomb = Buffer.concat(Array.from({ length: 64 }, () => member))
  expect(bomb.length).toBeGreaterThan(1_000_000)
  const { provider, upstream } = await open()
  const headers = { 'content-encoding': 'gzip', 'content-type': 'application/json' }
  upstream.script(
    { status: 200, headers, body: bomb },
    { status: 400, headers, body: bomb },
    { status: 200, headers, body: Buffer.concat([gzipSync('data:'), bomb]) },
  )
  const before = process.memoryUsage().rss
  let peak = before
  const done = new AbortController()
  const watching = (async () => {
    while (!done.signal.aborted) {
      peak = Math.max(peak, process.memoryUsage().rss)
      await pause(5)
    }
  })()
  const { call } = await openCall()
  const failures = await Promise.all([1, 2, 3].map(() => failureOf(provider.submit(requestOf(), call))))
  done.abort()
  await watching
  expect(failures.map(({ charged }) => charged).toSorted()).toEqual(['NO', 'UNKNOWN', 'UNKNOWN'])
  expect((peak - before) / 1e6).toBeLessThan(150)
})

it('a finished image of a stream does not wait for partial images that are still being recorded', async () => {
  const { provider, upstream } = await open()
  const b64_json = (await makeImage({}, 1, '16x16')).toString('base64')
  const events = ['partial_image', 'completed'].map((name) => {
    const type = `image_generation.${name}`
    return `event: ${type}\ndata: ${JSON.stringify({ type, b64_json })}\n\n`
  })
  const headers = { 'content-type': 'text/event-stream' }
  upstream.script({ status: 200, headers, body: events.join('') })
  const { call } = await openCall()
  const stalled = { ...call, onPartial: () => new Promise<void>(() => {}) }
  expect(await provider.submit(requestOf(), stalled)).toMatchObject({
    state: 'DONE',
    images: [{ file: expect.any(String) }],
  })
})

describe('images of a reply', () => {
  const picture = { b64_json: 'AAAA' }
  it.each<[says: string, body: unknown, count: number]>([
    ['the request that it repeats', { request: { input: [picture] }, input: picture, data: [picture] }, 1],
    ['partial ones', { partial_images: [picture, picture], preview: picture, data: [picture] }, 1],
    [
      'an address that is listed twice',
      { data: [{ url: '/images/0' }], images: ['/images/0', '/images/0'] },
      1,
    ],
    ['links to something else', { links: { url: '/images/0' }, url: '/images/0', data: [picture] }, 1],
    ['nothing', { output: [picture], result: { images: [picture] } }, 2],
  ])('do not include %s', async (_says, body, count) => {
    const { provider, upstream } = await open()
    upstream.imageBytes.push(await makeImage({}, 1, '16x16'))
    upstream.script({ status: 200, body })
    const { call } = await openCall()
    const result = await provider.submit(requestOf(), call)
    expect(result.state === 'DONE' && result.images.length).toBe(count)
  })

  it('leave an address outside of a result alone', async () => {
    const message = await messageOf({ status: 200, body: { url: '/images/0', links: { url: '/images/0' } } })
    expect(message).toContain('has no image')
  })
})
