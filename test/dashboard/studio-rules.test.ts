// The form of the Studio, tested as tables: what a model offers, what becomes impossible, and what is sent.
import { describe, expect, it } from 'vitest'
import type { ModelCapabilities, SizeChoice } from '../../dashboard/src/api/generated.ts'
import { fileProblem, moveImage, pixelProblem } from '../../dashboard/src/studio/images/input-images.ts'
import { extraOf, textsOf } from '../../dashboard/src/studio/extra.ts'
import { obstacleOf, quoteInputOf, requestOf } from '../../dashboard/src/studio/request.ts'
import { rulesOf, type Offer } from '../../dashboard/src/studio/rules.ts'
import { DEFAULT_SETTINGS, type StudioSettings } from '../../dashboard/src/studio/settings.ts'
import { allowsSize, nearestSize, offeredSizes } from '../../dashboard/src/studio/sizes.ts'
import { readStudioSearch } from '../../dashboard/src/studio/studio-search.ts'

const list = (...values: string[]): SizeChoice => ({ auto: true, rule: 'a list', values, limits: null })
const rule: SizeChoice = {
  auto: true,
  rule: 'a rule',
  values: null,
  limits: { multipleOf: 16, maxEdge: 3840, maxRatio: 3, minPixels: 655_360, maxPixels: 8_294_400 },
}

const GPT: ModelCapabilities = {
  operations: ['GENERATE', 'EDIT'],
  sizes: rule,
  qualities: ['LOW', 'MEDIUM', 'HIGH'],
  backgrounds: ['AUTO', 'OPAQUE', 'TRANSPARENT'],
  moderations: ['AUTO', 'LOW'],
  outputFormats: ['PNG', 'JPEG', 'WEBP', 'GIF', 'SVG'],
  outputCompression: true,
  inputFidelities: [],
  styles: [],
  complexities: ['LOW', 'HIGH'],
  maxN: 4,
  maxInputImages: 16,
  mask: true,
  markup: true,
  maxPartialImages: 3,
  maxPromptLength: 20,
  extra: [],
  animation: { minFrames: 2, maxFrames: 16, defaultFrames: 9, frameStepMs: 10, maxFrameMs: 655_350 },
  svg: { models: ['writer'], efforts: ['LOW', 'HIGH'] },
  formatRules: [
    { format: 'GIF', mask: false, markup: true, maxN: 1, maxPartialImages: 0, sizes: list('512x512') },
  ],
}

const DALL_E: ModelCapabilities = {
  ...GPT,
  operations: ['GENERATE'],
  sizes: list('1024x1024', '1792x1024'),
  qualities: ['STANDARD', 'HD'],
  backgrounds: [],
  moderations: [],
  outputFormats: ['PNG'],
  outputCompression: false,
  styles: ['VIVID', 'NATURAL'],
  complexities: [],
  maxInputImages: 0,
  mask: false,
  markup: false,
  maxPartialImages: 0,
  animation: null,
  svg: null,
  formatRules: [],
}

const offer = (can: ModelCapabilities, provider = 'one'): Offer => ({
  provider,
  model: 'model',
  retiresOn: null,
  successor: null,
  can,
})
const rulesFor = (can: ModelCapabilities, part: Partial<StudioSettings> = {}, isEdit = false) =>
  rulesOf([offer(can)], { ...DEFAULT_SETTINGS, model: 'model', ...part }, { isEdit })

describe('sizes', () => {
  it.each([
    [rule, '1024x1024', true],
    [rule, '1000x1024', false],
    [rule, '3840x1280', true],
    [rule, '3840x1264', false],
    [rule, '640x640', false],
    [rule, '3840x3840', false],
    [rule, 'auto', true],
    [{ ...rule, auto: false }, 'auto', false],
    [list('512x512'), '512x512', true],
    [list('512x512'), '1024x1024', false],
  ])('by %o: %s is allowed: %s', (choice, size, isAllowed) => {
    expect(allowsSize(choice, size)).toBe(isAllowed)
  })

  it.each([
    [rule, '1000x1000', '1008x1008'],
    [rule, '7680x4320', '3840x2160'],
    [rule, '512x512', '816x816'],
    [list('1024x1024', '1792x1024', '1024x1792'), '3840x2160', '1792x1024'],
    [list('1024x1024', '1792x1024', '1024x1792'), '512x512', '1024x1024'],
  ])('by %o: the nearest to %s is %s', (choice, wanted, nearest) => {
    expect(nearestSize([choice], wanted)).toBe(nearest)
    expect(allowsSize(choice, nearest)).toBe(true)
  })

  it('that are offered are allowed', () => {
    for (const choice of [rule, list('512x512'), { ...rule, auto: false }])
      expect(offeredSizes(choice).every((size) => allowsSize(choice, size))).toBe(true)
  })
})

describe('the fields of a model', () => {
  it.each<[Partial<StudioSettings>, boolean, (keyof ReturnType<typeof rulesFor>)[]]>([
    [{}, false, ['partialImages']],
    [{ outputFormat: 'JPEG' }, false, ['outputCompression', 'partialImages']],
    [{ outputFormat: 'GIF' }, false, ['frames', 'frameDurationMs']],
    [{ outputFormat: 'SVG' }, false, ['partialImages', 'svg']],
  ])('with %o are those that apply to the format', (settings, isEdit, names) => {
    const rules = rulesFor(GPT, settings, isEdit)
    const optional = ['outputCompression', 'frames', 'frameDurationMs', 'partialImages', 'svg'] as const
    expect(optional.filter((name) => rules[name] !== undefined).toSorted()).toEqual(names.toSorted())
  })

  it('follow the rule of the format: sizes, mask and images per request', () => {
    const rules = rulesFor(GPT, { outputFormat: 'GIF', n: 3 })
    expect(rules.size.options.map(({ value }) => value)).toEqual(['auto', '512x512'])
    expect([rules.mask, rules.requests]).toEqual([false, 3])
  })

  it('offer no transparent background for JPEG', () => {
    const values = rulesFor(GPT, { outputFormat: 'JPEG' }).background?.options.map(({ value }) => value)
    expect(values).toEqual(['AUTO', 'OPAQUE'])
  })

  it('that leave no choice are absent', () => {
    const { outputFormat, background, moderation, complexity, style } = rulesFor(DALL_E)
    expect([outputFormat, background, moderation, complexity]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ])
    expect(style?.options.map(({ value }) => value)).toEqual([null, 'VIVID', 'NATURAL'])
  })

  it('of several providers are the union, and name who has an option', () => {
    const two = offer({ ...GPT, qualities: ['LOW', 'MAX'] }, 'two')
    const { quality } = rulesOf([offer(GPT), two], DEFAULT_SETTINGS, { isEdit: false })
    expect(quality?.options).toEqual([
      { value: 'AUTO', providers: undefined },
      { value: 'LOW', providers: undefined },
      { value: 'MEDIUM', providers: ['one'] },
      { value: 'HIGH', providers: ['one'] },
      { value: 'MAX', providers: ['two'] },
    ])
  })
})

/** Of settings that are sent within another one. */
const NAMES_SENT: Readonly<Record<string, string>> = { frames: 'animation', svgModel: 'svg' }

describe('a value that the model does not have', () => {
  it.each<[Partial<StudioSettings>, ModelCapabilities, Partial<StudioSettings>]>([
    [{ quality: 'MAX' }, GPT, { quality: 'HIGH' }],
    [{ quality: 'HD' }, GPT, { quality: 'HIGH' }],
    [{ quality: 'LOW' }, DALL_E, { quality: 'STANDARD' }],
    [{ style: 'VIVID' }, GPT, { style: null }],
    [{ background: 'TRANSPARENT' }, DALL_E, { background: 'AUTO' }],
    [{ size: '2048x2048' }, DALL_E, { size: '1024x1024' }],
    [{ outputFormat: 'GIF' }, DALL_E, { outputFormat: 'PNG' }],
    [{ partialImages: 2 }, DALL_E, { partialImages: 0 }],
    [{ outputFormat: 'GIF', frames: 40 }, GPT, { frames: 16 }],
    [{ outputFormat: 'SVG', svgModel: 'other' }, GPT, { svgModel: 'writer' }],
  ])('%o is marked, has a nearest value, and is not sent', (settings, can, nearest) => {
    const rules = rulesFor(can, settings)
    expect(rules.impossible.map((one) => one.nearest)).toEqual([nearest])
    const current = { ...DEFAULT_SETTINGS, ...settings }
    const request = requestOf('a fox', current, rules) as unknown as Record<string, unknown>
    const [[name, value] = []] = Object.entries(settings).toReversed()
    expect(JSON.stringify(request[NAMES_SENT[name ?? ''] ?? name ?? ''] ?? null)).not.toContain(
      JSON.stringify(value),
    )
    expect(rulesFor(can, { ...settings, ...nearest }).impossible).toEqual([])
  })

  it('says nothing about the default number of previews', () => {
    expect(rulesFor(DALL_E).impossible).toEqual([])
    expect(requestOf('a fox', DEFAULT_SETTINGS, rulesFor(DALL_E))).not.toHaveProperty('partialImages')
  })
})

describe('the request', () => {
  it('has only what differs from the defaults', () => {
    expect(requestOf(' a fox ', DEFAULT_SETTINGS, rulesFor(GPT))).toEqual({
      prompt: 'a fox',
      model: 'gpt-image-2',
      size: 'auto',
      n: 1,
      partialImages: 3,
    })
  })

  it('has the settings of its format, and quotes the number of images', () => {
    const settings = { ...DEFAULT_SETTINGS, outputFormat: 'GIF' as const, frames: 4, svgModel: 'writer' }
    const request = requestOf('a fox', settings, rulesFor(GPT, settings))
    expect(request).toMatchObject({ outputFormat: 'GIF', animation: { frames: 4 } })
    expect(request).not.toHaveProperty('svg')
    expect(quoteInputOf(request, { imageCount: 2, mask: true, markup: false })).toMatchObject({
      imageCount: 2,
      mask: true,
    })
  })

  it.each([
    ['', GPT, 0, false, 'Describe the picture.'],
    ['a fox', GPT, 0, false, undefined],
    ['a fox in the deep snow', GPT, 0, false, 'The prompt has 22 characters; model takes 20.'],
    ['a fox', DALL_E, 1, false, 'model does not edit images. Remove them, or choose another model.'],
    ['a fox', { ...GPT, maxInputImages: 1 }, 2, false, 'model takes one image; there are 2.'],
    [
      'a fox',
      { ...GPT, mask: false },
      1,
      true,
      'model does not take a mask here. Clear it, or choose another model.',
    ],
    ['a fox', { ...GPT, operations: ['EDIT' as const] }, 0, false, 'model only edits images. Add one.'],
  ])('of the prompt %o has an obstacle', (prompt, can, imageCount, mask, obstacle) => {
    const rules = rulesFor(can, {}, imageCount > 0)
    const settings = { ...DEFAULT_SETTINGS, model: 'model' }
    expect(obstacleOf(prompt, rules, settings, { imageCount, mask, markup: false })).toBe(obstacle)
  })
})

describe('more settings', () => {
  const TAKES_SEED = { ...GPT, extra: ['seed', 'note'] }
  const NOTHING = { imageCount: 0, mask: false, markup: false }

  it('are in the request only where they differ from their defaults', () => {
    const rules = rulesFor(TAKES_SEED)
    expect(Object.keys(requestOf('a fox', { ...DEFAULT_SETTINGS }, rules))).toEqual([
      'prompt',
      'model',
      'size',
      'n',
      'partialImages',
    ])
    const request = requestOf(
      'a fox',
      {
        ...DEFAULT_SETTINGS,
        extra: { seed: '7', note: 'dry' },
        metadata: [
          { key: 'team', value: 'a' },
          { key: '', value: '' },
        ],
        callbackUrl: ' https://example.com/done ',
        user: 'ann',
        onUnknownOutcome: 'RESEND',
        maxCharges: 2,
        unsupported: 'ERROR',
      },
      rules,
    )
    expect(request).toMatchObject({
      extra: { seed: 7, note: 'dry' },
      metadata: [{ key: 'team', value: 'a' }],
      callbackUrl: 'https://example.com/done',
      safetyIdentifier: 'ann',
      onUnknownOutcome: 'RESEND',
      maxCharges: 2,
      unsupported: 'ERROR',
    })
    const quoted = quoteInputOf(request, NOTHING)
    expect(quoted).toMatchObject({ extra: { seed: 7, note: 'dry' }, unsupported: 'ERROR' })
    expect(quoted).not.toHaveProperty('metadata')
  })

  it.each([
    ['7', 7],
    ['"7"', '7'],
    ['true', true],
    ['[1, 2]', [1, 2]],
    ['in oil', 'in oil'],
    ['{broken', '{broken'],
  ])('a parameter typed as %s is %o, and shown so again', (text, value) => {
    expect(extraOf({ seed: text }, ['seed'])).toEqual({ seed: value })
    expect(extraOf(textsOf({ seed: value }), ['seed'])).toEqual({ seed: value })
  })

  it('a parameter that a model does not take is kept, marked, and not sent', () => {
    const extra = { seed: '7', note: 'dry', empty: ' ' }
    const { impossible, ...rest } = rulesFor({ ...GPT, extra: ['seed'] }, { extra })
    expect(impossible).toEqual([
      {
        name: 'extra',
        message: 'model does not take the parameter note here.',
        nearest: { extra: { seed: '7' } },
        remedy: 'Remove it',
      },
    ])
    const request = requestOf('a fox', { ...DEFAULT_SETTINGS, extra }, { ...rest, impossible })
    expect(request).toMatchObject({ extra: { seed: 7 } })
  })

  it.each<[Partial<StudioSettings>, RegExp]>([
    [{ metadata: [{ key: 'a b', value: '' }] }, /“a b” cannot be the name of a label/],
    [{ metadata: [{ key: '', value: 'x' }] }, /“” cannot be the name of a label/],
    [
      {
        metadata: [
          { key: 'a', value: '1' },
          { key: 'a', value: '2' },
        ],
      },
      /two labels with the name a/,
    ],
    [{ metadata: [{ key: 'a', value: 'x'.repeat(501) }] }, /more than 500 characters/],
    [{ callbackUrl: 'http://example.com' }, /not of the form https/],
    [{ callbackUrl: 'https://example.com:8443' }, /not of the form https/],
    [{ user: 'x'.repeat(257) }, /more than 256 characters/],
    [{ extra: { seed: 'x'.repeat(5_000) } }, /maximum is 4,096/],
  ])('%o is not sent', (part, message) => {
    const settings = { ...DEFAULT_SETTINGS, model: 'model', ...part }
    expect(obstacleOf('a fox', rulesFor(TAKES_SEED, part), settings, NOTHING)).toMatch(message)
  })
})

describe('images', () => {
  it.each([
    [{ type: 'image/png', size: 100 }, undefined],
    [{ type: 'image/gif', size: 100 }, 'is image/gif. Use PNG, JPEG or WebP.'],
    [{ type: '', size: 100 }, 'is of an unknown type. Use PNG, JPEG or WebP.'],
    [{ type: 'image/png', size: 21 * 1024 * 1024 }, 'has 21 MB; the maximum is 20 MB.'],
  ])('of %o are checked before the upload', (file, problem) => {
    expect(fileProblem(file)).toBe(problem)
  })

  it('have a maximum of pixels, and an order', () => {
    expect(pixelProblem({ width: 8000, height: 5001 })).toBe(
      'has 8000 × 5001 pixels; the maximum is 40 million.',
    )
    expect(pixelProblem({ width: 8000, height: 5000 })).toBeUndefined()
    expect(moveImage(['a', 'b', 'c'], 2, 0)).toEqual(['c', 'a', 'b'])
    expect(moveImage(['a', 'b', 'c'], 0, 9)).toEqual(['b', 'c', 'a'])
  })
})

it('the address of the Studio keeps valid parameters only', () => {
  expect(readStudioSearch({ from: 'img_1', task: 'att_1', model: 'm', other: 'x' })).toEqual({
    from: 'img_1',
    model: 'm',
  })
})
