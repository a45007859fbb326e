import { describe, expect, it } from 'vitest'
import type { ImageRequest } from '../../src/domain.ts'
import { routes, type RoutingConditions } from '../../src/engine/routing/route.ts'
import type { Provider } from '../../src/providers/provider.ts'
import { offer, offering } from '../support/offers.ts'
import { plainRequest } from '../support/rows.ts'

const NOW: RoutingConditions = { today: '2026-11-20', inCooldown: () => false, needsPrice: false }
const names = (requested: Partial<ImageRequest>, providers: Provider[], now = NOW) =>
  routes({ ...plainRequest, ...requested }, providers, now).map(({ provider }) => provider.name)

const able = offering('able', offer())
const plain = offering('plain', offer({ qualities: [] }))
const single = offering('single', offer({ maxN: 1 }))
const other = offering('other', offer({}, { model: 'dall-e-3' }))

describe('the order of providers', () => {
  it.each<[what: string, requested: Partial<ImageRequest>, providers: Provider[], order: string[]]>([
    ['is the operator’s among equals', {}, [plain, able], ['plain', 'able']],
    ['puts providers that honor every setting first', { quality: 'HIGH' }, [plain, able], ['able', 'plain']],
    ['puts providers that need fewer calls first', { n: 4 }, [single, able], ['able', 'single']],
    [
      'puts honored settings before fewer calls',
      { n: 4, quality: 'HIGH' },
      [plain, single],
      ['single', 'plain'],
    ],
    [
      'is the client’s when it names them',
      { quality: 'HIGH', providers: ['plain', 'able'] },
      [able, plain],
      ['plain', 'able'],
    ],
    ['omits providers that do not serve the model', {}, [other, able], ['able']],
    [
      'omits providers that cannot serve the request',
      { size: '1536x1024' },
      [offering('small', offer({ sizes: { kind: 'list', auto: true, values: [] } })), able],
      ['able'],
    ],
    ['omits providers that the client did not name', { providers: ['able'] }, [plain, able], ['able']],
  ])('%s', (_, requested, providers, order) => {
    expect(names(requested, providers)).toEqual(order)
  })

  it.each([
    ['the operator’s', {}],
    ['the client’s', { providers: ['plain', 'able'] }],
  ])('puts providers in cooldown last, even in %s order', (_, requested) => {
    const conditions: RoutingConditions = {
      ...NOW,
      inCooldown: (provider, model) => provider === 'plain' && model === 'gpt-image-2',
    }
    expect(names(requested, [plain, able], conditions)).toEqual(['able', 'plain'])
  })

  it('ranks a retiring model like any other', () => {
    const retiring = offering('retiring', offer({}, { retiresOn: '2026-11-21' }))
    expect(names({ quality: 'HIGH' }, [retiring, able])).toEqual(['retiring', 'able'])
  })
})

describe('a request without an eligible provider', () => {
  it.each<
    [code: string, field: string, says: RegExp, requested: Partial<ImageRequest>, providers: Provider[]]
  >([
    [
      'PROVIDER_UNKNOWN',
      'providers.1',
      /"missing".*Configured: able, plain/,
      { providers: ['able', 'missing'] },
      [able, plain],
    ],
    ['MODEL_UNKNOWN', 'model', /"gpt-9".*Served: gpt-image-2, dall-e-3/, { model: 'gpt-9' }, [able, other]],
    ['MODEL_UNKNOWN', 'model', /Served: dall-e-3\./, { providers: ['other'] }, [able, other]],
    ['BAD_USER_INPUT', 'size', /^size is 9x9; /, { size: '9x9' }, [able]],
    ['CAPABILITY_MISSING', 'quality', /quality HD/, { quality: 'HD', unsupported: 'ERROR' }, [able]],
  ])('is refused with %s for %s', (code, field, says, requested, providers) => {
    const refusal = { code, field, message: expect.stringMatching(says) }
    expect(() => names(requested, providers)).toThrow(expect.objectContaining(refusal))
  })

  it('is refused with the one problem of the closest provider', () => {
    const far = offering(
      'far',
      offer({ operations: ['EDIT'], sizes: { kind: 'list', auto: false, values: [] } }),
    )
    const near = offering('near', offer({ sizes: { kind: 'list', auto: false, values: ['512x512'] } }))
    expect(() => names({}, [far, near])).toThrow(/512x512/)
  })
})
