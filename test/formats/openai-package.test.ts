// What the openai package would send for a request arrives from Darkroom as well.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { matchCapabilities } from '../../src/engine/routing/match.ts'
import { CATALOGUE } from '../../src/providers/models/catalogue.ts'
import { offersFrom } from '../../src/providers/models/offers.ts'
import type { ProviderRequest } from '../../src/providers/provider.ts'
import { plainRequest } from '../support/rows.ts'
import {
  file,
  image,
  openReceiver,
  type Files,
  type PackageRequest,
  type Receiver,
} from './package-requests.ts'
import { familyOf, FAMILIES, TABLE, type SettingsRow } from './settings-table.ts'

const COMMON = { model: 'gpt-image-2.6-flare', prompt: 'a fox', n: 1 }

const CASES: [what: string, requested: Partial<ProviderRequest>, parameters: object, files?: Files][] = [
  ['a plain request', {}, {}],
  ['quality and complexity', { quality: 'MAX', complexity: 'HIGH' }, { quality: 'max', complexity: 'high' }],
  [
    'background, moderation and size',
    { background: 'TRANSPARENT', moderation: 'LOW', size: '1536x864' },
    { background: 'transparent', moderation: 'low', size: '1536x864' },
  ],
  [
    'a compressed format',
    { outputFormat: 'WEBP', outputCompression: 40 },
    { output_format: 'webp', output_compression: 40 },
  ],
  [
    'a GIF',
    { outputFormat: 'GIF', animation: { frames: 4, frameDurationMs: 150 } },
    { output_format: 'gif', frame_count: 4, frame_duration_ms: 150 },
  ],
  ['a GIF with defaults', { outputFormat: 'GIF' }, { output_format: 'gif' }],
  [
    'an SVG',
    { outputFormat: 'SVG', svg: { model: 'author-1', effort: 'XHIGH' } },
    { output_format: 'svg', svg: { model: 'author-1', reasoning: { effort: 'xhigh' } } },
  ],
  [
    'an SVG without effort',
    { outputFormat: 'SVG', svg: { model: 'a', effort: null } },
    { output_format: 'svg', svg: { model: 'a' } },
  ],
  ['an identifier', { safetyIdentifier: 'ada' }, { safety_identifier: 'ada' }],
  ['a user', { user: 'ada' }, { user: 'ada' }],
  ['an unknown parameter', { extra: { seed: 7, list: [1, 2] } }, { seed: 7, list: [1, 2] }],
  ['an edit', { images: [image] }, { size: 'auto' }, { image: [file('image-1.png')] }],
  [
    'an edit of two images with a mask',
    { images: [image, image], mask: image, complexity: 'LOW' },
    { size: 'auto', complexity: 'low' },
    { image: [file('image-1.png'), file('image-2.png')], mask: [file('mask.png')] },
  ],
  [
    'an edit with markup into an SVG',
    { images: [image], markup: image, outputFormat: 'SVG', svg: { model: 'author-1', effort: 'NONE' } },
    { size: 'auto', output_format: 'svg', svg: { model: 'author-1', reasoning: { effort: 'none' } } },
    { image: [file('image-1.png')], markup: [file('markup.png')] },
  ],
  ['previews', { partialImages: 2 }, { stream: true, partial_images: 2 }],
]

const MODELS = offersFrom(CATALOGUE.map(({ name }) => name)).map((offer) => ({
  offer,
  rows: TABLE.filter(({ outcomes }) => outcomeOf(outcomes, offer.model) !== 'r'),
}))

let receiver: Receiver
let expected: object[] = []
beforeAll(async () => {
  receiver = await openReceiver()
  expected = await receiver.sendWithPackage([
    ...CASES.map(([, , parameters, files]) => toRequest({ ...COMMON, ...parameters }, files)),
    ...MODELS.flatMap(({ offer, rows }) => rows.map((row) => ofPackage(row, offer.model))),
  ])
}, 120_000)
afterAll(() => receiver.close())

it.each(CASES.map((one, nth) => [one[0], one[1], nth] as const))(
  '%s is sent as by the package',
  async (_, requested, nth) => {
    const request = { model: COMMON.model, ...requested, prompt: COMMON.prompt }
    expect(await receiver.send(request)).toEqual(expected[nth])
  },
)

it.each(MODELS)(
  'every setting that $offer.model supports is sent as by the package',
  async ({ offer, rows }) => {
    const before = MODELS.slice(
      0,
      MODELS.findIndex((one) => one.offer === offer),
    )
    let nth = CASES.length + before.reduce((sum, one) => sum + one.rows.length, 0)
    for (const { what, requested } of rows) {
      const { settings } = matchCapabilities({ ...plainRequest, ...requested }, offer, '2026-01-01')
      const sent = await receiver.send({
        ...settings,
        model: offer.model,
        prompt: COMMON.prompt,
        ...(requested.images && { images: requested.images.map(() => image), operation: 'EDIT' }),
        ...(requested.mask && { mask: image }),
        ...(requested.markup && { markup: image }),
      })
      expect({ what, ...sent }).toEqual({ what, ...expected[nth++] })
    }
  },
)

function outcomeOf(outcomes: string, model: string): string | undefined {
  return outcomes.split(' ')[FAMILIES.indexOf(familyOf(model))]
}

/** What a user of the package writes for the outcome of a row. */
function ofPackage(row: SettingsRow, model: string): PackageRequest {
  const { requested, outcomes, sent, adjusted = {}, dalle = sent } = row
  const isDalle = model.startsWith('dall-e')
  const names = requested.images?.map((_, index) => file(`image-${index + 1}.png`))
  const parameters = {
    model,
    prompt: COMMON.prompt,
    n: 1,
    // The default of the package's edits is no automatic size, and of DALL·E's images an address.
    ...(names && !isDalle && { size: 'auto' }),
    ...(isDalle && { response_format: 'b64_json' }),
    ...(outcomeOf(outcomes, model) === 'w' ? adjusted : isDalle ? dalle : sent),
  }
  if (!names) return toRequest(parameters)
  return toRequest(parameters, {
    image: names,
    ...(requested.mask && { mask: [file('mask.png')] }),
    ...(requested.markup && { markup: [file('markup.png')] }),
  })
}

function toRequest(parameters: object, files?: Files): PackageRequest {
  return { method: files ? 'edit' : 'generate', parameters, files }
}
