import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import type { ProviderRequest as Order } from '../../src/providers/provider.ts'
import { CATALOGUE } from '../../src/providers/models/catalogue.ts'
import { sandbox } from '../../src/providers/sandbox/sandbox.ts'
import { develop, openSandbox } from './sandbox-call.ts'

async function sha256(file: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(file))
    .digest('hex')
}

/** Mean difference between two pictures, 0 to 255. */
async function distance(one: string, other: string): Promise<number> {
  const [a, b] = await Promise.all([one, other].map((file) => sharp(file).removeAlpha().raw().toBuffer()))
  if (!a || a.length !== b?.length) throw new Error('The pictures differ in size')
  return a.reduce((sum, value, at) => sum + Math.abs(value - (b[at] ?? 0)), 0) / a.length
}

describe('its file', () => {
  test.each<[string, Partial<Order>, { format: string; width: number; height: number }]>([
    ['PNG', {}, { format: 'png', width: 1024, height: 1024 }],
    ['JPEG', { outputFormat: 'JPEG', size: '1536x1024' }, { format: 'jpeg', width: 1536, height: 1024 }],
    ['WEBP', { outputFormat: 'WEBP', size: '1024x1536' }, { format: 'webp', width: 1024, height: 1536 }],
    ['odd size', { size: '3072x1024' }, { format: 'png', width: 3072, height: 1024 }],
    ['auto', { size: 'auto' }, { format: 'png', width: 1024, height: 1024 }],
    [
      'a hint',
      { size: 'auto', prompt: 'a wide view of the sea' },
      { format: 'png', width: 1536, height: 1024 },
    ],
    ['dall-e-2', { size: '256x256', model: 'dall-e-2' }, { format: 'png', width: 256, height: 256 }],
  ])('is exactly what was asked: %s', async (_, wishes, facts) => {
    const { file, resolved } = await develop(wishes)
    expect(await sharp(file).metadata()).toMatchObject({ ...facts, hasAlpha: false })
    expect(resolved.size).toBe(`${facts.width}x${facts.height}`)
    expect(resolved.background).toBe('OPAQUE')
  })

  test.each(['JPEG', 'WEBP'] as const)('is smaller the more a %s is compressed', async (outputFormat) => {
    const small = await develop({ outputFormat, outputCompression: 10 })
    const large = await develop({ outputFormat, outputCompression: 95 })
    expect((await readFile(small.file)).length).toBeLessThan((await readFile(large.file)).length / 3)
  })

  test.each(['PNG', 'WEBP'] as const)('is transparent around the subject: %s', async (outputFormat) => {
    for (const prompt of ['a red fox', 'quiet hills']) {
      const { file, resolved } = await develop({ outputFormat, prompt, background: 'TRANSPARENT' })
      const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true })
      expect(info.channels).toBe(4)
      expect([data[3], data[(info.width * (info.height / 2) + info.width / 2) * 4 + 3]]).toEqual([0, 255])
      expect(resolved.background).toBe('TRANSPARENT')
    }
  })
})

describe('its picture', () => {
  test('is the same to the byte for the same order', async () => {
    const [one, two] = [await develop(), await develop()]
    expect(await sha256(one.file)).toBe(await sha256(two.file))
  })

  test('differs with the prompt, the quality and the place among several', async () => {
    const several = await develop({ n: 3 })
    const files = [
      ...several.images.map((image) => image.file),
      (await develop({ prompt: 'a lighthouse at dusk' })).file,
      (await develop({ quality: 'HIGH' })).file,
    ]
    expect(new Set(await Promise.all(files.map(sha256))).size).toBe(5)
    expect(await sha256(files[0] ?? '')).toBe(await sha256((await develop()).file))
  })

  test('does not show what the prompt told the sandbox', async () => {
    const told = await develop({ prompt: 'a red fox in the snow [sandbox:duration=1]' })
    expect(await sha256(told.file)).toBe(await sha256((await develop()).file))
  })

  test('has much to look at, whatever the prompt', async () => {
    for (const prompt of [
      'a lighthouse at dusk',
      'neon city in the rain',
      'abstract',
      'desert',
      'x',
      '雪中的狐狸',
    ]) {
      const { entropy } = await sharp((await develop({ prompt })).file).stats()
      expect(entropy).toBeGreaterThan(5)
    }
  })
})

describe('its previews', () => {
  test('come in order and ever closer to the picture', async () => {
    const { file, heard } = await develop({ partialImages: 3 })
    expect(heard.partials.map((partial) => partial.index)).toEqual([0, 1, 2])
    const far = await Promise.all(heard.partials.map((partial) => distance(partial.file, file)))
    expect(far.toSorted((a, b) => b - a)).toEqual(far)
    expect(far[0]).toBeGreaterThan(2 * (far[2] ?? 0))
    // The last one is near, but a preview still.
    expect(far[2]).toBeGreaterThan(2)
  })

  test('keep a transparent ground and the asked format', async () => {
    const { heard } = await develop({ partialImages: 1, background: 'TRANSPARENT', outputFormat: 'WEBP' })
    const { data } = await sharp(heard.partials[0]?.file).raw().toBuffer({ resolveWithObject: true })
    expect(data[3]).toBe(0)
    expect((await sharp(heard.partials[0]?.file).metadata()).format).toBe('webp')
  })

  test('may be fewer than asked, and only those count', async () => {
    const { heard, usage } = await develop({ partialImages: 3 }, { fewerPartials: true })
    expect(heard.partials).toHaveLength(2)
    expect(usage.outputImageTokens).toBe(1756 + 200)
  })
})

test('tells how it goes: the phases in order, and progress that never falls', async () => {
  const { heard } = await develop()
  expect(heard.wire).toEqual([
    { phase: 'DISPATCHED' },
    { phase: 'HEADERS', httpStatus: 200, providerRequestId: 'sandbox-attempt-1' },
    { phase: 'BODY_DONE' },
  ])
  expect(heard.progress).toHaveLength(20)
  expect(heard.progress.toSorted((a, b) => a - b)).toEqual(heard.progress)
  expect(heard.progress.at(-1)).toBe(1)
})

test('rewrites the prompt into what it painted', async () => {
  const { images } = await develop({ prompt: 'a lighthouse at dusk.' })
  expect(images[0]?.revisedPrompt).toMatch(/^a lighthouse at dusk, with calm water .* dusk\. Painted/)
})

describe('its usage', () => {
  test('follows the published numbers, previews and pictures multiplied', async () => {
    const { usage, resolved } = await develop({ n: 2, partialImages: 2, quality: 'LOW', size: '1536x1024' })
    expect(usage).toEqual({
      inputTokens: 13,
      outputTokens: 2 * (158 + 200),
      totalTokens: 13 + 716,
      inputTextTokens: 13,
      inputImageTokens: 0,
      outputTextTokens: 0,
      outputImageTokens: 716,
      source: 'REPORTED',
    })
    expect(resolved.quality).toBe('LOW')
  })

  test('takes auto as medium', async () => {
    const { usage, resolved } = await develop({ model: 'gpt-image-1' })
    expect([usage.outputTokens, resolved.quality]).toEqual([1056, 'MEDIUM'])
  })

  test('says that it is an estimate where no rule is published, and unknown where none is reported', async () => {
    const max = await develop({ model: 'gpt-image-2.5-flare', quality: 'MAX' })
    expect(max.usage).toMatchObject({ source: 'ESTIMATED', outputImageTokens: 7024 })
    const old = await develop({ model: 'dall-e-3' })
    expect(old.usage).toMatchObject({ source: 'UNKNOWN', totalTokens: null })
  })
})

test('offers every published model, with more than the real one can', () => {
  const { offers } = openSandbox()
  expect(offers.map((offer) => offer.model)).toEqual(CATALOGUE.map((model) => model.name))
  for (const { capabilities, retiresOn } of offers) {
    expect(capabilities).toMatchObject({
      operations: ['GENERATE', 'EDIT'],
      mask: true,
      maxN: 10,
      maxPartialImages: 3,
    })
    expect(retiresOn).toBeNull()
  }
  expect(offers[0]?.capabilities.backgrounds).toContain('TRANSPARENT')
})

test('asks nothing of its configuration, and refuses what it does not know', () => {
  expect(sandbox.options.parse({})).toEqual({
    durationMs: 3000,
    scenario: 'ok',
    concurrency: 4,
    timeoutMs: 240_000,
    fewerPartials: false,
  })
  expect(sandbox.options.safeParse({ moood: 'ok' }).success).toBe(false)
  expect(sandbox.options.safeParse({ scenario: 'cheerful' }).success).toBe(false)
  expect(sandbox.fromEnvironment({ SANDBOX: '1', OPENAI_API_KEY: 'x' })).toBeUndefined()
})
