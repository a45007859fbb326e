// The AI SDK and LangChain. Each case counts what the upstream was paid.
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DEFAULT_PROJECT } from '../../src/db/access/projects.ts'
import { startProgram, type ClientProgram } from './client-program.ts'
import { openRestServer, type RestServer } from './rest-server.ts'

let ai: ClientProgram
let langchain: ClientProgram
let openai: ClientProgram
let rest: RestServer
let url: string
beforeAll(async () => {
  ;[ai, langchain, openai, rest] = await Promise.all([
    startProgram('rest-ai'),
    startProgram('rest-langchain'),
    startProgram('rest-openai'),
    openRestServer({ rest: { modelAliases: { 'dall-e-3': 'gpt-image-2' } } }),
  ])
  url = rest.url
})
afterAll(async () => {
  await Promise.all([ai, langchain, openai].map((program) => program[Symbol.asyncDispose]()))
  await rest[Symbol.asyncDispose]()
})

interface AiImages {
  images: string[]
  warnings: unknown[]
  usage: { inputTokens?: number; outputTokens?: number; totalTokens?: number }
}

describe('the AI SDK', () => {
  it.each(['openai', 'compatible'])('generates an image with the provider %s', async (provider) => {
    const params = { prompt: `a fox by ${provider}`, provider }
    const { images, warnings, usage } = await ai.get<AiImages>('generate', { url, params })
    expect(images).toEqual([rest.upstream.imageBytes.at(-1)?.toString('base64')])
    expect(warnings).toEqual([])
    expect(usage).toMatchObject({ inputTokens: 21, outputTokens: 196, totalTokens: 217 })
    expect(rest.added()).toMatchObject({ pays: 1, tasks: 1 })
  })

  it('edits two images with a mask', async () => {
    const images = await Promise.all(['#3a6ea5', '#a53a6e'].map(paint))
    const hole = {
      input: await paint({ r: 0, g: 0, b: 0, alpha: 1 }),
      blend: 'dest-out' as const,
      left: 0,
      top: 0,
    }
    const small = await sharp(hole.input).resize(20, 20).png().toBuffer()
    const mask = await sharp(images[0])
      .composite([{ ...hole, input: small }])
      .png()
      .toBuffer()
    const params = { prompt: 'a hat', provider: 'compatible', images: images.map(base64), mask: base64(mask) }
    expect((await ai.get<AiImages>('generate', { url, params })).images).toHaveLength(1)
    const { files } = rest.upstream.requests.at(-1)!
    expect(files.map(({ field }) => field.replace('[]', ''))).toEqual(['image', 'image', 'mask'])
    expect(rest.added()).toMatchObject({ pays: 1, tasks: 1 })
  })

  it('gets as many images as it asks for', async () => {
    const params = { prompt: 'four foxes', provider: 'openai', n: 2 }
    expect((await ai.get<AiImages>('generate', { url, params })).images).toHaveLength(2)
    const { pays, tasks } = rest.added()
    expect(pays).toBe(tasks)
  })
})

describe('LangChain', () => {
  it('gets two URLs for n = 2, which it requests one by one', async () => {
    const params = { prompt: 'two cats', n: 2 }
    const urls = await langchain.get<{ image_url: string }[] | string[]>('generate', { url, params })
    expect(urls).toHaveLength(2)
    expect(JSON.stringify(urls)).toContain(`${url}/assets/img_`)
    expect(rest.added()).toMatchObject({ pays: 2, tasks: 2 })
  })
})

describe('a spent budget', () => {
  it('is told once to each client', async () => {
    await rest.server.get(
      'mutation ($owner: ID!) { setBudget(input: { owner: $owner, period: TOTAL, limitMicros: 1 }) { __typename } }',
      { owner: DEFAULT_PROJECT },
    )
    const outcomes = [
      await openai.call('generate', { url, params: { prompt: 'a' } }),
      await ai.call('generate', { url, params: { prompt: 'b', provider: 'openai' } }),
      await ai.call('generate', { url, params: { prompt: 'c', provider: 'compatible' } }),
      await langchain.call('generate', { url, params: { prompt: 'd' } }),
    ]
    expect(outcomes.map(({ requests }) => requests.map(({ status }) => status))).toEqual([
      [402],
      [402],
      [402],
      [402],
    ])
    expect(outcomes[0]?.error).toMatchObject({ code: 'budget_exceeded', type: 'insufficient_quota' })
    expect(rest.added()).toMatchObject({ pays: 0, tasks: 0 })
  })
})

function paint(background: string | object): Promise<Buffer> {
  return sharp({ create: { width: 64, height: 64, channels: 4, background } })
    .png()
    .toBuffer()
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64')
}
