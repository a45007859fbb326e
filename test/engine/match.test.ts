import { describe, expect, it } from 'vitest'
import type { ImageRequest, Settings } from '../../src/domain.ts'
import { matchCapabilities } from '../../src/engine/routing/match.ts'
import type { Capabilities, SizeRule } from '../../src/providers/provider.ts'
import { offer } from '../support/offers.ts'
import { plainRequest } from '../support/rows.ts'

const TODAY = '2026-11-20'
const edit: Partial<ImageRequest> = { operation: 'EDIT', images: [{ url: 'https://example.com/a.png' }] }
const match = (requested: Partial<ImageRequest>, capabilities: Partial<Capabilities> = {}) =>
  matchCapabilities({ ...plainRequest, ...requested }, offer(capabilities), TODAY)

describe('a request within the capabilities', () => {
  it.each<[what: string, requested: Partial<ImageRequest>, capabilities: Partial<Capabilities>]>([
    [
      'leaves every setting to the provider',
      {},
      { qualities: [], backgrounds: [], moderations: [], styles: [] },
    ],
    [
      'uses every capability',
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
    ['sets a compression', { outputFormat: 'JPEG', outputCompression: 40 }, {}],
    ['edits with high fidelity', { ...edit, inputFidelity: 'HIGH' }, {}],
    ['has a listed size', { size: '1536x1024' }, {}],
    ['has the maximum prompt length in code points', { prompt: '🦊'.repeat(100) }, {}],
  ])('is sent unchanged when it %s', (_, requested, capabilities) => {
    const { settings, warnings, refusals } = match(requested, capabilities)
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
      markup: _x,
      ...sent
    } = { ...plainRequest, ...requested }
    expect(settings).toEqual(sent)
  })
})

describe('a setting outside the capabilities', () => {
  type Row = [
    field: keyof Settings,
    requested: Partial<ImageRequest>,
    capabilities: Partial<Capabilities>,
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
  ])(
    '%s causes one warning, or an error with unsupported: ERROR',
    (field, requested, capabilities, sent, code) => {
      const warned = match(requested, capabilities)
      expect(warned.settings[field]).toEqual(sent)
      expect(warned.warnings).toEqual([{ code, field, message: expect.stringMatching(/gpt-image-2/) }])
      expect(warned.refusals).toEqual([])

      const strict = match({ ...requested, unsupported: 'ERROR' }, capabilities)
      expect(strict.refusals).toEqual([
        { code: 'CAPABILITY_MISSING', field, message: warned.warnings[0]!.message },
      ])
    },
  )
})

describe('a request that cannot be served', () => {
  it.each<
    [field: string, code: string, requested: Partial<ImageRequest>, capabilities: Partial<Capabilities>]
  >([
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
  ])('is refused for its %s with %s', (field, code, requested, capabilities) => {
    expect(match(requested, capabilities).refusals).toEqual([{ field, code, message: expect.any(String) }])
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
  ])('accepts %s: %s', (size, accepted) => {
    expect(match({ size }, { sizes: rule }).refusals).toHaveLength(accepted ? 0 : 1)
  })
})

describe('a model with an announced retirement', () => {
  it.each([
    ['2026-12-20', 1],
    ['2026-12-21', 0],
    ['2026-11-20', 1],
  ])('on %s causes %i warnings today', (retiresOn, count) => {
    const { warnings, refusals } = matchCapabilities(
      { ...plainRequest, unsupported: 'ERROR' },
      offer({}, { retiresOn }),
      TODAY,
    )
    expect(warnings.map(({ code }) => code)).toEqual(Array(count).fill('MODEL_RETIRING'))
    expect(refusals).toEqual([])
  })

  it('is refused after the date, with the successor', () => {
    const about = { retiresOn: '2026-11-19', successor: 'gpt-image-2.5-sunburst' }
    const { refusals } = matchCapabilities(plainRequest, offer({}, about), TODAY)
    expect(refusals).toEqual([
      {
        code: 'MODEL_UNKNOWN',
        field: 'model',
        message: 'gpt-image-2 was shut down on 2026-11-19. Use gpt-image-2.5-sunburst.',
      },
    ])
  })
})
