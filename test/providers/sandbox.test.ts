import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { filesOf, type ProviderRequest } from '../../src/providers/provider.ts'
import { CATALOGUE } from '../../src/providers/models/catalogue.ts'
import { sandbox } from '../../src/providers/sandbox/sandbox.ts'
import { runRequest, openSandbox } from './sandbox-call.ts'

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

describe('the file', () => {
  it.each<[string, Partial<ProviderRequest>, { format: string; width: number; height: number }]>([
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
  ])('has the requested format and size: %s', async (_, overrides, facts) => {
    const { file, resolved } = await runRequest(overrides)
    expect(await sharp(file).metadata()).toMatchObject({ ...facts, hasAlpha: false })
    expect(resolved.size).toBe(`${facts.width}x${facts.height}`)
    expect(resolved.background).toBe('OPAQUE')
  })

  it.each(['JPEG', 'WEBP'] as const)(
    'gets smaller with lower outputCompression: %s',
    async (outputFormat) => {
      const small = await runRequest({ outputFormat, outputCompression: 10 })
      const large = await runRequest({ outputFormat, outputCompression: 95 })
      expect((await readFile(small.file)).length).toBeLessThan((await readFile(large.file)).length / 3)
    },
  )

  it.each(['PNG', 'WEBP'] as const)('is transparent around the subject: %s', async (outputFormat) => {
    for (const prompt of ['a red fox', 'quiet hills']) {
      const { file, resolved } = await runRequest({ outputFormat, prompt, background: 'TRANSPARENT' })
      const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true })
      expect(info.channels).toBe(4)
      expect([data[3], data[(info.width * (info.height / 2) + info.width / 2) * 4 + 3]]).toEqual([0, 255])
      expect(resolved.background).toBe('TRANSPARENT')
    }
  })
})

describe('the picture', () => {
  it('has the same bytes for the same request', async () => {
    const [one, two] = [await runRequest(), await runRequest()]
    expect(await sha256(one.file)).toBe(await sha256(two.file))
  })

  it('has the same bytes when it is painted concurrently', async () => {
    const prompts = ['a red fox in the snow', 'neon city in the rain', 'a red fox in the snow']
    const [one, , two] = await Promise.all(prompts.map((prompt) => runRequest({ prompt, size: '1536x1024' })))
    expect(await sha256(one?.file ?? '')).toBe(await sha256(two?.file ?? ''))
    const alone = await runRequest({ prompt: 'a red fox in the snow', size: '1536x1024' })
    expect(await sha256(one?.file ?? '')).toBe(await sha256(alone.file))
  })

  it.each(['1024x1024', '2560x1440'])('is the same in every format: %s', async (size) => {
    const [png, ...others] = await Promise.all(
      (['PNG', 'JPEG', 'WEBP'] as const).map((outputFormat) =>
        runRequest({ outputFormat, size, outputCompression: outputFormat === 'PNG' ? null : 100 }),
      ),
    )
    for (const { file } of others) expect(await distance(png?.file ?? '', file)).toBeLessThan(2)
  })

  it('depends on the prompt, the quality and the position among several', async () => {
    const several = await runRequest({ n: 3 })
    const files = [
      ...filesOf(several.images),
      (await runRequest({ prompt: 'a lighthouse at dusk' })).file,
      (await runRequest({ quality: 'HIGH' })).file,
    ]
    expect(new Set(await Promise.all(files.map(sha256))).size).toBe(5)
    expect(await sha256(files[0] ?? '')).toBe(await sha256((await runRequest()).file))
  })

  it('does not depend on directives in the prompt', async () => {
    const withDirective = await runRequest({ prompt: 'a red fox in the snow [sandbox:duration=1]' })
    expect(await sha256(withDirective.file)).toBe(await sha256((await runRequest()).file))
  })

  it('is rich in detail for every kind of prompt', async () => {
    for (const prompt of [
      'a lighthouse at dusk',
      'neon city in the rain',
      'abstract',
      'desert',
      'x',
      '雪中的狐狸',
    ]) {
      const { file } = await runRequest({ prompt })
      expect((await sharp(file).stats()).entropy).toBeGreaterThan(5)
      expect((await stat(file)).size).toBeLessThan(2_000_000)
    }
  })
})

describe('the partial images', () => {
  it('arrive in order, each closer to the picture than the previous one', async () => {
    const { file, reports } = await runRequest({ partialImages: 3 })
    expect(reports.partials.map((partial) => partial.index)).toEqual([0, 1, 2])
    const far = await Promise.all(reports.partials.map((partial) => distance(partial.file, file)))
    expect(far.toSorted((a, b) => b - a)).toEqual(far)
    expect(new Set(far).size).toBe(3)
    expect(far[0]).toBeGreaterThan(2 * (far[2] ?? 0))
    // The last one is close, but not final.
    expect(far[2]).toBeGreaterThan(2)
  })

  it('have the same bytes for the same request', async () => {
    const [one, two] = [await runRequest({ partialImages: 2 }), await runRequest({ partialImages: 2 })]
    const hashes = (reports: typeof one.reports) =>
      Promise.all(reports.partials.map(({ file }) => sha256(file)))
    expect(await hashes(one.reports)).toEqual(await hashes(two.reports))
  })

  it('keep the transparent background and the requested format', async () => {
    const { reports } = await runRequest({
      partialImages: 1,
      background: 'TRANSPARENT',
      outputFormat: 'WEBP',
    })
    const { data } = await sharp(reports.partials[0]?.file).raw().toBuffer({ resolveWithObject: true })
    expect(data[3]).toBe(0)
    expect((await sharp(reports.partials[0]?.file).metadata()).format).toBe('webp')
  })

  it('can be fewer than requested, and only those are in the usage', async () => {
    const { reports, usage } = await runRequest({ partialImages: 3 }, { fewerPartials: true })
    expect(reports.partials).toHaveLength(2)
    expect(usage.outputImageTokens).toBe(1756 + 200)
  })
})

it('reports the phases in order, and progress that never decreases', async () => {
  const { reports } = await runRequest()
  expect(reports.wire).toEqual([
    { phase: 'DISPATCHED' },
    { phase: 'HEADERS', httpStatus: 200, providerRequestId: 'sandbox-attempt-1' },
    { phase: 'BODY_DONE' },
  ])
  expect(reports.progress).toHaveLength(20)
  expect(reports.progress.toSorted((a, b) => a - b)).toEqual(reports.progress)
  expect(reports.progress.at(-1)).toBe(1)
})

it('returns a revised prompt that describes the picture', async () => {
  const { images } = await runRequest({ prompt: 'a lighthouse at dusk.' })
  expect(images[0]?.revisedPrompt).toMatch(/^a lighthouse at dusk, with calm water .* dusk\. Painted/)
})

describe('the usage', () => {
  it('follows the published token counts, times images and partial images', async () => {
    const { usage, resolved } = await runRequest({
      n: 2,
      partialImages: 2,
      quality: 'LOW',
      size: '1536x1024',
    })
    expect(usage).toEqual({
      inputTokens: 13,
      outputTokens: 2 * (158 + 200),
      totalTokens: 13 + 716,
      inputTextTokens: 13,
      inputImageTokens: 0,
      outputTextTokens: 0,
      outputImageTokens: 716,
      svgInputTokens: null,
      svgOutputTokens: null,
      svgReasoningTokens: null,
      source: 'REPORTED',
    })
    expect(resolved.quality).toBe('LOW')
  })

  it('counts quality AUTO as MEDIUM', async () => {
    const { usage, resolved } = await runRequest({ model: 'gpt-image-1' })
    expect([usage.outputTokens, resolved.quality]).toEqual([1056, 'MEDIUM'])
  })

  it('is ESTIMATED without a published rule, and UNKNOWN for models that report none', async () => {
    const max = await runRequest({ model: 'gpt-image-2.5-flare', quality: 'MAX' })
    expect(max.usage).toMatchObject({ source: 'ESTIMATED', outputImageTokens: 7024 })
    const old = await runRequest({ model: 'dall-e-3' })
    expect(old.usage).toMatchObject({ source: 'UNKNOWN', totalTokens: null })
  })
})

it('offers every model of the catalogue, with more capabilities', () => {
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

it('needs no configuration, and rejects unknown options and values', () => {
  expect(sandbox.options.parse({})).toEqual({
    durationMs: 3000,
    scenario: 'ok',
    concurrency: 4,
    timeoutMs: 240_000,
    fewerPartials: false,
  })
  expect(sandbox.options.safeParse({ scenarioo: 'ok' }).success).toBe(false)
  expect(sandbox.options.safeParse({ scenario: 'cheerful' }).success).toBe(false)
  expect(sandbox.fromEnvironment({ SANDBOX: '1', OPENAI_API_KEY: 'x' })).toBeUndefined()
})
