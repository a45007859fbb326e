import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { thumbhash } from '../../src/assets/decode.ts'
import type { Background } from '../../src/domain.ts'
import { resultWarnings } from '../../src/engine/attempts/result-warnings.ts'
import { DATABASES } from '../support/database.ts'
import { openEngine } from '../support/engine.ts'
import { done, scripted } from '../support/scripted.ts'

async function hashOf(alpha: number): Promise<string> {
  const background = { r: 200, g: 100, b: 50, alpha }
  return thumbhash(
    await sharp({ create: { width: 64, height: 48, channels: 4, background } })
      .png()
      .toBuffer(),
  )
}

const OPAQUE = await hashOf(1)
const TRANSPARENT = await hashOf(0.5)
const REQUEST = { size: 'auto', outputFormat: 'PNG', background: 'AUTO' } as const
const ATTEMPT = { id: 'att_1', provider: 'studio', state: 'SUCCEEDED', n: 1 } as const

const image = (more: object = {}) => ({
  attemptId: 'att_1',
  width: 64,
  height: 48,
  mimeType: 'image/png' as const,
  thumbhash: OPAQUE,
  ...more,
})

describe('the warnings about a result', () => {
  it('are none for images as requested', () => {
    expect(resultWarnings(REQUEST, [ATTEMPT], [image()])).toEqual([])
  })

  it.each([
    [2, 1, '2 images were requested from studio; it returned 1.'],
    [1, 2, 'One image was requested from studio; it returned 2.'],
  ])('name the count if %i images were requested and %i returned', (n, count, message) => {
    const images = Array.from({ length: count }, () => image())
    expect(resultWarnings(REQUEST, [{ ...ATTEMPT, n }], images)).toEqual([
      { code: 'IMAGES_MISSING', field: 'n', message },
    ])
  })

  it('compare the count of each successful attempt', () => {
    const attempts = [ATTEMPT, { ...ATTEMPT, id: 'att_2', state: 'FAILED' as const }]
    expect(resultWarnings(REQUEST, attempts, [image()])).toEqual([])
  })

  it('name the format if it differs', () => {
    expect(resultWarnings(REQUEST, [ATTEMPT], [image({ mimeType: 'image/jpeg' })])).toEqual([
      {
        code: 'FORMAT_DIFFERS',
        field: 'outputFormat',
        message: 'outputFormat is PNG; the provider returned JPEG.',
      },
    ])
  })

  it.each([
    ['800x600', []],
    ['64x48', []],
    ['800x800', ['size is 800x800; the provider returned 64x48.']],
  ])('compare the shape of an SVG with the size %s, not its numbers', (size, messages) => {
    const svg = image({ mimeType: 'image/svg+xml', thumbhash: null })
    const warnings = resultWarnings({ ...REQUEST, size, outputFormat: 'SVG' }, [ATTEMPT], [svg])
    expect(warnings.map(({ message }) => message)).toEqual(messages)
  })

  it.each<[Background, string, string | undefined]>([
    ['AUTO', TRANSPARENT, undefined],
    ['OPAQUE', OPAQUE, undefined],
    ['TRANSPARENT', TRANSPARENT, undefined],
    ['OPAQUE', TRANSPARENT, 'background is OPAQUE; the provider returned TRANSPARENT.'],
    ['TRANSPARENT', OPAQUE, 'background is TRANSPARENT; the provider returned OPAQUE.'],
  ])('name the background if it differs from %s', (background, hash, message) => {
    const warnings = resultWarnings({ ...REQUEST, background }, [ATTEMPT], [image({ thumbhash: hash })])
    expect(warnings).toEqual(
      message === undefined ? [] : [{ code: 'BACKGROUND_DIFFERS', field: 'background', message }],
    )
  })
})

it.each(DATABASES)('keeps a result that differs from the request in all of this, on %s', async (database) => {
  const provider = scripted((sent) => done({ ...sent, order: { ...sent.order, n: 1 } }))
  await using one = await openEngine({ database, providers: [provider] })
  const { id } = await one.create({
    n: 2,
    size: '1024x1024',
    outputFormat: 'WEBP',
    background: 'TRANSPARENT',
  })
  const { warnings } = await one.reached(id, 'SUCCEEDED')
  expect(warnings.map(({ code }) => code)).toEqual([
    'IMAGES_MISSING',
    'SIZE_DIFFERS',
    'FORMAT_DIFFERS',
    'BACKGROUND_DIFFERS',
  ])
})
