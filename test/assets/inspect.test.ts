import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { decodeCheck } from '../../src/assets/decode.ts'
import { inspectImage } from '../../src/assets/inspect.ts'
import { ImageRejected } from '../../src/assets/format.ts'
import { bombPng, noise, PHONE_EXIF, pngChunk } from './images.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'darkroom-inspect-'))
})
afterEach(() => rm(dir, { recursive: true }))

async function fileOf(bytes: Buffer | string): Promise<string> {
  const file = join(dir, 'upload.png')
  await writeFile(file, bytes)
  return file
}

describe('inspectImage', () => {
  it.for([
    ['image/png', () => noise(64, 32).png(), false],
    ['image/png', () => noise(64, 32, 4).png(), true],
    ['image/jpeg', () => noise(64, 32).jpeg(), false],
    ['image/jpeg', () => noise(64, 32).jpeg({ progressive: true }), false],
    ['image/webp', () => noise(64, 32).webp(), false],
    ['image/webp', () => noise(64, 32, 4).webp({ lossless: true }), true],
  ] as const)('reads the properties of %s from the bytes', async ([mimeType, make, hasAlpha]) => {
    const bytes = await make().toBuffer()
    const facts = { mimeType, width: 64, height: 32, byteSize: bytes.length, hasAlpha }
    expect(await inspectImage(await fileOf(bytes))).toEqual(facts)
    expect(await inspectImage(bytes)).toEqual(facts)
  })

  it('accepts the largest image of a provider', async () => {
    const bytes = await sharp({ create: { width: 3840, height: 2160, channels: 3, background: 'teal' } })
      .png()
      .toBuffer()
    expect(await inspectImage(bytes)).toMatchObject({ width: 3840, height: 2160 })
    await decodeCheck(bytes)
  })

  it('applies the EXIF orientation', async () => {
    const bytes = await noise(64, 32).jpeg().withMetadata({ orientation: 6 }).toBuffer()
    expect(await inspectImage(bytes)).toMatchObject({ width: 32, height: 64 })
  })
})

describe('a refusal', () => {
  const SVG =
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>'
  it.for<[string, () => Buffer | string | Promise<Buffer>, string, RegExp]>([
    ['nothing', () => '', 'EMPTY', /0 bytes/],
    [
      'an HTML page',
      () => '<!DOCTYPE html><html><script>alert(1)</script>',
      'TYPE',
      /looks like an HTML page/,
    ],
    ['an SVG', () => SVG, 'TYPE', /PNG, JPEG or WebP; this file looks like an SVG/],
    [
      'an SVG with a prologue',
      () => `<?xml version="1.0"?>\n<!-- x -->\n${SVG}`,
      'TYPE',
      /looks like an SVG/,
    ],
    ['a GIF', () => noise(9, 9).gif().toBuffer(), 'TYPE', /looks like a GIF/],
    ['a TIFF', () => noise(9, 9).tiff().toBuffer(), 'TYPE', /looks like a TIFF/],
    ['an AVIF', () => noise(16, 16).avif({ effort: 0 }).toBuffer(), 'TYPE', /looks like an AVIF/],
    ['an error as JSON', () => '{"error":{"message":"expired"}}', 'TYPE', /looks like JSON/],
    ['random bytes', () => Buffer.from('c0ffee00c0ffee00', 'hex'), 'TYPE', /none of them/],
    ['the first byte of a PNG', () => Buffer.from([0x89]), 'TYPE', /none of them/],
    ['a PNG of a signature', () => Buffer.from('89504e470d0a1a0a', 'hex'), 'CORRUPT', /signature of a PNG/],
    ['a JPEG of a signature', () => Buffer.from('ffd8ffe0', 'hex'), 'CORRUPT', /signature of a JPEG/],
    ['a WebP of a signature', () => Buffer.from('RIFF\0\0\0\0WEBPVP8 '), 'CORRUPT', /signature of a WebP/],
    [
      'HTML behind a signature',
      () => Buffer.from('\xff\xd8\xff<html>', 'latin1'),
      'CORRUPT',
      /signature of a JPEG/,
    ],
    [
      'too many pixels',
      () => bombPng(8000, 5001, 10),
      'TOO_MANY_PIXELS',
      /8000x5001 pixels; the maximum is 40000000/,
    ],
    ['a broken IHDR', () => bombPng(0, 9, 10), 'CORRUPT', /damaged/],
    ['an animation', () => animation(), 'TYPE', /animation of 3 frames/],
  ])('of %s names what was found', async ([, make, reason, message]) => {
    const bytes = await make()
    const fromFile: unknown = await inspectImage(await fileOf(bytes)).catch((error: unknown) => error)
    expect(fromFile).toBeInstanceOf(ImageRejected)
    expect(fromFile).toMatchObject({ reason, message: expect.stringMatching(message) })
    await expect(inspectImage(Buffer.from(bytes))).rejects.toMatchObject({ reason })
  })

  it('of a large file names both sizes and does not read it', async () => {
    const bytes = Buffer.concat([await noise(9, 9).png().toBuffer(), Buffer.alloc(20 * 1024 * 1024)])
    await expect(inspectImage(bytes)).rejects.toMatchObject({
      reason: 'TOO_LARGE',
      message: `The image has ${bytes.length} bytes; the maximum is 20971520.`,
    })
    expect(await inspectImage(bytes, { maxBytes: bytes.length })).toMatchObject({ width: 9 })
  })

  it('of a decompression bomb takes no memory', async () => {
    const file = await fileOf(bombPng(50_000, 50_000, 200_000_000))
    await inspectImage(await noise(9, 9).png().toBuffer())
    const rss = process.memoryUsage.rss()
    await expect(inspectImage(file)).rejects.toMatchObject({ reason: 'TOO_MANY_PIXELS' })
    await expect(decodeCheck(file)).rejects.toMatchObject({ reason: 'CORRUPT' })
    expect(process.memoryUsage.rss() - rss).toBeLessThan(50 * 1024 * 1024)
  })
})

describe('decodeCheck', () => {
  it.for([
    ['PNG', () => noise(300, 200).png().toBuffer()],
    ['interlaced PNG', () => noise(300, 200).png({ progressive: true }).toBuffer()],
    ['JPEG', () => noise(300, 200).jpeg().toBuffer()],
    ['progressive JPEG', () => noise(300, 200).jpeg({ progressive: true }).toBuffer()],
    ['WebP', () => noise(300, 200).webp().toBuffer()],
    ['lossless WebP', () => noise(300, 200).webp({ lossless: true }).toBuffer()],
  ] as const)('rejects a truncated %s', async ([, make]) => {
    const bytes = await make()
    await decodeCheck(bytes)
    await decodeCheck(await fileOf(bytes))
    for (const part of [0.3, 0.6, 0.95]) {
      const short = bytes.subarray(0, Math.floor(bytes.length * part))
      await expect(decodeCheck(short)).rejects.toMatchObject({ name: 'ImageRejected', reason: 'CORRUPT' })
    }
  })

  it('rejects a PNG with a flipped bit', async () => {
    const bytes = await noise(300, 200).png().toBuffer()
    bytes[bytes.indexOf('IDAT') + 2000]! ^= 1
    await expect(decodeCheck(bytes)).rejects.toMatchObject({ reason: 'CORRUPT' })
  })

  it('accepts irregularities that every viewer accepts', async () => {
    const bytes = await noise(300, 200).png().toBuffer()
    const text = pngChunk('tEXt', Buffer.from('Comment\0hi'))
    text[text.length - 1]! ^= 1
    const odd = Buffer.concat([bytes.subarray(0, 33), text, bytes.subarray(33), Buffer.from('trailing')])
    await expect(decodeCheck(odd)).resolves.toBeUndefined()
    const photo = await noise(30, 20).jpeg().withExif(PHONE_EXIF).toBuffer()
    await expect(decodeCheck(photo)).resolves.toBeUndefined()
  })

  it('uses only the three decoders', async () => {
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"></svg>')
    await expect(decodeCheck(svg)).rejects.toMatchObject({ reason: 'TYPE' })
  })
})

async function animation(): Promise<Buffer> {
  const frames = await Promise.all(
    [1, 2, 3].map((n) =>
      noise(8, 8)
        .linear(1 / n)
        .png()
        .toBuffer(),
    ),
  )
  return sharp(frames, { join: { animated: true } })
    .webp()
    .toBuffer()
}
