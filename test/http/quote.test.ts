import { describe, expect, it } from 'vitest'
import { openGateway } from '../support/gateway.ts'

interface Quoted {
  quote: {
    offers: {
      provider: { name: string }
      expectedMicros: number | null
      maxMicros: number | null
      priceVersion: string | null
      warnings: { code: string; field: string }[]
      inCooldown: boolean
    }[]
    refusals: { provider: { name: string }; field: string; code: string; message: string }[]
  }
}

const QUOTE = `query ($input: QuoteInput!) { quote(input: $input) {
  offers { provider { name } expectedMicros maxMicros priceVersion warnings { code field } inCooldown }
  refusals { provider { name } field code message }
} }`

/** No call is made: the address is never used. */
const remote = (name: string, settings: object) => ({
  name,
  dialect: 'openai',
  apiKey: 'key-of-this-test',
  baseUrl: 'http://127.0.0.1:9/v1',
  models: [{ name: 'gpt-image-2', ...settings }],
})

const PROVIDERS = [
  remote('single', {
    capabilities: { maxN: 1, qualities: ['MEDIUM'] },
    price: { imageMicros: 40_000, version: 'spring' },
  }),
  remote('unpriced', { price: null }),
  remote('generator', { capabilities: { operations: ['GENERATE'], maxInputImages: 0, mask: false } }),
]

describe('a quote', () => {
  it('has the cost at each provider that can serve the request, and why the others cannot', async () => {
    await using gateway = await openGateway({ providers: PROVIDERS })
    const ask = async (input: object) => (await gateway.get<Quoted>(QUOTE, { input })).quote
    const edit = await ask({
      prompt: 'a fox',
      size: '1024x1024',
      quality: 'LOW',
      n: 3,
      imageCount: 1,
    })
    expect(edit.offers).toEqual([
      {
        provider: { name: 'unpriced' },
        expectedMicros: null,
        maxMicros: null,
        priceVersion: null,
        warnings: [],
        inCooldown: false,
      },
      {
        provider: { name: 'single' },
        expectedMicros: 120_000,
        maxMicros: 120_000,
        priceVersion: 'spring',
        warnings: [{ code: 'SETTING_CHANGED', field: 'quality' }],
        inCooldown: false,
      },
    ])
    expect(edit.refusals.map(({ provider, code, field }) => [provider.name, code, field])).toEqual([
      ['generator', 'CAPABILITY_MISSING', 'images'],
      ['generator', 'CAPABILITY_MISSING', 'images'],
    ])
    const generation = await ask({ prompt: 'a fox', size: '1024x1024', quality: 'MEDIUM' })
    expect(generation.offers.map(({ provider }) => provider.name)).toEqual([
      'single',
      'unpriced',
      'generator',
    ])
    const priced = generation.offers.find(({ provider }) => provider.name === 'generator')!
    expect(priced.expectedMicros).toBeGreaterThan(0)
    expect(priced.maxMicros).toBeGreaterThanOrEqual(priced.expectedMicros!)
    expect(await gateway.get('{ tasks { totalCount } }')).toEqual({ tasks: { totalCount: 0 } })
  })

  it('says the amount that generateImage then holds', async () => {
    await using gateway = await openGateway({ providers: [remote('single', {})] })
    const input = { prompt: 'a fox in the snow', size: '1536x1024', quality: 'HIGH', n: 2, partialImages: 1 }
    const { quote } = await gateway.get<Quoted>(QUOTE, { input })
    const id = await gateway.generate(input)
    const { task } = await gateway.get<{ task: { attempts: { heldMicros: number }[] } }>(
      'query ($id: ID!) { task(id: $id) { attempts { heldMicros } } }',
      { id },
    )
    expect(task.attempts.map(({ heldMicros }) => heldMicros)).toEqual([quote.offers[0]!.maxMicros])
  })

  it.each([
    [{ prompt: ' ' }, 'BAD_USER_INPUT', 'prompt'],
    [{ prompt: 'a fox', imageCount: 17 }, 'BAD_USER_INPUT', 'imageCount'],
    [{ prompt: 'a fox', mask: true }, 'BAD_USER_INPUT', 'mask'],
    [{ prompt: 'a fox', model: 'gpt-image-99' }, 'MODEL_UNKNOWN', 'model'],
    [{ prompt: 'a fox', providers: ['nowhere'] }, 'PROVIDER_UNKNOWN', 'providers.0'],
  ])('of %j is refused: %s in %s', async (input, code, field) => {
    await using gateway = await openGateway({ providers: PROVIDERS })
    const { errors } = await gateway.execute(QUOTE, { input })
    expect(errors?.[0]?.extensions).toMatchObject({ code, field })
  })
})
