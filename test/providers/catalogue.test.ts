import { expect, it } from 'vitest'
import { BACKGROUNDS, OUTPUT_FORMATS, QUALITIES } from '../../src/domain.ts'
import { CATALOGUE, findModel } from '../../src/providers/models/catalogue.ts'

function capabilitiesOf(name: string) {
  const model = findModel(name)
  if (!model) throw new Error(`No model ${name}`)
  return model.capabilities
}

it('finds a model by its name, and none by an unknown name', () => {
  expect(findModel('gpt-image-2')?.name).toBe('gpt-image-2')
  expect(findModel('gpt-image-2-2026-04-21')?.capabilities).toEqual(findModel('gpt-image-2')?.capabilities)
  expect(findModel('gpt-image-3')).toBeUndefined()
})

it('names every model once, each with a date and a source', () => {
  expect(new Set(CATALOGUE.map((model) => model.name)).size).toBe(CATALOGUE.length)
  for (const { asOf, source, retiresOn, price } of CATALOGUE) {
    expect(asOf).toMatch(/^2026-\d\d-\d\d$/)
    expect(source).toMatch(/^https:\/\//)
    expect(retiresOn ?? '2026-12-01').toMatch(/^2026-\d\d-\d\d$/)
    expect(price?.version ?? 'openai-2026-07-24').toMatch(/^openai-2026-\d\d-\d\d$/)
  }
})

it('supports the default settings for every model', () => {
  for (const { capabilities } of CATALOGUE) {
    expect(capabilities.sizes.auto).toBe(true)
    expect(capabilities.qualities).toContain(QUALITIES[0])
    expect(capabilities.backgrounds).toContain(BACKGROUNDS[0])
    expect(capabilities.outputFormats).toContain(OUTPUT_FORMATS[0])
  }
})

it.each([
  ['gpt-image-2', 5_000_000, 8_000_000, 30_000_000],
  ['gpt-image-2.5-flare', 5_000_000, 8_000_000, 30_000_000],
  ['gpt-image-2.5-sunburst', 5_000_000, 8_000_000, 30_000_000],
  ['gpt-image-1.5', 5_000_000, 8_000_000, 32_000_000],
  ['gpt-image-1', 5_000_000, 10_000_000, 40_000_000],
  ['gpt-image-1-mini', 2_000_000, 2_500_000, 8_000_000],
])('prices %s per million tokens of each class', (name, text, image, output) => {
  const price = findModel(name)?.price
  expect(price).toMatchObject({ inputTextMicros: text, inputImageMicros: image, outputImageMicros: output })
})

it.each([
  ['gpt-image-2', null],
  ['gpt-image-2.5-flare', null],
  ['gpt-image-1.5', '2026-12-01'],
  ['gpt-image-1-mini', '2026-12-01'],
  ['gpt-image-1', '2026-10-23'],
  ['dall-e-3', '2026-05-12'],
  ['dall-e-2', '2026-05-12'],
])('records that %s ends on %s', (name, date) => {
  expect(findModel(name)?.retiresOn).toBe(date)
})

it('offers transparency for related models, but not for gpt-image-2', () => {
  expect(capabilitiesOf('gpt-image-2').backgrounds).toEqual(['AUTO', 'OPAQUE'])
  expect(capabilitiesOf('gpt-image-2.5-flare').backgrounds).toContain('TRANSPARENT')
  expect(capabilitiesOf('gpt-image-1.5').backgrounds).toContain('TRANSPARENT')
})

it('offers input fidelity only for models that accept it', () => {
  const taking = CATALOGUE.filter(({ capabilities }) => capabilities.inputFidelities.length > 0)
  expect(taking.map((model) => model.name)).toEqual([
    'gpt-image-1.5',
    'gpt-image-1.5-2025-12-16',
    'gpt-image-1',
  ])
})

it('offers style for dall-e-3 only, and partial images, masks and formats for models that support them', () => {
  const styled = CATALOGUE.filter(({ capabilities }) => capabilities.styles.length > 0)
  expect(styled.map((model) => model.name)).toEqual(['dall-e-3'])
  expect(capabilitiesOf('dall-e-3')).toMatchObject({
    operations: ['GENERATE'],
    maxN: 1,
    mask: false,
    maxPartialImages: 0,
  })
  expect(capabilitiesOf('dall-e-2')).toMatchObject({
    maxInputImages: 1,
    mask: true,
    maxPartialImages: 0,
    outputFormats: ['PNG'],
  })
  expect(capabilitiesOf('gpt-image-2')).toMatchObject({
    maxInputImages: 16,
    mask: true,
    maxPartialImages: 3,
    maxN: 10,
  })
})

it('has the published size rule for gpt-image-2 and size lists for older models', () => {
  expect(capabilitiesOf('gpt-image-2').sizes).toEqual({
    kind: 'rule',
    auto: true,
    multipleOf: 16,
    maxEdge: 3840,
    maxRatio: 3,
    minPixels: 655_360,
    maxPixels: 8_294_400,
  })
  expect(capabilitiesOf('gpt-image-1').sizes).toMatchObject({
    values: ['1024x1024', '1536x1024', '1024x1536'],
  })
})
