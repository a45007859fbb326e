// Invalid input must not reach a provider or leave anything behind.
import { deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Result } from '../support/client.ts'
import type { TestGateway } from '../support/gateway.ts'
import { pngChunk } from '../assets/images.ts'
import { expectNothingLeft, openPaidServer, unknownCodes, type PaidServer } from './paid-server.ts'

const createPng = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 4, background: 'teal' } })
    .png()
    .toBuffer()
const asDataUrl = (bytes: Buffer, type = 'png') => `data:image/${type};base64,${bytes.toString('base64')}`

const PNG = await createPng(64, 64)
const IMAGE = { dataUrl: asDataUrl(PNG) }
const SMALLER = { dataUrl: asDataUrl(await createPng(32, 32)) }
const SVG = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
const WRONG_SUM = Buffer.concat([
  PNG.subarray(0, 33),
  pngChunk('IDAT', deflateSync(Buffer.alloc(8))),
  PNG.subarray(-12),
])

interface Row {
  row: string
  wrong: string
  input: Record<string, unknown>
  code: string
  field: string
  /** Must match the message. */
  says: RegExp
}

const bad = (
  row: string,
  wrong: string,
  input: Record<string, unknown>,
  field: string,
  says: RegExp,
  code = 'BAD_USER_INPUT',
): Row => ({
  row,
  wrong,
  input,
  field,
  says,
  code,
})

const TEXTS = [
  bad('B30', 'an empty prompt', { prompt: '' }, 'prompt', /empty/),
  bad('B30', 'a prompt of spaces and line breaks', { prompt: ' \n\t ' }, 'prompt', /empty/),
  bad('B30', 'a prompt of null', { prompt: null }, 'prompt', /null/),
  bad(
    'B31',
    'a prompt of 32001 characters',
    { prompt: 'x'.repeat(32_001) },
    'prompt',
    /32,001 characters.*32,000/,
  ),
  bad(
    'B31',
    'a prompt of 30 MB',
    { prompt: 'x'.repeat(30_000_000) },
    'prompt',
    /30,000,000 characters.*32,000/,
  ),
  bad('B32', 'a prompt with a lone surrogate', { prompt: 'a \ud800 fox' }, 'prompt', /surrogate/),
  bad('B32', 'a prompt with a NUL', { prompt: 'a\0fox' }, 'prompt', /NUL/),
  bad(
    'B41',
    'an unknown model',
    { model: 'gpt-image-99' },
    'model',
    /"gpt-image-99".*gpt-image-2/,
    'MODEL_UNKNOWN',
  ),
  bad(
    'B41',
    'an unknown provider',
    { providers: ['unknown'] },
    'providers.0',
    /"unknown".*paid/,
    'PROVIDER_UNKNOWN',
  ),
  bad('B41', 'an empty list of providers', { providers: [] }, 'providers', /empty/),
  bad('B35', 'an unknown enum value', { quality: 'ULTRA' }, 'quality', /"ULTRA".*"Quality"/),
  bad('B36', 'an unknown input field', { colour: 'red' }, 'input', /unknown field "colour"/),
  bad('B30', 'an empty user', { user: '' }, 'user', /1 to 256/),
  bad('B30', 'a user of 257 characters', { user: 'u'.repeat(257) }, 'user', /257.*1 to 256/),
  bad(
    'B30',
    '17 labels',
    { metadata: Array.from({ length: 17 }, (_, i) => ({ key: `k${i}`, value: '' })) },
    'metadata',
    /17.*16/,
  ),
  bad(
    'B30',
    'a label with a space in its key',
    { metadata: [{ key: 'a b', value: '' }] },
    'metadata.0.key',
    /letters, digits/,
  ),
  bad(
    'B30',
    'the same label twice',
    { metadata: [1, 2].map(() => ({ key: 'k', value: '' })) },
    'metadata.1.key',
    /twice/,
  ),
  bad(
    'B30',
    'a label of 501 characters',
    { metadata: [{ key: 'k', value: 'x'.repeat(501) }] },
    'metadata.0.value',
    /501.*500/,
  ),
  bad('B30', 'a label without a value', { metadata: [{ key: 'k' }] }, 'metadata.0', /"value"/),
  bad('B42', 'an empty idempotency key', { idempotencyKey: '' }, 'idempotencyKey', /1 to 255/),
  bad(
    'B42',
    'an idempotency key of 256 characters',
    { idempotencyKey: 'k'.repeat(256) },
    'idempotencyKey',
    /1 to 255/,
  ),
]

const NUMBERS = [
  bad('B34', 'a size of 1x1', { size: '1x1' }, 'size', /1x1.*655,360/),
  bad('B34', 'a size of 99999x99999', { size: '99999x99999' }, 'size', /99999x99999.*3840/),
  bad(
    'B34',
    'a size with a capital X',
    { size: '1024X1024' },
    'size',
    /"1024X1024" is not a size.*WIDTHxHEIGHT/,
  ),
  bad('B34', 'a size that is no multiple of 16', { size: '1000x1000' }, 'size', /1000x1000.*multiples of 16/),
  bad('B33', 'n of 0', { n: 0 }, 'n', /0; .* 1 to 10/),
  bad('B33', 'n of -1', { n: -1 }, 'n', /-1; .* 1 to 10/),
  bad('B33', '11 images', { n: 11 }, 'n', /11; .* 1 to 10/),
  bad('B33', 'n of 1.5', { n: 1.5 }, 'n', /1\.5/),
  bad('B33', 'n of more than 32 bits', { n: 2_147_483_648 }, 'n', /2147483648/),
  bad('B39', '4 partial images', { partialImages: 4 }, 'partialImages', /4; .* 0 to 3/),
  bad('B45', '6 charges', { maxCharges: 6 }, 'maxCharges', /6; .* 1 to 5/),
  bad('B38', 'compression of a PNG', { outputCompression: 50 }, 'outputCompression', /PNG.*JPEG or WEBP/),
  bad(
    'B38',
    'compression of 101',
    { outputFormat: 'JPEG', outputCompression: 101 },
    'outputCompression',
    /101; .* 0 to 100/,
  ),
  bad(
    'B38',
    'compression of -1',
    { outputFormat: 'WEBP', outputCompression: -1 },
    'outputCompression',
    /-1; .* 0 to 100/,
  ),
  bad(
    'B37',
    'a transparent JPEG',
    { background: 'TRANSPARENT', outputFormat: 'JPEG' },
    'background',
    /JPEG.*PNG or WEBP/,
  ),
  bad(
    'B39',
    'a style with unsupported ERROR',
    { style: 'VIVID', unsupported: 'ERROR' },
    'style',
    /style/,
    'CAPABILITY_MISSING',
  ),
]

const image = (
  row: string,
  wrong: string,
  given: Record<string, unknown>,
  says: RegExp,
  field = 'images.0',
) => bad(row, wrong, { images: [given] }, field, says)

const IMAGES = [
  bad('B40', 'a mask without an image', { mask: IMAGE }, 'mask', /needs an image/),
  bad(
    'B68',
    'a mask that is opaque everywhere',
    { images: [IMAGE], mask: IMAGE },
    'mask',
    /opaque everywhere/,
  ),
  bad('B70', 'a mask of another size', { images: [IMAGE], mask: SMALLER }, 'mask', /32x32.*64x64/),
  bad('B59', '17 images', { images: Array.from({ length: 17 }, () => IMAGE) }, 'images', /17.*16/),
  image('B36', 'an image without a source', {}, /exactly one/),
  image('B36', 'an image with two sources', { ...IMAGE, url: 'https://example.com/cat.png' }, /exactly one/),
  image('B36', 'an image of null', { url: null }, /exactly one.*non-null/, 'images.0.url'),
  image('B50', 'a data URL of text', { dataUrl: 'data:text/plain;base64,aGVsbG8=' }, /data:image\/png/),
  image('B50', 'a data URL that is not base64', { dataUrl: 'data:image/png;base64,###' }, /not base64/),
  image('B67', 'an empty data URL', { dataUrl: 'data:image/png;base64,' }, /PNG, JPEG or WebP/),
  image('B63', 'an SVG', { dataUrl: asDataUrl(SVG, 'svg+xml') }, /data:image\/png/),
  image('B63', 'an SVG declared as PNG', { dataUrl: asDataUrl(SVG) }, /PNG, JPEG or WebP|SVG/),
  image(
    'B65',
    'a PNG cut short',
    { dataUrl: asDataUrl(PNG.subarray(0, PNG.length - 40)) },
    /PNG.*(cut|damaged|corrupt|decode)/i,
  ),
  image(
    'B65',
    'a PNG without pixel data',
    { dataUrl: asDataUrl(WRONG_SUM) },
    /PNG.*(cut|damaged|corrupt|decode)/i,
  ),
  image('B47', 'an unknown image id', { imageId: 'img_01K00000000000000000000000' }, /no image "img_01K/),
  image('B58', 'text instead of a file', { upload: 'cat.png' }, /multipart/, 'images.0.upload'),
  image('B113', 'a relative URL', { url: 'cat.png' }, /absolute URL/, 'images.0.url'),
  image('B113', 'an http URL', { url: 'http://example.com/cat.png' }, /https:/),
  image('B114', 'a URL with a password', { url: 'https://me:secret@example.com/' }, /user name or password/),
  image('B115', 'a URL with another port', { url: 'https://example.com:6379/' }, /port 6379/),
  ...['ftp', 'file', 'javascript', 'data'].map((scheme) =>
    image('B113', `a URL of the scheme ${scheme}`, { url: `${scheme}://example.com/cat.png` }, /https:/),
  ),
  ...[
    '127.0.0.1',
    '0x7f.1',
    '2130706433',
    '[::1]',
    '[::ffff:7f00:1]',
    '0177.0.0.1',
    '①②⑦.⓪.⓪.①',
    '0.0.0.0',
    'localhost',
    '169.254.169.254',
    '[fd00:ec2::254]',
    '100.64.0.1',
    '[64:ff9b::7f00:1]',
    '168.63.129.16',
    '[::7f00:1]',
    '10.0.0.1',
  ].map((host) => image('B109', `a URL at ${host}`, { url: `https://${host}/` }, /public host/)),
]

const GENERATE = 'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { task { id } } }'

describe('a request with', () => {
  let paid: PaidServer
  beforeAll(async () => {
    paid = await openPaidServer()
  })
  afterAll(() => paid[Symbol.asyncDispose]())

  it.each([...TEXTS, ...NUMBERS, ...IMAGES])(
    '$wrong is refused with a message and costs nothing',
    async (row) => {
      const response = await post(paid.server, { prompt: 'a red fox', ...row.input })
      const text = await response.text()
      const { errors }: Result<unknown> = JSON.parse(text)
      expect(errors?.[0]).toMatchObject({
        message: expect.stringMatching(row.says),
        extensions: { code: row.code, field: row.field },
      })
      expect(response.status).toBeLessThan(500)
      expect(text.length, 'the response does not repeat the request').toBeLessThan(2000)
      expect(unknownCodes(text)).toEqual([])
      await expectNothingLeft(paid)
    },
  )

  it('an invalid literal is refused like an invalid variable', async () => {
    const { errors } = await paid.server.execute(
      'mutation { generateImage(input: { prompt: "x", size: "1024X1024" }) { task { id } } }',
    )
    expect(errors).toMatchObject([
      {
        message: expect.stringMatching(/^"1024X1024" is not a size\. Write auto/),
        extensions: { code: 'BAD_USER_INPUT' },
      },
    ])
    await expectNothingLeft(paid)
  })

  it('a million invalid values gets ten errors', async () => {
    const { errors } = await paid.server.execute(GENERATE, {
      input: { prompt: 'x', providers: Array.from({ length: 1_000_000 }, () => 1) },
    })
    expect(errors).toHaveLength(10)
    await expectNothingLeft(paid)
  })

  it('more than 32 MB is refused with 413', async () => {
    const response = await post(paid.server, { prompt: 'x'.repeat(34_000_000) })
    expect(response.status).toBe(413)
    await expectNothingLeft(paid)
  })

  it('an Idempotency-Key header that differs from the argument is refused', async () => {
    const input = { prompt: 'x', idempotencyKey: 'one' }
    const response = await post(paid.server, input, { 'idempotency-key': 'two' })
    const { errors }: Result<unknown> = JSON.parse(await response.text())
    expect(errors).toMatchObject([
      {
        message: expect.stringMatching(/Idempotency-Key and input\.idempotencyKey differ/),
        extensions: { code: 'BAD_USER_INPUT', field: 'idempotencyKey' },
      },
    ])
    await expectNothingLeft(paid)
  })

  it.each(['%%%', 'task_01K00000000000000000000000', 'img_x', 'nonsense_01K00000000000000000000000', ''])(
    'the unknown id "%s" returns null',
    async (id) => {
      const query = 'query ($id: ID!) { node(id: $id) { id } nodes(ids: [$id]) { id } task(id: $id) { id } }'
      expect(await paid.server.execute(query, { id })).toEqual({
        data: { node: null, nodes: [null], task: null },
      })
    },
  )

  it.each([
    {
      row: 'B33',
      wrong: 'a page of no tasks',
      query: '{ tasks(first: 0) { nodes { id } } }',
      says: /^first is 0; the minimum is 1/,
    },
    {
      row: 'B33',
      wrong: 'a page of 101 tasks',
      query: '{ tasks(first: 101) { nodes { id } } }',
      says: /^first is 101; the maximum is 100/,
    },
    {
      row: 'B33',
      wrong: 'a page of 2147483647 tasks',
      query: '{ tasks(first: 2147483647) { nodes { id } } }',
      says: /^first is 2147483647/,
    },
    {
      row: 'B47',
      wrong: 'a cursor of another list',
      query: '{ tasks(after: "x") { nodes { id } } }',
      says: /^after is not a cursor of this list/,
    },
    {
      row: 'B49',
      wrong: 'canceling an unknown task',
      query: 'mutation { cancelTask(input: { id: "task_x" }) { task { id } } }',
      says: /task_x/,
    },
    {
      row: 'B49',
      wrong: 'retrying an unknown task',
      query: 'mutation { retryTask(input: { id: "task_x" }) { task { id } } }',
      says: /task_x/,
    },
  ])('$wrong is refused with a message', async ({ query, says }) => {
    const { errors, ...rest } = await paid.server.execute(query)
    expect(errors).toMatchObject([{ message: expect.stringMatching(says) }])
    expect(unknownCodes(JSON.stringify({ errors, rest }))).toEqual([])
    await expectNothingLeft(paid)
  })
})

function post(server: TestGateway, input: object, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query: GENERATE, variables: { input } }),
  })
}
