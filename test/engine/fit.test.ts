import { describe, expect, it } from 'vitest'
import type { ImageRequest, Settings } from '../../src/domain.ts'
import { matchCapabilities } from '../../src/engine/routing/match.ts'
import type { Capabilities, SizeRule } from '../../src/providers/provider.ts'
import { offer } from '../support/offers.ts'
import { plainRequest } from '../support/rows.ts'

const TODAY = '2026-11-20'
const edit: Partial<ImageRequest> = { operation: 'EDIT', images: [{ url: 'https://example.com/a.png' }] }
const fitted = (asked: Partial<ImageRequest>, can: Partial<Capabilities> = {}) =>
  matchCapabilities({ ...plainRequest, ...asked }, offer(can), TODAY)

describe('a request that can be honoured', () => {
  it.each<[what: string, asked: Partial<ImageRequest>, can: Partial<Capabilities>]>([
    [
      'leaves everything to the provider',
      {},
      { qualities: [], backgrounds: [], moderations: [], styles: [] },
    ],
    [
      'asks for all a model can do',
      {
        quality: 'HIGH',
        background: 'TRANSPARENT',
        moderation: 'LOW',
        style: 'VIVID',
        user: 'u',
        partialImages: 3,
      },
      {},
    ],
    ['compresses', { outputFormat: 'JPEG', outputCompression: 40 }, {}],
    ['edits closely', { ...edit, inputFidelity: 'HIGH' }, {}],
    ['takes a size from the list', { size: '1536x1024' }, {}],
    ['is as long as allowed, counted in code points', { prompt: '🦊'.repeat(100) }, {}],
  ])('that %s goes through unchanged', (_, asked, can) => {
    const { settings, warnings, refusals } = fitted(asked, can)
    expect([warnings, refusals]).toEqual([[], []])
    const {
      providers: _p,
      images: _i,
      mask: _m,
      operation: _o,
      metadata: _d,
      unsupported: _u,
      onUnknownOutcome: _k,
      maxCharges: _c,
      callbackUrl: _w,
      ...sent
    } = { ...plainRequest, ...asked }
    expect(settings).toEqual(sent)
  })
})

describe('a setting that cannot be honoured', () => {
  type Row = [
    field: keyof Settings,
    asked: Partial<ImageRequest>,
    can: Partial<Capabilities>,
    sent: unknown,
    code: string,
  ]
  it.each<Row>([
    ['quality', { quality: 'HD' }, {}, 'AUTO', 'SETTING_CHANGED'],
    ['background', { background: 'TRANSPARENT' }, { backgrounds: ['OPAQUE'] }, 'AUTO', 'SETTING_CHANGED'],
    ['moderation', { moderation: 'LOW' }, { moderations: [] }, 'AUTO', 'SETTING_CHANGED'],
    ['outputFormat', { outputFormat: 'WEBP' }, { outputFormats: ['PNG'] }, 'PNG', 'SETTING_CHANGED'],
    [
      'outputCompression',
      { outputFormat: 'JPEG', outputCompression: 5 },
      { outputCompression: false },
      null,
      'SETTING_IGNORED',
    ],
    ['inputFidelity', { inputFidelity: 'HIGH' }, {}, null, 'SETTING_IGNORED'],
    ['inputFidelity', { ...edit, inputFidelity: 'HIGH' }, { inputFidelities: [] }, null, 'SETTING_IGNORED'],
    ['style', { style: 'VIVID' }, { styles: [] }, null, 'SETTING_IGNORED'],
    ['user', { user: 'u' }, { user: false }, null, 'SETTING_IGNORED'],
    ['partialImages', { partialImages: 3 }, { maxPartialImages: 1 }, 1, 'SETTING_CHANGED'],
    ['partialImages', { partialImages: 2 }, { maxPartialImages: 0 }, 0, 'SETTING_CHANGED'],
  ])('%s is named in one warning, or refused where warnings are errors', (field, asked, can, sent, code) => {
    const warned = fitted(asked, can)
    expect(warned.settings[field]).toEqual(sent)
    expect(warned.warnings).toEqual([{ code, field, message: expect.stringMatching(/gpt-image-2/) }])
    expect(warned.refusals).toEqual([])

    const strict = fitted({ ...asked, unsupported: 'ERROR' }, can)
    expect(strict.refusals).toEqual([
      { code: 'CAPABILITY_MISSING', field, message: warned.warnings[0]!.message },
    ])
  })
})

describe('a request that cannot be served', () => {
  it.each<[field: string, code: string, asked: Partial<ImageRequest>, can: Partial<Capabilities>]>([
    ['images', 'CAPABILITY_MISSING', edit, { operations: ['GENERATE'] }],
    ['images', 'CAPABILITY_MISSING', {}, { operations: ['EDIT'] }],
    [
      'images',
      'CAPABILITY_MISSING',
      { ...edit, images: [{ url: 'a' }, { url: 'b' }] },
      { maxInputImages: 1 },
    ],
    ['mask', 'CAPABILITY_MISSING', { ...edit, mask: { url: 'm' } }, { mask: false }],
    ['size', 'BAD_USER_INPUT', { size: '640x480' }, {}],
    [
      'size',
      'BAD_USER_INPUT',
      { size: 'auto' },
      { sizes: { kind: 'list', auto: false, values: ['1024x1024'] } },
    ],
    ['prompt', 'BAD_USER_INPUT', { prompt: 'x'.repeat(101) }, {}],
  ])('is refused for its %s with %s', (field, code, asked, can) => {
    expect(fitted(asked, can).refusals).toEqual([{ field, code, message: expect.any(String) }])
  })
})

describe('a size rule', () => {
  const rule: SizeRule = {
    kind: 'rule',
    auto: true,
    multipleOf: 16,
    maxEdge: 3840,
    maxRatio: 3,
    minPixels: 655_360,
    maxPixels: 8_294_400,
  }
  it.each([
    ['auto', true],
    ['1024x1024', true],
    ['3840x2160', true],
    ['1536x512', true],
    ['1552x512', false],
    ['1000x1024', false],
    ['3856x2160', false],
    ['3840x2176', false],
    ['512x512', false],
    ['1024', false],
  ])('lets %s through: %s', (size, taken) => {
    expect(fitted({ size }, { sizes: rule }).refusals).toHaveLength(taken ? 0 : 1)
  })
})

describe('a model that is announced to end', () => {
  it.each([
    ['2026-12-20', 1],
    ['2026-12-21', 0],
    ['2026-11-01', 1],
  ])('on %s makes %i warnings today', (retiresOn, count) => {
    const { warnings, refusals } = matchCapabilities(
      { ...plainRequest, unsupported: 'ERROR' },
      offer({}, { retiresOn }),
      TODAY,
    )
    expect(warnings.map(({ code }) => code)).toEqual(Array(count).fill('MODEL_RETIRING'))
    expect(refusals).toEqual([])
  })
})
