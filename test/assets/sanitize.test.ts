import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { rgbaToThumbHash } from 'thumbhash'
import sharp, { type Sharp } from 'sharp'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { inspectImage } from '../../src/assets/inspect.ts'
import { sanitizeInput } from '../../src/assets/sanitize.ts'
import { thumbhash } from '../../src/assets/decode.ts'
import { noise, PHONE_EXIF, pixelsOf, pngChunk } from './images.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'darkroom-sanitize-'))
})
afterEach(() => rm(dir, { recursive: true }))

async function sanitized(bytes: Buffer): Promise<Buffer> {
  const file = join(dir, 'input')
  await writeFile(file, bytes)
  const facts = await sanitizeInput(file)
  const clean = await readFile(file)
  expect(facts).toEqual(await inspectImage(clean))
  return clean
}

const FORMATS: [string, (image: Sharp) => Sharp][] = [
  ['PNG', (image) => image.png()],
  ['JPEG', (image) => image.jpeg()],
  ['progressive JPEG', (image) => image.jpeg({ progressive: true })],
  ['WebP', (image) => image.webp()],
  ['lossless WebP', (image) => image.webp({ lossless: true })],
]

describe.for(FORMATS)('a %s', ([, encode]) => {
  it('loses location and camera, and no pixel', async () => {
    const photo = await encode(noise(120, 80))
      .withExif(PHONE_EXIF)
      .withXmp('<x:xmpmeta xmlns:x="adobe:ns:meta/">home</x:xmpmeta>')
      .toBuffer()
    expect((await sharp(photo).metadata()).exif?.includes('private person')).toBe(true)
    const clean = await sanitized(photo)
    const { exif, xmp, iptc } = await sharp(clean).metadata()
    expect([exif, xmp, iptc]).toEqual([undefined, undefined, undefined])
    for (const secret of ['Exif', 'private person', 'Snoopy', 'xmpmeta'])
      expect(clean.includes(secret)).toBe(false)
    expect((await pixelsOf(clean)).equals(await pixelsOf(photo))).toBe(true)
  })

  it('keeps its color profile', async () => {
    const photo = await encode(noise(60, 40)).withExif(PHONE_EXIF).withIccProfile('p3').toBuffer()
    const profile = (await sharp(photo).metadata()).icc!
    const clean = await sanitized(photo)
    expect((await sharp(clean).metadata()).icc?.equals(profile)).toBe(true)
  })

  it('without metadata stays unchanged', async () => {
    const plain = await encode(noise(60, 40)).toBuffer()
    const file = join(dir, 'input')
    await writeFile(file, plain)
    const before = await stat(file)
    await sanitizeInput(file)
    expect((await stat(file)).mtimeMs).toBe(before.mtimeMs)
    expect((await readFile(file)).equals(plain)).toBe(true)
  })

  it('loses trailing data', async () => {
    const plain = await encode(noise(60, 40)).toBuffer()
    const polyglot = Buffer.concat([plain, Buffer.from('<html><script>alert(1)</script>')])
    expect((await sanitized(polyglot)).equals(plain)).toBe(true)
  })

  it('without an end is refused', async () => {
    const plain = await encode(noise(60, 40)).toBuffer()
    const file = join(dir, 'input')
    await writeFile(file, plain.subarray(0, plain.length - 30))
    await expect(sanitizeInput(file)).rejects.toMatchObject({ name: 'ImageRejected', reason: 'CORRUPT' })
  })
})

describe('an image with an EXIF orientation', () => {
  const LOSSLESS: [string, (image: Sharp) => Sharp][] = [
    ['PNG', (image) => image.png()],
    ['WebP', (image) => image.webp({ lossless: true, exact: true })],
  ]
  it.for(LOSSLESS)('keeps every pixel of a %s', async ([, encode]) => {
    const photo = await encode(noise(50, 30, 4))
      .withMetadata({ orientation: 6 })
      .withExifMerge(PHONE_EXIF)
      .toBuffer()
    const clean = await sanitized(photo)
    expect(await sharp(clean).metadata()).toMatchObject({ width: 30, height: 50, hasAlpha: true })
    const seen = await sharp(photo).autoOrient().raw().toBuffer()
    expect((await sharp(clean).raw().toBuffer()).equals(seen)).toBe(true)
    expect((await sharp(clean).metadata()).orientation).toBeUndefined()
    expect(clean.includes('private person')).toBe(false)
  })

  it('keeps the 16 bits of a PNG', async () => {
    const deep = await noise(50, 30).toColourspace('rgb16').png().withMetadata({ orientation: 3 }).toBuffer()
    const clean = await sanitized(deep)
    expect((await sharp(clean).metadata()).depth).toBe('ushort')
    expect(
      (await pixelsOf(clean)).equals(
        await pixelsOf(await sharp(deep).autoOrient().toColourspace('rgb16').png().toBuffer()),
      ),
    ).toBe(true)
  })

  it.for([2, 3, 4, 5, 6, 7, 8])(
    'is upright and close to the JPEG it was, orientation %i',
    async (orientation) => {
      const wedge = sharp({ create: { width: 96, height: 64, channels: 3, background: 'white' } }).composite([
        { input: { create: { width: 32, height: 16, channels: 3, background: 'navy' } }, left: 0, top: 0 },
      ])
      const photo = await wedge.jpeg().withMetadata({ orientation }).toBuffer()
      const clean = await sanitized(photo)
      const [is, was] = [
        await sharp(clean).raw().toBuffer(),
        await sharp(photo).autoOrient().raw().toBuffer(),
      ]
      expect(is.length).toBe(was.length)
      expect(Math.max(...is.map((value, i) => Math.abs(value - was[i]!)))).toBeLessThan(16)
      expect((await sharp(clean).metadata()).exif).toBeUndefined()
    },
  )
})

it('a PNG loses texts, times and animation frames', async () => {
  const plain = await noise(60, 40).png().toBuffer()
  const chatty = Buffer.concat([
    plain.subarray(0, 33),
    pngChunk('tEXt', Buffer.from('parameters\0a secret prompt')),
    pngChunk('iTXt', Buffer.from('XML:com.adobe.xmp\0\0\0\0\0<xmp>home</xmp>')),
    pngChunk('tIME', Buffer.from([7, 234, 11, 20, 10, 0, 0])),
    pngChunk('acTL', Buffer.alloc(8)),
    plain.subarray(33),
  ])
  expect((await sanitized(chatty)).equals(plain)).toBe(true)
})

it('a JPEG loses a second image and a thumbnail', async () => {
  const inner = await noise(20, 20).jpeg().withExif(PHONE_EXIF).toBuffer()
  const plain = await noise(60, 40).jpeg().toBuffer()
  const chatty = Buffer.concat([
    plain.subarray(0, 2),
    segment(0xe0, Buffer.concat([Buffer.from('JFXX\0\x10'), inner])),
    segment(0xe2, Buffer.from('MPF\0MM\0*')),
    segment(0xed, Buffer.from('Photoshop 3.0\x008BIM')),
    segment(0xfe, Buffer.from('taken at home')),
    plain.subarray(2),
    inner,
  ])
  expect((await sanitized(chatty)).equals(plain)).toBe(true)
})

it('a thumbhash is short, shows the colors, and is the same for all formats', async () => {
  const image = sharp({ create: { width: 1536, height: 1024, channels: 3, background: '#c04000' } })
  const expected = rgbaToThumbHash(3, 2, Buffer.alloc(24, Buffer.from('c04000ff', 'hex')))
  for (const [, encode] of FORMATS) {
    const hash = Buffer.from(await thumbhash(await encode(image.clone()).toBuffer()), 'base64')
    // The first three bytes are the average color; the others are quantized.
    expect(hash.length).toBeLessThan(32)
    expect(Math.abs(hash[0]! - expected[0]!)).toBeLessThanOrEqual(1)
  }
})

it('a thumbhash of a truncated image is refused', async () => {
  const bytes = await noise(300, 200).png().toBuffer()
  await expect(thumbhash(bytes.subarray(0, 9000))).rejects.toMatchObject({ reason: 'CORRUPT' })
})

function segment(marker: number, content: Buffer): Buffer {
  const header = Buffer.from([0xff, marker, 0, 0])
  header.writeUInt16BE(content.length + 2, 2)
  return Buffer.concat([header, content])
}
