import { readFile } from 'node:fs/promises'
import sharp from 'sharp'
import { expect, it } from 'vitest'
import type { ProviderRequestImage } from '../../src/providers/provider.ts'
import { runRequest, inputOf } from './sandbox-call.ts'

interface StripeOptions {
  width: number
  height: number
  /** Opacity of the right half, 0 to 255. */
  right?: number
}

/** A picture of coloured stripes, its left half opaque. */
async function stripes({ width, height, right = 255 }: StripeOptions): Promise<ProviderRequestImage> {
  const data = Buffer.alloc(width * height * 4)
  for (let at = 0; at < data.length; at += 4) {
    const [x, y] = [(at / 4) % width, Math.floor(at / 4 / width)]
    data.set([(x * 7) % 256, (y * 5) % 256, (x + y) % 256, x < width / 2 ? 255 : right], at)
  }
  const bytes = await sharp(data, { raw: { width, height, channels: 4 } })
    .png()
    .toBuffer()
  return inputOf(bytes, { mimeType: 'image/png', width, height, hasAlpha: right !== 255 })
}

async function pixelsOf(source: string | ProviderRequestImage): Promise<Buffer> {
  const bytes =
    typeof source === 'string'
      ? await readFile(source)
      : Buffer.from(await (await source.blob()).arrayBuffer())
  return sharp(bytes).ensureAlpha().raw().toBuffer()
}

/** The share of pixels that changed in each half, 0 to 1. */
function changes(before: Buffer, after: Buffer, width: number): { left: number; right: number } {
  const counts = { left: 0, right: 0 }
  for (let at = 0; at < before.length; at += 4) {
    if (before.readUInt32LE(at) === after.readUInt32LE(at)) continue
    counts[(at / 4) % width < width / 2 ? 'left' : 'right']++
  }
  const half = before.length / 8
  return { left: counts.left / half, right: counts.right / half }
}

const SIZE = { width: 1024, height: 768 }

it('changes only what the mask leaves transparent', async () => {
  const image = await stripes(SIZE)
  const { file, resolved } = await runRequest({
    images: [image],
    mask: await stripes({ ...SIZE, right: 0 }),
    size: 'auto',
  })
  expect(resolved.size).toBe('1024x768')
  const changed = changes(await pixelsOf(image), await pixelsOf(file), SIZE.width)
  expect(changed.left).toBe(0)
  expect(changed.right).toBeGreaterThan(0.95)
})

it('keeps unmasked pixels of a transparent base, and of a base with partial images', async () => {
  const image = await stripes({ ...SIZE, right: 128 })
  const mask = await stripes({ ...SIZE, right: 0 })
  const { file, resolved } = await runRequest({ images: [image], mask, size: 'auto', partialImages: 2 })
  expect(resolved.background).toBe('TRANSPARENT')
  expect(changes(await pixelsOf(image), await pixelsOf(file), SIZE.width).left).toBe(0)
})

it('changes the whole picture without a mask, and the base stays recognisable', async () => {
  const image = await stripes(SIZE)
  const { file } = await runRequest({ images: [image], size: 'auto', prompt: 'at dusk' })
  const [before, after] = [await pixelsOf(image), await pixelsOf(file)]
  expect(changes(before, after, SIZE.width).left).toBeGreaterThan(0.95)
  const mean = before.reduce((sum, value, at) => sum + Math.abs(value - (after[at] ?? 0)), 0) / before.length
  expect(mean).toBeLessThan(60)
})

it('depends on the prompt and on the base', async () => {
  const image = await stripes(SIZE)
  const one = await runRequest({ images: [image], prompt: 'at dusk' })
  const same = await runRequest({ images: [image], prompt: 'at dusk' })
  const otherPrompt = await runRequest({ images: [image], prompt: 'a snowy night' })
  const otherBase = await runRequest({
    images: [await stripes({ width: 900, height: 900 })],
    prompt: 'at dusk',
  })
  const first = await readFile(one.file)
  expect((await readFile(same.file)).equals(first)).toBe(true)
  expect((await readFile(otherPrompt.file)).equals(first)).toBe(false)
  expect((await readFile(otherBase.file)).equals(first)).toBe(false)
})

it('has the requested size for any size of the base', async () => {
  const { file } = await runRequest({
    images: [await stripes({ width: 300, height: 500 })],
    size: '1536x1024',
    outputFormat: 'JPEG',
  })
  expect(await sharp(file).metadata()).toMatchObject({ format: 'jpeg', width: 1536, height: 1024 })
})

it('takes the nearest standard size when the base is too small for the model', async () => {
  const { resolved } = await runRequest({
    images: [await stripes({ width: 300, height: 500 })],
    size: 'auto',
  })
  expect(resolved.size).toBe('1024x1536')
})

it('places further images on the first one', async () => {
  const images = [await stripes(SIZE), await stripes({ width: 400, height: 400 })]
  const alone = await runRequest({ images: images.slice(0, 1), size: 'auto' })
  const both = await runRequest({ images, size: 'auto' })
  const changed = changes(await pixelsOf(alone.file), await pixelsOf(both.file), SIZE.width)
  expect(changed.right).toBeGreaterThan(0.05)
  expect(changed.right).toBeLessThan(0.5)
})

it('keeps the transparency of the base, and fills it for an opaque background', async () => {
  const image = await stripes({ ...SIZE, right: 0 })
  const kept = await runRequest({ images: [image], size: 'auto', prompt: 'warm colours' })
  expect(kept.resolved.background).toBe('TRANSPARENT')
  expect((await sharp(kept.file).stats()).isOpaque).toBe(false)
  const filled = await runRequest({
    images: [image],
    size: 'auto',
    prompt: 'warm colours',
    background: 'OPAQUE',
  })
  expect((await sharp(filled.file).metadata()).hasAlpha).toBe(false)
})

it('cuts out an opaque base for a transparent background', async () => {
  const { file } = await runRequest({
    images: [await stripes(SIZE)],
    size: 'auto',
    background: 'TRANSPARENT',
  })
  const pixels = await pixelsOf(file)
  expect([pixels[3], pixels[(SIZE.width * 384 + 512) * 4 + 3]]).toEqual([0, 255])
})

it('counts the tokens of its input images', async () => {
  const images = [await stripes(SIZE), await stripes({ width: 400, height: 400 })]
  const { usage } = await runRequest({ images, size: '1024x1024' })
  expect(usage.inputImageTokens).toBe(768 + 1024)
  expect(usage.inputTokens).toBe((usage.inputTextTokens ?? 0) + 1792)
})

it('rejects an undecodable input image without a charge', async () => {
  const bytes = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(64)])
  const broken = inputOf(bytes, { mimeType: 'image/png', ...SIZE, hasAlpha: false })
  await expect(runRequest({ images: [broken] })).rejects.toMatchObject({
    failure: { kind: 'rejected', code: 'INPUT_IMAGE_INVALID', charged: 'NO' },
  })
})
