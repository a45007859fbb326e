// Which settings the chosen model and provider take, from their capabilities. Pure: the form shows what it returns.
import type { ModelCapabilities, OutputFormat, SizeChoice } from '../api/generated.ts'
import { DEFAULT_SETTINGS, type SettingName, type StudioSettings } from './settings.ts'
import { allowsSize, nearestSize, offeredSizes } from './sizes.ts'
import { wordOf } from './words.ts'

/** A model at a provider. */
export interface Offer {
  provider: string
  model: string
  retiresOn: string | null
  successor: string | null
  can: ModelCapabilities
}

export interface Option<Value> {
  value: Value
  /** Who has it. Undefined if all have it. */
  providers: readonly string[] | undefined
}

export interface Choice<Value> {
  options: readonly Option<Value>[]
}

export interface Range {
  min: number
  max: number
}

/** A value that no offer takes. It is kept in the form, and not sent. */
export interface Impossible {
  name: SettingName
  message: string
  nearest: Partial<StudioSettings>
  /** Text of the button that uses the nearest value. By default its word. */
  remedy?: string
}

/** Undefined fields cannot be chosen. */
export interface Rules {
  size: Choice<string> & { limits: SizeChoice['limits']; rule: string }
  quality: Choice<StudioSettings['quality']> | undefined
  background: Choice<StudioSettings['background']> | undefined
  moderation: Choice<StudioSettings['moderation']> | undefined
  outputFormat: Choice<OutputFormat> | undefined
  style: Choice<StudioSettings['style']> | undefined
  complexity: Choice<StudioSettings['complexity']> | undefined
  inputFidelity: Choice<StudioSettings['inputFidelity']> | undefined
  outputCompression: Range | undefined
  partialImages: Range | undefined
  frames: (Range & { byDefault: number }) | undefined
  frameDurationMs: (Range & { step: number }) | undefined
  /** Null models: any name. */
  svg:
    | { models: readonly string[] | null; efforts: Choice<NonNullable<StudioSettings['svgEffort']>> }
    | undefined
  /** Names of parameters. */
  extra: Choice<string> | undefined
  /** Requests that the number of images is split into. */
  requests: number
  maxImages: number
  canGenerate: boolean
  mask: boolean
  markup: boolean
  maxPromptLength: number
  impossible: readonly Impossible[]
}

export const MAX_N = 10
const FORMATS_WITH_LEVEL: ReadonlySet<OutputFormat> = new Set(['JPEG', 'WEBP'])
/** From little to much work, to find the nearest. */
const QUALITY_RANKS = { LOW: 1, STANDARD: 2, MEDIUM: 2, HIGH: 3, HD: 3, XHIGH: 4, MAX: 5 } as const

/** `offers`: those of the chosen model at the chosen provider, or at any. At least one. */
export function rulesOf(
  offers: readonly Offer[],
  settings: StudioSettings,
  { isEdit }: { isEdit: boolean },
): Rules {
  const { model, outputFormat: format } = settings
  const all = offers.map((offer) => ({ ...offer, can: inFormat(offer.can, format) }))
  const cans = all.map(({ can }) => can)
  const most = (of: (can: ModelCapabilities) => number) => Math.max(0, ...cans.map(of))
  const choose = <Value>(of: (can: ModelCapabilities) => readonly Value[]) => choice(all, of)
  const orNull = <Value>(of: (can: ModelCapabilities) => readonly Value[]) =>
    choose<Value | null>((can) => (of(can).length > 0 ? [null, ...of(can)] : []))

  const partials = most((can) => can.maxPartialImages)
  const animations = cans.flatMap(({ animation }) => (animation && format === 'GIF' ? [animation] : []))
  const authors = cans.flatMap(({ svg }) => (svg && format === 'SVG' ? [svg] : []))
  const rules: Omit<Rules, 'impossible'> = {
    size: {
      ...choose(({ sizes }) => offeredSizes(sizes)),
      limits: cans.find(({ sizes }) => sizes.limits)?.sizes.limits ?? null,
      rule: cans[0]?.sizes.rule ?? '',
    },
    quality: unlessSingle(choose((can) => ['AUTO' as const, ...can.qualities])),
    background: unlessSingle(
      choose((can) => withAuto(can.backgrounds).filter((one) => format !== 'JPEG' || one !== 'TRANSPARENT')),
    ),
    moderation: unlessSingle(choose((can) => withAuto(can.moderations))),
    outputFormat: unlessSingle(choose((can) => can.outputFormats)),
    style: unlessSingle(orNull((can) => can.styles)),
    complexity: unlessSingle(orNull((can) => can.complexities)),
    inputFidelity: isEdit ? unlessSingle(orNull((can) => can.inputFidelities)) : undefined,
    outputCompression:
      FORMATS_WITH_LEVEL.has(format) && cans.some((can) => can.outputCompression)
        ? { min: 0, max: 100 }
        : undefined,
    partialImages: partials > 0 ? { min: 0, max: partials } : undefined,
    frames:
      animations.length > 0
        ? {
            min: Math.min(...animations.map(({ minFrames }) => minFrames)),
            max: Math.max(...animations.map(({ maxFrames }) => maxFrames)),
            byDefault: animations[0]?.defaultFrames ?? 1,
          }
        : undefined,
    frameDurationMs: animations[0]
      ? { min: animations[0].frameStepMs, max: animations[0].maxFrameMs, step: animations[0].frameStepMs }
      : undefined,
    svg:
      authors.length > 0
        ? {
            models: authors.some(({ models }) => models === null)
              ? null
              : [...new Set(authors.flatMap(({ models }) => models ?? []))],
            efforts: choose((can) => can.svg?.efforts ?? []),
          }
        : undefined,
    extra: cans.some((can) => can.extra.length > 0) ? choose((can) => can.extra) : undefined,
    requests: Math.ceil(
      settings.n /
        Math.max(
          1,
          most((can) => can.maxN),
        ),
    ),
    maxImages: cans.some(({ operations }) => operations.includes('EDIT'))
      ? most((can) => can.maxInputImages)
      : 0,
    canGenerate: cans.some(({ operations }) => operations.includes('GENERATE')),
    mask: cans.some(({ mask }) => mask),
    markup: cans.some(({ markup }) => markup),
    maxPromptLength: most((can) => can.maxPromptLength),
  }
  const impossible = [...listImpossible(rules, settings, model, cans, isEdit)]
  return { ...rules, impossible }
}

/** The settings without what no offer takes: those fields have their defaults. */
export function withoutImpossible(
  settings: StudioSettings,
  impossible: readonly Impossible[],
): StudioSettings {
  // Of the parameters, those that are allowed are sent.
  const whole = impossible.filter(({ name }) => name !== 'extra')
  const left = Object.fromEntries(whole.map(({ name }) => [name, DEFAULT_SETTINGS[name]]))
  return { ...settings, ...left }
}

/** Capabilities with the limits of a format. */
function inFormat(can: ModelCapabilities, format: OutputFormat): ModelCapabilities {
  const rule = can.formatRules.find((one) => one.format === format)
  if (!rule) return can
  const { mask, markup, maxN, maxPartialImages, sizes } = rule
  return { ...can, mask, markup, maxN, maxPartialImages, sizes }
}

/** The values that at least one offer has, in their order. */
function choice<Value>(
  offers: readonly Offer[],
  of: (can: ModelCapabilities) => readonly Value[],
): Choice<Value> {
  const values = [...new Set(offers.flatMap(({ can }) => of(can)))]
  return {
    options: values.map((value) => {
      const having = offers.filter(({ can }) => of(can).includes(value)).map(({ provider }) => provider)
      return { value, providers: having.length === offers.length ? undefined : having }
    }),
  }
}

function unlessSingle<Value>(given: Choice<Value>): Choice<Value> | undefined {
  return given.options.length > 1 ? given : undefined
}

function withAuto<Value extends string>(values: readonly Value[]): (Value | 'AUTO')[] {
  return ['AUTO', ...values.filter((value) => value !== 'AUTO')]
}

function* listImpossible(
  rules: Omit<Rules, 'impossible'>,
  settings: StudioSettings,
  model: string,
  cans: readonly ModelCapabilities[],
  isEdit: boolean,
): Generator<Impossible> {
  if (!cans.some(({ sizes }) => allowsSize(sizes, settings.size)))
    yield {
      name: 'size',
      message: `${model} does not have the size ${settings.size}.`,
      nearest: {
        size: nearestSize(
          cans.map(({ sizes }) => sizes),
          settings.size,
        ),
      },
    }
  // Their default needs no support.
  const choices = ['quality', 'background', 'moderation', 'style', 'complexity', 'inputFidelity'] as const
  for (const name of choices) {
    const value = settings[name]
    if (value === 'AUTO' || value === null) continue
    // Kept for the next edit; nothing is said about it before.
    if (name === 'inputFidelity' && !isEdit) continue
    const options: readonly (string | null)[] = rules[name]?.options.map((one) => one.value) ?? []
    if (options.includes(value)) continue
    const message = `${model} does not have ${WORDS[name]} ${wordOf(value)}.`
    yield { name, message, nearest: { [name]: nearestOf(name, value, options) } }
  }
  const formats = cans.flatMap((can) => can.outputFormats)
  if (!formats.includes(settings.outputFormat))
    yield {
      name: 'outputFormat',
      message: `${model} does not make ${settings.outputFormat}.`,
      nearest: { outputFormat: formats[0] ?? 'PNG' },
    }
  const max = rules.partialImages?.max ?? 0
  // The default means as many as there are.
  if (settings.partialImages > max && settings.partialImages !== DEFAULT_SETTINGS.partialImages)
    yield {
      name: 'partialImages',
      message: max === 0 ? `${model} sends no previews here.` : `${model} sends at most ${max} previews.`,
      nearest: { partialImages: max },
    }
  const { frames } = settings
  if (rules.frames && frames !== null && (frames < rules.frames.min || frames > rules.frames.max))
    yield {
      name: 'frames',
      message: `${model} makes ${rules.frames.min} to ${rules.frames.max} frames.`,
      nearest: { frames: Math.min(rules.frames.max, Math.max(rules.frames.min, frames)) },
    }
  const names = rules.extra?.options.map(({ value }) => value) ?? []
  const typed = Object.entries(settings.extra).filter(([, text]) => text.trim() !== '')
  const unknown = typed.flatMap(([name]) => (names.includes(name) ? [] : [name]))
  if (unknown.length > 0)
    yield {
      name: 'extra',
      message: `${model} does not take ${unknown.length === 1 ? 'the parameter' : 'the parameters'} ${unknown.join(', ')} here.`,
      nearest: { extra: Object.fromEntries(typed.filter(([name]) => names.includes(name))) },
      remedy: unknown.length === 1 ? 'Remove it' : 'Remove them',
    }
  const author = settings.svgModel
  if (rules.svg?.models && author !== '' && !rules.svg.models.includes(author))
    yield {
      name: 'svgModel',
      message: `${model} does not have the author ${author}.`,
      nearest: { svgModel: rules.svg.models[0] ?? '' },
    }
}

const WORDS = {
  quality: 'the quality',
  background: 'the background',
  moderation: 'the moderation',
  style: 'the style',
  complexity: 'the complexity',
  inputFidelity: 'the input fidelity',
} as const

function rankOf(quality: string | null): number {
  return QUALITY_RANKS[quality as keyof typeof QUALITY_RANKS] ?? Infinity
}

function nearestOf(name: keyof typeof WORDS, value: string, options: readonly (string | null)[]) {
  const byDefault = name === 'quality' || name === 'background' || name === 'moderation' ? 'AUTO' : null
  if (name !== 'quality') return byDefault
  const ranked = options.filter((one) => one !== 'AUTO')
  ranked.sort((a, b) => Math.abs(rankOf(a) - rankOf(value)) - Math.abs(rankOf(b) - rankOf(value)))
  return ranked[0] ?? byDefault
}
