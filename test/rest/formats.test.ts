// GIF, SVG and markup by their names in the Images API, sent by the openai package.
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startProgram, type ClientProgram } from './client-program.ts'
import { openRestServer, post, type ImagesReply, type RestServer } from './rest-server.ts'

let openai: ClientProgram
let rest: RestServer
let url: string
let opaque: Buffer
let clear: Buffer
beforeAll(async () => {
  ;[openai, rest, opaque, clear] = await Promise.all([
    startProgram('rest-openai'),
    openRestServer(),
    paint(1),
    paint(0),
  ])
  url = rest.url
})
afterAll(async () => {
  await openai[Symbol.asyncDispose]()
  await rest[Symbol.asyncDispose]()
})

const ONE = { pays: 1, tasks: 1 }
const GIF = { model: 'gpt-image-2.6-flare', output_format: 'gif', frame_count: 3, frame_duration_ms: 120 }
const SVG = {
  model: 'gpt-image-2.6-flare',
  output_format: 'svg',
  svg: { model: 'author-1', reasoning: { effort: 'low' } },
}
const SVG_USAGE = {
  model: 'author-1',
  input_tokens: 40,
  output_tokens: 900,
  reasoning_tokens: 300,
  total_tokens: 940,
}

describe('openai for Node', () => {
  it('generates a GIF with the requested frames', async () => {
    const params = { prompt: 'a fox runs', size: '1024x1024', safety_identifier: 'ada', ...GIF }
    const reply = await openai.get<ImagesReply>('generate', { url, params })
    expect(reply).toMatchObject({ output_format: 'gif', size: '1024x1024', safety_identifier: 'ada' })
    expect(rest.upstream.requests.at(-1)?.parameters).toMatchObject(GIF)
    expect(await framesOf(reply.data[0]?.b64_json)).toEqual({ pages: 3, delay: [120, 120, 120] })
    expect(rest.added()).toMatchObject(ONE)
  })

  it('generates an SVG, and reads the usage of its author', async () => {
    const params = { prompt: 'a fox in lines', ...SVG }
    const reply = await openai.get<ImagesReply>('generate', { url, params })
    expect(reply).toMatchObject({ output_format: 'svg', svg_usage: SVG_USAGE, usage: { total_tokens: 217 } })
    expect(Buffer.from(reply.data[0]!.b64_json!, 'base64').toString()).toMatch(/^<svg /)
    expect(rest.upstream.requests.at(-1)?.parameters).toMatchObject(SVG)
    expect(rest.added()).toMatchObject(ONE)
  })

  it('edits into an SVG, whose author it names in a form', async () => {
    const params = { prompt: 'as lines', images: [file(opaque)], ...SVG }
    const reply = await openai.get<ImagesReply>('edit', { url, params })
    expect(reply).toMatchObject({ output_format: 'svg', svg_usage: SVG_USAGE })
    expect(rest.upstream.requests.at(-1)?.parameters).toMatchObject({
      'svg[model]': 'author-1',
      'svg[reasoning][effort]': 'low',
    })
    expect(rest.added()).toMatchObject(ONE)
  })

  it('edits with markup, from a file and from JSON', async () => {
    const params = { prompt: 'here', model: 'gpt-image-2.5-flare' }
    const form = { ...params, images: [file(opaque)], markup: file(clear) }
    await openai.get<ImagesReply>('edit', { url, params: form })
    const body = { ...params, images: [source(opaque)], markup: source(clear) }
    await openai.get('post', { url, params: { path: '/images/edits', body: { ...body, prompt: 'there' } } })
    for (const { files } of rest.upstream.requests.slice(-2)) {
      expect(files.map(({ field }) => field)).toEqual(['image', 'markup'])
      expect(files[1]!.bytes.equals(clear)).toBe(true)
    }
    expect(rest.added()).toMatchObject({ pays: 2, tasks: 2 })
  })

  it('streams both, as completed images without previews', async () => {
    const gif = { url, params: { prompt: 'a fox sleeps', partial_images: 2, ...GIF } }
    const svg = { url, params: { prompt: 'in lines', images: [file(opaque)], ...SVG } }
    const [moving, drawn] = [
      await openai.get<Record<string, unknown>[]>('generateStream', gif),
      await openai.get<Record<string, unknown>[]>('editStream', svg),
    ]
    expect(moving).toMatchObject([{ type: 'image_generation.completed', output_format: 'gif' }])
    expect(drawn).toMatchObject([
      { type: 'image_edit.completed', output_format: 'svg', svg_usage: SVG_USAGE },
    ])
    expect(rest.added()).toMatchObject({ pays: 2, tasks: 2 })
  })

  it('learns which models make a format that the chosen one lacks', async () => {
    const params = { prompt: 'a fox', model: 'gpt-image-2', output_format: 'gif' }
    const { error, requests } = await openai.call('generate', { url, params })
    expect(error).toMatchObject({ status: 400, code: 'unsupported_value', param: 'output_format' })
    expect(error?.message).toContain('Models that make GIF: gpt-image-2.6-flare, gpt-image-2.6-sunburst.')
    expect(requests).toHaveLength(1)
    expect(rest.added()).toMatchObject({ pays: 0, tasks: 0 })
  })
})

describe('before anything is charged', () => {
  const ROWS: [what: string, body: object, code: string, param: string][] = [
    ['frames of a PNG', { frame_count: 3 }, 'unsupported_parameter', 'frame_count'],
    ['frame durations of a PNG', { frame_duration_ms: 90 }, 'unsupported_parameter', 'frame_duration_ms'],
    ['too many frames', { ...GIF, frame_count: 40 }, 'invalid_value', 'frame_count'],
    ['too few frames for the model', { ...GIF, frame_count: 1 }, 'invalid_value', 'frame_count'],
    ['a frame of no time', { ...GIF, frame_duration_ms: 0 }, 'invalid_value', 'frame_duration_ms'],
    ['an author of a PNG', { svg: SVG.svg }, 'invalid_value', 'svg'],
    ['an SVG without its author', { ...SVG, svg: {} }, 'missing_required_parameter', 'svg.model'],
    ['an author that is text', { ...SVG, svg: 'author-1' }, 'invalid_value', 'svg'],
    [
      'an unknown effort',
      { ...SVG, svg: { model: 'a', reasoning: { effort: 'huge' } } },
      'invalid_value',
      'svg.reasoning.effort',
    ],
    [
      'an unknown field of svg',
      { ...SVG, svg: { model: 'a', tone: 1 } },
      'unsupported_parameter',
      'svg.tone',
    ],
    ['markup in a generation', { markup: 'img_1' }, 'unsupported_parameter', 'markup'],
  ]

  it.each(ROWS)('refuses %s', async (_, body, code, param) => {
    const response = await post(url, { prompt: 'a fox', ...body })
    expect([response.status, (await response.json()).error]).toMatchObject([400, { code, param }])
    expect(rest.added()).toMatchObject({ pays: 0, tasks: 0 })
  })

  it('refuses markup beside a mask, and for a model without it', async () => {
    const images = [source(opaque)]
    const guides = { mask: source(clear), markup: source(clear) }
    const both = await edit({ model: 'gpt-image-2.5-flare', images, ...guides })
    expect([both.status, (await both.json()).error.param]).toEqual([400, 'markup'])
    const lacking = await edit({ images, markup: source(clear) })
    expect([lacking.status, (await lacking.json()).error]).toMatchObject([400, { code: 'unsupported_value' }])
    expect(rest.added()).toMatchObject({ pays: 0, tasks: 0 })
  })
})

function edit(body: object): Promise<Response> {
  return post(url, { prompt: 'a', ...body }, { path: '/v1/images/edits' })
}

function paint(alpha: number): Promise<Buffer> {
  const background = { r: 58, g: 110, b: 165, alpha }
  return sharp({ create: { width: 64, height: 64, channels: 4, background } })
    .png()
    .toBuffer()
}

function file(bytes: Buffer) {
  return { name: 'image.png', base64: bytes.toString('base64'), type: 'image/png' }
}

function source(bytes: Buffer) {
  return { image_url: `data:image/png;base64,${bytes.toString('base64')}` }
}

async function framesOf(base64 = '') {
  const { pages, delay } = await sharp(Buffer.from(base64, 'base64')).metadata()
  return { pages, delay }
}
