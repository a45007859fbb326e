// Every model of the catalogue with every setting: accepted, adjusted with a warning, or refused.
import { describe, expect, it } from 'vitest'
import type { ImageRequest } from '../../src/domain.ts'
import { matchCapabilities } from '../../src/engine/routing/match.ts'
import { CATALOGUE } from '../../src/providers/models/catalogue.ts'
import { offersFrom } from '../../src/providers/models/offers.ts'
import { plainRequest } from '../support/rows.ts'

const TODAY = '2026-01-01'
const IMAGE = { url: 'https://example.com/a.png' }
const edit: Partial<ImageRequest> = { operation: 'EDIT', images: [IMAGE] }
const gif: Partial<ImageRequest> = { outputFormat: 'GIF' }
const svg: Partial<ImageRequest> = { outputFormat: 'SVG' }

const FAMILIES = ['2', '2.5', '2.6', '1', 'mini', 'dall-e-3', 'dall-e-2'] as const
type Family = (typeof FAMILIES)[number]

function familyOf(name: string): Family {
  if (name.startsWith('dall-e')) return name === 'dall-e-3' ? 'dall-e-3' : 'dall-e-2'
  if (name.includes('-mini') || name === 'chatgpt-image-latest') return 'mini'
  const [, number = ''] = /^gpt-image-([\d.]+)/.exec(name) ?? []
  return number.startsWith('1') ? '1' : FAMILIES.find((family) => family === number.replace(/-.*/, ''))!
}

/** a: accepted; w: adjusted with a warning; r: refused. In the order of FAMILIES. */
const TABLE: [what: string, requested: Partial<ImageRequest>, field: string, outcomes: string][] = [
  ['nothing', {}, '', 'a a a a a a a'],
  ['size 1536x864', { size: '1536x864' }, 'size', 'a a a r r r r'],
  ['size 256x256', { size: '256x256' }, 'size', 'r r r r r r a'],
  ['quality MEDIUM', { quality: 'MEDIUM' }, 'quality', 'a a a a a w w'],
  ['quality MAX', { quality: 'MAX' }, 'quality', 'w a a w w w w'],
  ['quality HD', { quality: 'HD' }, 'quality', 'w w w w w a w'],
  ['background TRANSPARENT', { background: 'TRANSPARENT' }, 'background', 'w a a a a w w'],
  ['moderation LOW', { moderation: 'LOW' }, 'moderation', 'a a a a a w w'],
  ['WEBP', { outputFormat: 'WEBP' }, 'outputFormat', 'a a a a a w w'],
  ['compression', { outputFormat: 'JPEG', outputCompression: 50 }, 'outputCompression', 'a a a a a w w'],
  ['fidelity', { ...edit, inputFidelity: 'HIGH' }, 'inputFidelity', 'w w w a w r w'],
  ['style', { style: 'VIVID' }, 'style', 'w w w w w a w'],
  ['complexity', { complexity: 'HIGH' }, 'complexity', 'a a a w w w w'],
  ['previews', { partialImages: 2 }, 'partialImages', 'a a a a a w w'],
  ['user', { user: 'ada' }, 'user', 'a a a a a a a'],
  // Sent as `user` where the newer name is unknown.
  ['identifier', { safetyIdentifier: 'ada', user: 'ada' }, 'safetyIdentifier', 'a a a a a a a'],
  ['an edit', edit, 'images', 'a a a a a r a'],
  ['two images', { ...edit, images: [IMAGE, IMAGE] }, 'images', 'a a a a a r r'],
  ['a mask', { ...edit, mask: IMAGE }, 'mask', 'a a a a a r a'],
  ['markup', { ...edit, markup: IMAGE }, 'markup', 'r a r r r r r'],
  ['an unknown parameter', { extra: { seed: 7 } }, 'extra.seed', 'w w w w w w w'],
  ['a GIF', gif, 'outputFormat', 'r r a r r r r'],
  [
    'a GIF of 16 frames',
    { ...gif, animation: { frames: 16, frameDurationMs: null } },
    'animation',
    'r r a r r r r',
  ],
  [
    'a GIF of 17 frames',
    { ...gif, animation: { frames: 17, frameDurationMs: null } },
    'animation.frames',
    'r r r r r r r',
  ],
  [
    'a GIF of 1 frame',
    { ...gif, animation: { frames: 1, frameDurationMs: null } },
    'animation.frames',
    'r r r r r r r',
  ],
  [
    'a frame of 204 ms',
    { ...gif, animation: { frames: null, frameDurationMs: 204 } },
    'animation.frameDurationMs',
    'r r w r r r r',
  ],
  ['previews of a GIF', { ...gif, partialImages: 1 }, 'partialImages', 'r r w r r r r'],
  ['a mask for a GIF', { ...gif, ...edit, mask: IMAGE }, 'mask', 'r r r r r r r'],
  ['an SVG', svg, 'outputFormat', 'r r a r r r r'],
  ['an author', { ...svg, svg: { model: 'author-1', effort: 'LOW' } }, 'svg', 'r r a r r r r'],
  ['previews of an SVG', { ...svg, partialImages: 1 }, 'partialImages', 'r r w r r r r'],
  ['a mask for an SVG', { ...svg, ...edit, mask: IMAGE }, 'mask', 'r r a r r r r'],
]

const offers = offersFrom(CATALOGUE.map(({ name }) => name))

describe.each(offers)('$model', (offer) => {
  const nth = FAMILIES.indexOf(familyOf(offer.model))
  it.each(TABLE)('is asked for %s', (_, requested, field, outcomes) => {
    const request: ImageRequest = { ...plainRequest, ...requested, model: offer.model }
    const { warnings, refusals } = matchCapabilities(request, offer, TODAY)
    const expected = outcomes.split(' ')[nth]
    expect(refusals.length > 0).toBe(expected === 'r')
    const isWarned = warnings.some((warning) => warning.field === field)
    expect(refusals.length === 0 && isWarned).toBe(expected === 'w')
    const strict = matchCapabilities({ ...request, unsupported: 'ERROR' }, offer, TODAY)
    expect(strict.refusals.length > 0).toBe(expected !== 'a')
  })

  it('is split into calls of one SVG each', () => {
    const request: ImageRequest = { ...plainRequest, ...svg, n: 3, model: offer.model }
    const { maxN, refusals } = matchCapabilities(request, offer, TODAY)
    expect(refusals.length > 0 || maxN === 1).toBe(true)
  })
})

it('the table has a column for every model', () => {
  for (const { model } of offers) expect(FAMILIES).toContain(familyOf(model))
  for (const [, , , outcomes] of TABLE) expect(outcomes).toMatch(/^(?:[awr] ){6}[awr]$/)
})
