// A GIF, an SVG and an edit with markup: asked for, watched, stored, rendered, priced and reported.
import sharp from 'sharp'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { TRANSPORTS } from '../support/client.ts'
import { openGateway, type TestGateway } from '../support/gateway.ts'
import { findModel } from '../../src/providers/models/catalogue.ts'

const { capabilities } = findModel('gpt-image-2.6-flare')!
const PRICE = { inputTextMicros: 5_000_000, inputImageMicros: 8_000_000, outputImageMicros: 30_000_000 }
const AUTHOR = {
  inputMicros: 1_000_000,
  outputMicros: 8_000_000,
  maxInputTokens: 10_000,
  maxOutputTokens: 20_000,
}

let gateway: TestGateway
beforeAll(async () => {
  const models = [
    { name: 'gpt-image-2.6-flare', price: PRICE },
    { name: 'drawn-upon', capabilities: { ...capabilities, markup: true }, price: PRICE },
    { name: 'with-extra', capabilities: { ...capabilities, extra: ['seed'] }, price: PRICE },
  ]
  const entry = {
    name: 'sandbox',
    dialect: 'sandbox',
    durationMs: 0,
    models,
    svgPrices: { 'author-1': AUTHOR },
  }
  gateway = await openGateway({ providers: [entry] })
})
afterAll(() => gateway[Symbol.asyncDispose]())

interface Seen {
  task: {
    status: string
    costMicros: number | null
    warnings: { code: string; field: string }[]
    usage: { outputTokens: number; svg: { outputTokens: number; reasoningTokens: number } | null }
    markup: { kind: string } | null
    extra: unknown
    images: {
      id: string
      mimeType: string
      width: number
      height: number
      frames: number
      durationMs: number | null
      plays: number | null
      thumbhash: string | null
      url: string
      poster: string
      animated: string
    }[]
    attempts: {
      svgCostMicros: number | null
      ledger: { kind: string; amountMicros: number; svgMicros: number | null }[]
    }[]
  }
}

const FIELDS = `status costMicros warnings { code field } usage { outputTokens svg { outputTokens reasoningTokens } } markup { kind } extra
  images { id mimeType width height frames durationMs plays thumbhash url poster: url(width: 64) animated: url(width: 64, animated: true) }
  attempts { svgCostMicros ledger { kind amountMicros svgMicros } }`

async function run(input: Record<string, unknown>): Promise<Seen['task']> {
  const id = await gateway.generate({ model: 'gpt-image-2.6-flare', ...input })
  expect(await gateway.ended(id)).toMatchObject({ status: 'SUCCEEDED' })
  return (await gateway.get<Seen>(`query ($id: ID!) { task(id: $id) { ${FIELDS} } }`, { id })).task
}

const download = async (url: string) => {
  const response = await fetch(url)
  return {
    type: response.headers.get('content-type'),
    bytes: Buffer.from(await response.arrayBuffer()),
    response,
  }
}

it('a GIF has frames, a poster and an animated rendition', async () => {
  const task = await run({
    prompt: 'a balloon over the sea',
    outputFormat: 'GIF',
    partialImages: 2,
    animation: { frames: 3, frameDurationMs: 121 },
  })
  expect(task.warnings.map(({ code, field }) => [code, field])).toEqual([
    ['SETTING_CHANGED', 'animation.frameDurationMs'],
    ['SETTING_CHANGED', 'partialImages'],
  ])
  const [image] = task.images
  expect(image).toMatchObject({
    mimeType: 'image/gif',
    width: 512,
    height: 512,
    frames: 3,
    durationMs: 360,
    plays: 0,
  })
  expect(image!.thumbhash).not.toBeNull()
  const poster = await download(image!.poster)
  expect(poster.type).toBe('image/png')
  expect(await sharp(poster.bytes).metadata()).toMatchObject({ width: 64, height: 64, format: 'png' })
  const animated = await download(image!.animated)
  expect(animated.type).toBe('image/webp')
  expect(await sharp(animated.bytes).metadata()).toMatchObject({
    width: 64,
    pages: 3,
    delay: [120, 120, 120],
  })
  const original = await download(image!.url)
  const frames = await sharp(original.bytes, { animated: true }).raw().toBuffer()
  const size = frames.length / 3
  expect(frames.subarray(0, size).equals(frames.subarray(size, 2 * size))).toBe(false)
  expect(task.costMicros).toBeGreaterThan(0)
})

it('equal requests give equal GIFs', async () => {
  const input = { prompt: 'a fox', outputFormat: 'GIF', animation: { frames: 2 } }
  const [one, other] = [await run(input), await run(input)]
  const [first, second] = [await download(one.images[0]!.url), await download(other.images[0]!.url)]
  expect(first.bytes.equals(second.bytes)).toBe(true)
})

it('an SVG is served harmless, rasterised, and charged by the table of its author', async () => {
  const task = await run({
    prompt: 'a fox in the forest',
    outputFormat: 'SVG',
    size: '1024x1024',
    svg: { model: 'author-1', effort: 'LOW' },
  })
  const [image] = task.images
  expect(image).toMatchObject({
    mimeType: 'image/svg+xml',
    width: 1000,
    height: 1000,
    frames: 1,
    durationMs: null,
  })
  expect(image!.thumbhash).not.toBeNull()
  expect(task.warnings).toEqual([])
  const { response, bytes } = await download(image!.url)
  expect(bytes.toString()).toMatch(/^<svg /)
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'image/svg+xml',
    'content-security-policy': "sandbox; default-src 'none'",
    'x-content-type-options': 'nosniff',
    'content-disposition': expect.stringMatching(/^attachment; .*\.svg"$/),
    vary: expect.stringContaining('sec-fetch-dest'),
  })
  const asImage = await fetch(image!.url, { headers: { 'sec-fetch-dest': 'image' } })
  expect(asImage.headers.get('content-disposition')).toMatch(/^inline/)
  const poster = await download(image!.poster)
  expect(await sharp(poster.bytes).metadata()).toMatchObject({ width: 64, height: 64, format: 'png' })

  const svg = task.usage.svg!
  expect(svg.reasoningTokens).toBe(256)
  const [attempt] = task.attempts
  const [hold, post] = attempt!.ledger
  expect(attempt!.svgCostMicros).toBeGreaterThan(svg.outputTokens * 8)
  expect(post).toEqual({ kind: 'POST', amountMicros: task.costMicros, svgMicros: attempt!.svgCostMicros })
  expect(hold!.amountMicros).toBeGreaterThanOrEqual(10_000 + 20_000 * 8)
  const report = await gateway.get<{ usage: { totals: Record<string, number> } }>(
    '{ usage(from: "2020-01-01T00:00:00Z", to: "2060-01-01T00:00:00Z") { totals { svgCostMicros svgOutputTokens costMicros } } }',
  )
  expect(report.usage.totals).toMatchObject({
    svgCostMicros: attempt!.svgCostMicros,
    svgOutputTokens: svg.outputTokens,
  })
})

it('the cost of an SVG is unknown without a price of its author, and no input image', async () => {
  const task = await run({ prompt: 'a fox', outputFormat: 'SVG', svg: { model: 'another' } })
  expect(task.costMicros).toBeNull()
  expect(task.usage.svg).not.toBeNull()
  const { errors } = await gateway.execute(
    'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { task { id } } }',
    { input: { prompt: 'bluer', images: [{ imageId: task.images[0]!.id }], model: 'gpt-image-2.6-flare' } },
  )
  expect(errors?.[0]).toMatchObject({ extensions: { code: 'BAD_USER_INPUT', field: 'images.0' } })
})

const dataUrl = async (width: number, height: number, alpha: number, format: 'png' | 'webp' = 'png') => {
  const background = { r: 255, g: 0, b: 0, alpha }
  const bytes = await sharp({ create: { width, height, channels: 4, background } })
    .toFormat(format)
    .toBuffer()
  return { dataUrl: `data:image/${format};base64,${bytes.toString('base64')}` }
}

it('an edit takes markup, which is stored with the task', async () => {
  const images = [await dataUrl(1024, 1024, 1)]
  const task = await run({
    prompt: 'bluer',
    model: 'drawn-upon',
    images,
    markup: await dataUrl(1024, 1024, 0),
  })
  expect(task.markup).toEqual({ kind: 'MARKUP' })
})

it.each<[string, () => Promise<Record<string, unknown>>, string]>([
  ['another size', async () => ({ markup: await dataUrl(1024, 512, 0) }), 'markup'],
  ['no transparency', async () => ({ markup: await dataUrl(1024, 1024, 1) }), 'markup'],
  ['another format', async () => ({ markup: await dataUrl(1024, 1024, 0, 'webp') }), 'markup'],
  [
    'a mask beside it',
    async () => ({ markup: await dataUrl(1024, 1024, 0), mask: await dataUrl(1024, 1024, 0) }),
    'markup',
  ],
  ['no image', async () => ({ markup: await dataUrl(8, 8, 0), images: [] }), 'markup'],
])('markup with %s is refused before anything is sent', async (_, more, field) => {
  const input = {
    prompt: 'bluer',
    model: 'drawn-upon',
    images: [await dataUrl(1024, 1024, 1)],
    ...(await more()),
  }
  const { errors } = await gateway.execute(
    'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { task { id } } }',
    { input },
  )
  expect(errors?.[0]).toMatchObject({ extensions: { code: 'BAD_USER_INPUT', field } })
})

it('extra parameters are recorded, and part of the idempotent request', async () => {
  const input = { prompt: 'a fox', model: 'with-extra', extra: { seed: 7 }, idempotencyKey: 'extra-1' }
  const task = await run(input)
  expect(task.extra).toEqual({ seed: 7 })
  const again = 'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { replayed } }'
  expect(await gateway.get(again, { input })).toEqual({ generateImage: { replayed: true } })
  const { errors } = await gateway.execute(again, { input: { ...input, extra: { seed: 8 } } })
  expect(errors?.[0]).toMatchObject({ extensions: { code: 'IDEMPOTENCY_KEY_REUSED' } })
})

it.each(TRANSPORTS)('a GIF is watched over %s', async (transport) => {
  const id = await gateway.generate({
    prompt: 'a fox',
    model: 'gpt-image-2.6-flare',
    outputFormat: 'GIF',
    animation: { frames: 2 },
  })
  const types: unknown[] = []
  const query =
    'subscription ($id: ID!) { taskEvents(taskId: $id) { ... on TaskFinished { task { images { mimeType frames } } } } }'
  for await (const result of gateway.watch<{ taskEvents: { task?: { images: unknown[] } } }>(
    transport,
    query,
    { id },
  ))
    types.push(result.data?.taskEvents.task?.images.at(-1) ?? result.errors)
  expect(types.at(-1)).toEqual({ mimeType: 'image/gif', frames: 2 })
})
