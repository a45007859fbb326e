import type { ImageRequest, Settings, Warning } from '../../domain.ts'
import { parseSize } from '../../domain.ts'
import type { GatewayErrorCode } from '../../errors.ts'
import type { Capabilities, Offer, SizeRule } from '../../providers/provider.ts'

/** What routing reads of a request: of its input images only their number, and whether there is a mask. */
export interface RoutingRequest
  extends Settings, Pick<ImageRequest, 'operation' | 'providers' | 'unsupported'> {
  images: { readonly length: number }
  mask: object | null
}

/** A reason why an offer cannot serve a request at all. */
export interface CapabilityRefusal {
  code: GatewayErrorCode
  field: string
  message: string
}

/** How a request matches an offer: the settings that would be sent, how they differ from the request, and why it is impossible. */
export interface CapabilityMatch {
  settings: Settings
  warnings: Warning[]
  refusals: CapabilityRefusal[]
}

/** Pure. With `unsupported: ERROR` every warning about a setting becomes a refusal. `today` is an ISO date. */
export function matchCapabilities(request: RoutingRequest, offer: Offer, today: string): CapabilityMatch {
  const can = offer.capabilities
  const { settings, warnings } = adjustSettings(request, can)
  const refusals = [...listRefusals(request, can)]
  if (request.unsupported === 'ERROR') {
    refusals.push(
      ...warnings.map(({ field, message }) => ({
        code: 'CAPABILITY_MISSING' as const,
        field: field ?? '',
        message,
      })),
    )
  }
  if (offer.retiresOn && daysUntil(offer.retiresOn, today) <= 30) {
    warnings.push({
      code: 'MODEL_RETIRING',
      field: 'model',
      message: `${offer.model} is announced to be shut down on ${offer.retiresOn}.`,
    })
  }
  return { settings, warnings, refusals }
}

function* listRefusals(request: RoutingRequest, can: Capabilities): Generator<CapabilityRefusal> {
  const { model, size, prompt, images } = request
  if (!can.operations.includes(request.operation)) {
    const what = request.operation === 'EDIT' ? 'edit images' : 'make an image without an input image'
    yield refuse('CAPABILITY_MISSING', 'images', `${model} cannot ${what} here.`)
  }
  if (!takesSize(can.sizes, size)) {
    yield refuse(
      'BAD_USER_INPUT',
      'size',
      `${model} does not paint ${size}. It takes ${describeSizes(can.sizes)}.`,
    )
  }
  const length = Array.from(prompt).length
  if (length > can.maxPromptLength) {
    const most = can.maxPromptLength.toLocaleString('en')
    yield refuse(
      'BAD_USER_INPUT',
      'prompt',
      `The prompt is ${length.toLocaleString('en')} characters long; ${model} takes ${most}.`,
    )
  }
  if (images.length > can.maxInputImages) {
    yield refuse(
      'CAPABILITY_MISSING',
      'images',
      `${model} takes ${can.maxInputImages} input images; ${images.length} came.`,
    )
  }
  if (request.mask && !can.mask)
    yield refuse('CAPABILITY_MISSING', 'mask', `${model} does not take a mask here.`)
}

function refuse(code: GatewayErrorCode, field: string, message: string): CapabilityRefusal {
  return { code, field, message }
}

/** Pure. Replaces each setting that an offer does not support by the nearest that it does, with a warning for each. */
export function adjustSettings(
  request: Settings & Pick<ImageRequest, 'operation'>,
  can: Capabilities,
): { settings: Settings; warnings: Warning[] } {
  const warnings: Warning[] = []
  const { model } = request
  const settings: Settings = {
    prompt: request.prompt,
    model,
    size: request.size,
    n: request.n,
    quality: among('quality', request.quality, can.qualities, 'AUTO'),
    background: among('background', request.background, can.backgrounds, 'AUTO'),
    moderation: among('moderation', request.moderation, can.moderations, 'AUTO'),
    outputFormat: among(
      'outputFormat',
      request.outputFormat,
      can.outputFormats,
      can.outputFormats[0] ?? 'PNG',
    ),
    outputCompression: given('outputCompression', request.outputCompression, can.outputCompression),
    // Fidelity to an input means nothing where there is none.
    inputFidelity: optional(
      'inputFidelity',
      request.inputFidelity,
      request.operation === 'EDIT' ? can.inputFidelities : [],
    ),
    style: optional('style', request.style, can.styles),
    partialImages: request.partialImages,
    user: given('user', request.user, can.user),
  }
  if (request.partialImages > can.maxPartialImages) {
    settings.partialImages = can.maxPartialImages
    const most =
      can.maxPartialImages === 0 ? 'no partial images' : `at most ${can.maxPartialImages} partial images`
    warn('SETTING_CHANGED', 'partialImages', `${model} sends ${most} here.`)
  }
  return { settings, warnings }

  function warn(code: Warning['code'], field: string, message: string): void {
    warnings.push({ code, field, message })
  }

  function among<T extends string>(field: string, asked: T, allowed: readonly T[], otherwise: T): T {
    if (asked === 'AUTO' || allowed.includes(asked)) return asked
    warn(
      'SETTING_CHANGED',
      field,
      `${model} does not take ${field} ${asked} here; ${otherwise} is used. It takes ${allowed.join(', ')}.`,
    )
    return otherwise
  }

  function optional<T extends string>(field: string, asked: T | null, allowed: readonly T[]): T | null {
    if (asked === null || allowed.includes(asked)) return asked
    warn('SETTING_IGNORED', field, `${model} does not take ${field} here; ${asked} is left out.`)
    return null
  }

  function given<T>(field: string, asked: T | null, taken: boolean): T | null {
    if (asked === null || taken) return asked
    warn('SETTING_IGNORED', field, `${model} does not take ${field} here; it is left out.`)
    return null
  }
}

function takesSize(rule: SizeRule, size: string): boolean {
  if (size === 'auto') return rule.auto
  if (rule.kind === 'list') return rule.values.includes(size)
  const parsed = parseSize(size)
  if (!parsed) return false
  const { width, height } = parsed
  const long = Math.max(width, height)
  return (
    width % rule.multipleOf === 0 &&
    height % rule.multipleOf === 0 &&
    long <= rule.maxEdge &&
    long <= rule.maxRatio * Math.min(width, height) &&
    width * height >= rule.minPixels &&
    width * height <= rule.maxPixels
  )
}

/** A size rule as a sentence's end, for error messages and for the schema. */
export function describeSizes(rule: SizeRule): string {
  const auto = rule.auto ? 'auto, or ' : ''
  if (rule.kind === 'list') return auto + rule.values.join(', ')
  return (
    `${auto}WIDTHxHEIGHT with both edges multiples of ${rule.multipleOf}, the longer at most ${rule.maxEdge} and at ` +
    `most ${rule.maxRatio} times the shorter, ${rule.minPixels.toLocaleString('en')} to ${rule.maxPixels.toLocaleString('en')} pixels`
  )
}

function daysUntil(date: string, today: string): number {
  return (Date.parse(date) - Date.parse(today)) / 86_400_000
}
