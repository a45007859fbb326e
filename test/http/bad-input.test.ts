// What a client may get wrong, and what it is told. None of it may reach a provider or leave anything behind.
import { deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Result } from '../support/client.ts'
import { openGateway, type TestGateway } from '../support/gateway.ts'
import { startOpenaiUpstream, type OpenaiUpstream } from '../providers/upstreams/openai.ts'
import { pngChunk } from '../assets/pictures.ts'

const picture = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 4, background: 'teal' } })
    .png()
    .toBuffer()
const asDataUrl = (bytes: Buffer, type = 'png') => `data:image/${type};base64,${bytes.toString('base64')}`

const PNG = await picture(64, 64)
const IMAGE = { dataUrl: asDataUrl(PNG) }
const SMALLER = { dataUrl: asDataUrl(await picture(32, 32)) }
const SVG = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
const WRONG_SUM = Buffer.concat([
  PNG.subarray(0, 33),
  pngChunk('IDAT', deflateSync(Buffer.alloc(8))),
  PNG.subarray(-12),
])

interface Row {
  wrong: string
  input: Record<string, unknown>
  code: string
  field: string
  /** Words that the sentence must have. */
  says: RegExp
}

const bad = (
  wrong: string,
  input: Record<string, unknown>,
  field: string,
  says: RegExp,
  code = 'BAD_USER_INPUT',
): Row => ({
  wrong,
  input,
  field,
  says,
  code,
})

const TEXTS = [
  bad('an empty prompt', { prompt: '' }, 'prompt', /empty/),
  bad('a prompt of spaces and line breaks', { prompt: ' \n\t ' }, 'prompt', /empty/),
  bad('a prompt of null', { prompt: null }, 'prompt', /null/),
  bad('a prompt of 32001 characters', { prompt: 'x'.repeat(32_001) }, 'prompt', /32,001 characters.*32,000/),
  bad('a prompt of 30 MB', { prompt: 'x'.repeat(30_000_000) }, 'prompt', /30,000,000 characters.*32,000/),
  bad('a prompt with half of a surrogate pair', { prompt: 'a \ud800 fox' }, 'prompt', /surrogate/),
  bad('a prompt with a NUL', { prompt: 'a\0fox' }, 'prompt', /NUL/),
  bad('an unknown model', { model: 'gpt-image-99' }, 'model', /"gpt-image-99".*gpt-image-2/, 'MODEL_UNKNOWN'),
  bad('an unknown provider', { providers: ['nobody'] }, 'providers.0', /"nobody".*paid/, 'PROVIDER_UNKNOWN'),
  bad('an empty list of providers', { providers: [] }, 'providers', /empty/),
  bad('an unknown enum value', { quality: 'ULTRA' }, 'quality', /"ULTRA".*"Quality"/),
  bad('an unknown input field', { colour: 'red' }, 'input', /unknown field "colour"/),
  bad('an empty user', { user: '' }, 'user', /1 to 256/),
  bad('a user of 257 characters', { user: 'u'.repeat(257) }, 'user', /257.*1 to 256/),
  bad(
    '17 labels',
    { metadata: Array.from({ length: 17 }, (_, i) => ({ key: `k${i}`, value: '' })) },
    'metadata',
    /17.*16/,
  ),
  bad(
    'a label with a space in its key',
    { metadata: [{ key: 'a b', value: '' }] },
    'metadata.0.key',
    /letters, digits/,
  ),
  bad(
    'the same label twice',
    { metadata: [1, 2].map(() => ({ key: 'k', value: '' })) },
    'metadata.1.key',
    /twice/,
  ),
  bad(
    'a label of 501 characters',
    { metadata: [{ key: 'k', value: 'x'.repeat(501) }] },
    'metadata.0.value',
    /501.*500/,
  ),
  bad('a label without a value', { metadata: [{ key: 'k' }] }, 'metadata.0', /"value"/),
  bad('an empty idempotency key', { idempotencyKey: '' }, 'idempotencyKey', /1 to 255/),
  bad(
    'an idempotency key of 256 characters',
    { idempotencyKey: 'k'.repeat(256) },
    'idempotencyKey',
    /1 to 255/,
  ),
]

const NUMBERS = [
  bad('a size of 1x1', { size: '1x1' }, 'size', /1x1.*655,360/),
  bad('a size of 99999x99999', { size: '99999x99999' }, 'size', /99999x99999.*3840/),
  bad('a size with a capital X', { size: '1024X1024' }, 'size', /WIDTHxHEIGHT.*1024X1024/),
  bad('a size that is no multiple of 16', { size: '1000x1000' }, 'size', /1000x1000.*multiples of 16/),
  bad('no images at all', { n: 0 }, 'n', /0; 1 to 10/),
  bad('less than no images', { n: -1 }, 'n', /-1; 1 to 10/),
  bad('11 images', { n: 11 }, 'n', /11; 1 to 10/),
  bad('one and a half images', { n: 1.5 }, 'n', /1\.5/),
  bad('more images than 32 bits can count', { n: 2_147_483_648 }, 'n', /2147483648/),
  bad('4 partial images', { partialImages: 4 }, 'partialImages', /4; 0 to 3/),
  bad('6 charges', { maxCharges: 6 }, 'maxCharges', /6; 1 to 5/),
  bad('compression of a PNG', { outputCompression: 50 }, 'outputCompression', /PNG.*JPEG or WEBP/),
  bad(
    'compression of 101',
    { outputFormat: 'JPEG', outputCompression: 101 },
    'outputCompression',
    /101; 0 to 100/,
  ),
  bad(
    'compression of -1',
    { outputFormat: 'WEBP', outputCompression: -1 },
    'outputCompression',
    /-1; 0 to 100/,
  ),
  bad(
    'a transparent JPEG',
    { background: 'TRANSPARENT', outputFormat: 'JPEG' },
    'background',
    /JPEG.*PNG or WEBP/,
  ),
  bad(
    'a style, where that must not be ignored',
    { style: 'VIVID', unsupported: 'ERROR' },
    'style',
    /style/,
    'CAPABILITY_MISSING',
  ),
]

const image = (wrong: string, given: Record<string, unknown>, says: RegExp, field = 'images.0') =>
  bad(wrong, { images: [given] }, field, says)

const IMAGES = [
  bad('a mask without an image', { mask: IMAGE }, 'mask', /needs an image/),
  bad('a mask of another size', { images: [IMAGE], mask: SMALLER }, 'mask', /32x32.*64x64/),
  bad('17 images', { images: Array.from({ length: 17 }, () => IMAGE) }, 'images', /17.*16/),
  image('an image in no way', {}, /exactly one/),
  image('an image in two ways', { ...IMAGE, url: 'https://example.com/cat.png' }, /exactly one/),
  image('an image of null', { url: null }, /exactly one.*non-null/, 'images.0.url'),
  image('a data URL of text', { dataUrl: 'data:text/plain;base64,aGVsbG8=' }, /data:image\/png/),
  image('a data URL that is not base64', { dataUrl: 'data:image/png;base64,###' }, /not base64/),
  image('a data URL of nothing', { dataUrl: 'data:image/png;base64,' }, /PNG, JPEG or WebP/),
  image('an SVG', { dataUrl: asDataUrl(SVG, 'svg+xml') }, /data:image\/png/),
  image('an SVG that says it is a PNG', { dataUrl: asDataUrl(SVG) }, /PNG, JPEG or WebP|SVG/),
  image(
    'a PNG cut short',
    { dataUrl: asDataUrl(PNG.subarray(0, PNG.length - 40)) },
    /PNG.*(cut|damaged|corrupt|decode)/i,
  ),
  image(
    'a PNG whose pixels are missing',
    { dataUrl: asDataUrl(WRONG_SUM) },
    /PNG.*(cut|damaged|corrupt|decode)/i,
  ),
  image(
    'the id of an image that is not there',
    { imageId: 'img_01K00000000000000000000000' },
    /no image "img_01K/,
  ),
  image('text where a file belongs', { upload: 'cat.png' }, /multipart/, 'images.0.upload'),
  image('an address that is none', { url: 'cat.png' }, /absolute address/, 'images.0.url'),
  image('an address without TLS', { url: 'http://example.com/cat.png' }, /https:/),
  image('an address with a password', { url: 'https://me:secret@example.com/' }, /user name or password/),
  image('an address at another port', { url: 'https://example.com:6379/' }, /port 6379/),
  ...[
    '127.0.0.1',
    '0x7f.1',
    '2130706433',
    '[::1]',
    '[::ffff:7f00:1]',
    'localhost',
    '169.254.169.254',
    '10.0.0.1',
  ].map((host) => image(`an address at ${host}`, { url: `https://${host}/` }, /public host/)),
]

const GENERATE = 'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { id } }'

describe('a request with', () => {
  let server: TestGateway
  let upstream: OpenaiUpstream
  beforeAll(async () => {
    upstream = await startOpenaiUpstream()
    const provider = { name: 'paid', dialect: 'openai', baseUrl: upstream.url, apiKey: 'sk-test-key' }
    server = await openGateway({ providers: [provider] })
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
    await upstream.close()
  })

  it.each([...TEXTS, ...NUMBERS, ...IMAGES])('$wrong is refused in words, and costs nothing', async (row) => {
    const response = await post(server, { prompt: 'a red fox', ...row.input })
    const text = await response.text()
    const { errors }: Result<unknown> = JSON.parse(text)
    expect(errors?.[0]).toMatchObject({
      message: expect.stringMatching(row.says),
      extensions: { code: row.code, field: row.field },
    })
    expect(response.status).toBeLessThan(500)
    expect(text.length, 'the answer does not repeat what came').toBeLessThan(2000)
    await expectNothingLeft(server, upstream)
  })

  it('a wrong literal is refused as a wrong variable is', async () => {
    const { errors } = await server.ask(
      'mutation { generateImage(input: { prompt: "x", size: "1024X1024" }) { id } }',
    )
    expect(errors).toMatchObject([
      {
        message: expect.stringMatching(/^A size is auto, or WIDTHxHEIGHT/),
        extensions: { code: 'BAD_USER_INPUT' },
      },
    ])
    await expectNothingLeft(server, upstream)
  })

  it('a million wrong values is answered with ten errors', async () => {
    const { errors } = await server.ask(GENERATE, {
      input: { prompt: 'x', providers: Array.from({ length: 1_000_000 }, () => 1) },
    })
    expect(errors).toHaveLength(10)
    await expectNothingLeft(server, upstream)
  })

  it('more than 64 MB is refused with 413', async () => {
    const response = await post(server, { prompt: 'x'.repeat(68_000_000) })
    expect(response.status).toBe(413)
    await expectNothingLeft(server, upstream)
  })
})

function post(server: TestGateway, input: object): Promise<Response> {
  return fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: GENERATE, variables: { input } }),
  })
}

/** No task, and so no attempt and no event: both hang on one. The feed's place counts every event ever written. */
async function expectNothingLeft(server: TestGateway, upstream: OpenaiUpstream): Promise<void> {
  const { tasks, providers } = await server.get<{
    tasks: { nodes: unknown[]; feedCursor: string }
    providers: { queued: number; running: number }[]
  }>('{ tasks { nodes { id } feedCursor } providers { queued running } }')
  expect(tasks.nodes).toEqual([])
  expect(Buffer.from(tasks.feedCursor, 'base64url').toString()).toMatch(/:0$/)
  expect(providers).toEqual([{ queued: 0, running: 0 }])
  expect(upstream.requests).toEqual([])
  expect(upstream.charges.size).toBe(0)
}
