// Input images from the client through a real gateway to each upstream with edits. They are identified by color, because
// their files may be rewritten.
import { createServer } from 'node:http'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { requestRule } from '../../src/providers/wire/address.ts'
import { openGateway, type TestGateway } from '../support/gateway.ts'
import { startFleet, type Fleet } from './fleet.ts'
import { formOf } from './upstreams/form.ts'
import { listen } from './upstreams/listen.ts'

/** Allows loopback addresses and every port. */
const LOOPBACK = { ...requestRule(['http:']), ports: null, isPublic: () => true }
const RED = '#ff0000'
const GREEN = '#00ff00'
const BLUE = '#0000ff'
const CLEAR = '#00000000'

const pngOf = (background: string, { channels = 4, size = 24 }: { channels?: 3 | 4; size?: number } = {}) =>
  sharp({ create: { width: size, height: 24, channels, background } })
    .png()
    .toBuffer()
const dataUrlOf = (png: Buffer) => `data:image/png;base64,${png.toString('base64')}`

let fleet: Fleet
let gateway: TestGateway
const server = createServer((_, reply) => {
  void pngOf(RED).then((png) => reply.writeHead(200, { 'content-type': 'image/png' }).end(png))
})
let redUrl: string

beforeAll(async () => {
  fleet = await startFleet()
  redUrl = `${await listen(server)}/red.png`
  const [, , , , acedata] = fleet.entries
  gateway = await openGateway({
    providers: [
      ...fleet.entries,
      { ...fleet.entries[3], name: 'jimmy-task', mode: 'async' },
      { ...acedata, name: 'acedata-sync', mode: 'sync' },
      { name: 'sandbox', dialect: 'sandbox', durationMs: 0 },
    ],
    inputRule: LOOPBACK,
    engine: { pollMs: 20 },
  })
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await fleet.close()
  server.close()
})

const EDITORS = ['openai', 'pmock', 'jimmy', 'jimmy-task', 'acedata', 'acedata-sync'] as const

type Editor = (typeof EDITORS)[number]

/** The upstream of a provider. */
function upstreamOf(name: Editor) {
  if (name === 'openai' || name === 'pmock') return fleet[name]
  return name.startsWith('jimmy') ? fleet.jimmy : fleet.acedata
}

/** Starts an edit with one part of a multipart request as `images.2`. */
async function edit(input: Record<string, unknown>, upload: Buffer): Promise<string> {
  const form = new FormData()
  const query = 'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { task { id } } }'
  form.set('operations', JSON.stringify({ query, variables: { input } }))
  form.set('map', JSON.stringify({ 0: ['variables.input.images.2.upload'] }))
  form.set('0', new File([new Uint8Array(upload)], 'green.png'))
  // A form on a web page cannot send it.
  const headers = { 'graphql-require-preflight': '1' }
  const response = await fetch(`${gateway.url}/graphql`, { method: 'POST', headers, body: form })
  const { data }: { data: { generateImage: { task: { id: string } } } } = await response.json()
  return data.generateImage.task.id
}

/** Generates an image. Returns its id and its color. */
async function earlierResult(): Promise<{ imageId: string; color: string }> {
  const id = await gateway.generate({ prompt: 'an earlier image', providers: ['openai'] })
  await gateway.ended(id)
  const { task } = await gateway.get<{ task: { images: { id: string; dataUrl: string }[] } }>(
    'query ($id: ID!) { task(id: $id) { images { id dataUrl } } }',
    { id },
  )
  const [image] = task.images
  return { imageId: image?.id ?? '', color: await colorOf(bytesOf(image?.dataUrl ?? '')) }
}

/** The colors of the last edit at an upstream: of its images in order, and of its mask. */
async function receivedColors(name: Editor): Promise<{ images: string[]; mask: string | undefined }> {
  const upstream = upstreamOf(name)
  const request = upstream.requests.findLast(({ body }) => body.length > 200)
  if (!request) throw new Error('The upstream received no edit')
  if ('files' in request) return colorsOf(request.files)
  if (request.headers['content-type']?.startsWith('multipart/'))
    return colorsOf((await formOf(request)).files)
  const { image, images = image, mask } = request.parameters
  const files = (Array.isArray(images) ? images : []).map((url) => ({
    field: 'image',
    bytes: bytesOf(String(url)),
  }))
  return colorsOf(typeof mask === 'string' ? [...files, { field: 'mask', bytes: bytesOf(mask) }] : files)
}

const isMask = ({ field }: { field: string }) => field === 'mask'

async function colorsOf(files: { field: string; bytes: Buffer }[]) {
  const images = files.filter((file) => !isMask(file)).map(({ bytes }) => colorOf(bytes))
  const mask = files.find(isMask)
  return { images: await Promise.all(images), mask: mask && (await colorOf(mask.bytes)) }
}

async function colorOf(bytes: Buffer): Promise<string> {
  const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true })
  const pixel = data.subarray(0, info.channels)
  return `#${(pixel[3] === 255 ? pixel.subarray(0, 3) : pixel).toString('hex')}`
}

function bytesOf(dataUrl: string): Buffer {
  return Buffer.from(dataUrl.slice(dataUrl.indexOf(',') + 1), 'base64')
}

describe.each(EDITORS)('input images for %s', (name) => {
  it('arrive in order with their mask, in every input form', async () => {
    const { imageId, color } = await earlierResult()
    const takesMask = name !== 'jimmy-task'
    const id = await edit(
      {
        prompt: 'put them together',
        providers: [name],
        images: [{ url: redUrl }, { dataUrl: dataUrlOf(await pngOf(BLUE)) }, { upload: null }, { imageId }],
        ...(takesMask && { mask: { dataUrl: dataUrlOf(await pngOf(CLEAR)) } }),
      },
      await pngOf(GREEN),
    )
    expect(await gateway.ended(id)).toEqual({ status: 'SUCCEEDED' })
    expect(await receivedColors(name)).toEqual({
      images: [RED, BLUE, GREEN, color],
      mask: takesMask ? CLEAR : undefined,
    })
  })

  it('arrive completely up to the maximum of 16', async () => {
    const colors = Array.from({ length: 16 }, (_, index) => `#0000${(15 * index + 16).toString(16)}`)
    const images = await Promise.all(
      colors.map(async (color) => ({ dataUrl: dataUrlOf(await pngOf(color)) })),
    )
    const id = await gateway.generate({ prompt: 'put them together', providers: [name], images })
    expect(await gateway.ended(id)).toEqual({ status: 'SUCCEEDED' })
    expect((await receivedColors(name)).images).toEqual(colors)
  })
})

const count = () => EDITORS.reduce((sum, name) => sum + upstreamOf(name).requests.length, 0)

describe('unusable input images are refused before anything is sent', () => {
  it.each<[what: string, field: string, says: RegExp, input: () => Promise<object>]>([
    [
      'a mask of another size',
      'mask',
      /mask is 32x24; it must have the size of the first image, 24x24/,
      async () => ({ mask: { dataUrl: dataUrlOf(await pngOf(CLEAR, { size: 32 })) } }),
    ],
    [
      'a mask without alpha',
      'mask',
      /no alpha channel.*PNG or WebP/,
      async () => ({ mask: { dataUrl: dataUrlOf(await pngOf(RED, { channels: 3 })) } }),
    ],
    [
      'an earlier result without alpha as a mask',
      'mask',
      /no alpha channel/,
      async () => ({ mask: { imageId: (await earlierOpaque()).imageId } }),
    ],
    [
      'a seventeenth image',
      'images',
      /images has 17 entries; the maximum is 16/,
      async () => ({ images: Array.from({ length: 17 }, () => ({ url: redUrl })) }),
    ],
  ])('%s, when the task is created', async (_, field, says, input) => {
    const wrong = await input()
    const before = count()
    const { data, errors } = await gateway.execute(
      'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { task { id } } }',
      { input: { prompt: 'x', images: [{ dataUrl: dataUrlOf(await pngOf(BLUE)) }], ...wrong } },
    )
    expect(data).toEqual({ generateImage: null })
    expect(errors).toMatchObject([
      { message: expect.stringMatching(says), extensions: { code: 'BAD_USER_INPUT', field } },
    ])
    expect(count()).toBe(before)
  })

  it.each(EDITORS.filter((name) => name !== 'jimmy-task'))(
    'a mask by URL without an alpha channel, before anything is sent to %s',
    async (name) => {
      const opaque = createServer((_, reply) => {
        void pngOf(RED, { channels: 3 }).then((png) => reply.writeHead(200).end(png))
      })
      const url = `${await listen(opaque)}/mask.png`
      const before = count()
      const images = [{ dataUrl: dataUrlOf(await pngOf(BLUE)) }]
      const id = await gateway.generate({ prompt: 'x', providers: [name], images, mask: { url } })
      await gateway.ended(id)
      opaque.close()
      const { task } = await gateway.get<{ task: object }>(
        'query ($id: ID!) { task(id: $id) { status charged error { code message charged } startedAt } }',
        { id },
      )
      expect(task).toEqual({
        status: 'FAILED',
        charged: 'NO',
        error: {
          code: 'INPUT_IMAGE_INVALID',
          message: expect.stringMatching(/no alpha channel/),
          charged: 'NO',
        },
        startedAt: null,
      })
      expect(count()).toBe(before)
    },
  )
})

/** An image without an alpha channel. */
async function earlierOpaque(): Promise<{ imageId: string }> {
  const id = await gateway.generate({ prompt: 'x', providers: ['sandbox'], outputFormat: 'JPEG' })
  await gateway.ended(id)
  const { task } = await gateway.get<{ task: { images: { id: string }[] } }>(
    'query ($id: ID!) { task(id: $id) { images { id } } }',
    { id },
  )
  return { imageId: task.images[0]?.id ?? '' }
}
