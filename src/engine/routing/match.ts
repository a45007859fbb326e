import type { ImageRequest, Settings, Warning } from '../../domain.ts'
import { parseSize } from '../../domain.ts'
import type { GatewayErrorCode } from '../../errors.ts'
import type { Capabilities, Offer, SizeRule } from '../../providers/provider.ts'

/** Of input images only their number. */
export interface RoutingRequest
  extends Settings, Pick<ImageRequest, 'operation' | 'providers' | 'unsupported'> {
  images: { readonly length: number }
  mask: object | null
}

export interface CapabilityRefusal {
  code: GatewayErrorCode
  field: string
  message: string
}

/** The settings that would be sent, their differences from the request, and why the offer cannot serve it. */
export interface CapabilityMatch {
  settings: Settings
  warnings: Warning[]
  refusals: CapabilityRefusal[]
}

/** Pure. `unsupported: ERROR` makes every warning about a setting a refusal. `today` is an ISO date. */
export function matchCapabilities(request: RoutingRequest, offer: Offer, today: string): CapabilityMatch {
  const can = offer.capabilities
  const { settings, warnings } = adjustSettings(request, can)
  const refusals = [...listRefusals(request, can)]
  if (request.unsupported === 'ERROR')
    refusals.push(...warnings.map(({ field, message }) => refuse('CAPABILITY_MISSING', field ?? '', message)))
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
    const what = request.operation === 'EDIT' ? 'edit images' : 'generate an image without an input image'
    yield refuse('CAPABILITY_MISSING', 'images', `${model} cannot ${what} here.`)
  }
  if (!allowsSize(can.sizes, size)) {
    const message = `size is ${size}; ${model} supports ${describeSizes(can.sizes)}.`
    yield refuse('BAD_USER_INPUT', 'size', message)
  }
  const length = Array.from(prompt).length
  if (length > can.maxPromptLength) {
    const [is, max] = [length, can.maxPromptLength].map((count) => count.toLocaleString('en'))
    const message = `prompt has ${is} characters; the maximum of ${model} is ${max}.`
    yield refuse('BAD_USER_INPUT', 'prompt', message)
  }
  if (images.length > can.maxInputImages) {
    const message = `images has ${images.length} entries; the maximum of ${model} is ${can.maxInputImages} here.`
    yield refuse('CAPABILITY_MISSING', 'images', message)
  }
  if (request.mask && !can.mask)
    yield refuse('CAPABILITY_MISSING', 'mask', `${model} does not support a mask here.`)
}

function refuse(code: GatewayErrorCode, field: string, message: string): CapabilityRefusal {
  return { code, field, message }
}

/** Pure. Replaces each unsupported setting by the nearest supported one, with a warning. */
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
    quality: oneOf('quality', request.quality, can.qualities, 'AUTO'),
    background: oneOf('background', request.background, can.backgrounds, 'AUTO'),
    moderation: oneOf('moderation', request.moderation, can.moderations, 'AUTO'),
    outputFormat: oneOf(
      'outputFormat',
      request.outputFormat,
      can.outputFormats,
      can.outputFormats[0] ?? 'PNG',
    ),
    outputCompression: ifSupported('outputCompression', request.outputCompression, can.outputCompression),
    // Needs an input.
    inputFidelity: oneOfOrNull(
      'inputFidelity',
      request.inputFidelity,
      request.operation === 'EDIT' ? can.inputFidelities : [],
    ),
    style: oneOfOrNull('style', request.style, can.styles),
    partialImages: Math.min(request.partialImages, can.maxPartialImages),
    user: ifSupported('user', request.user, can.user),
  }
  if (request.partialImages > can.maxPartialImages) {
    const max =
      can.maxPartialImages === 0 ? 'no partial images' : `at most ${can.maxPartialImages} partial images`
    warn('SETTING_CHANGED', 'partialImages', `${model} sends ${max} here.`)
  }
  return { settings, warnings }

  function warn(code: Warning['code'], field: string, message: string): void {
    warnings.push({ code, field, message })
  }

  function oneOf<T extends string>(field: string, value: T, supported: readonly T[], fallback: T): T {
    if (value === 'AUTO' || supported.includes(value)) return value
    warn(
      'SETTING_CHANGED',
      field,
      `${model} does not support ${field} ${value} here; ${fallback} is used. It supports ${supported.join(', ')}.`,
    )
    return fallback
  }

  function oneOfOrNull<T extends string>(field: string, value: T | null, supported: readonly T[]): T | null {
    if (value === null || supported.includes(value)) return value
    warn('SETTING_IGNORED', field, `${model} does not support ${field} here; ${value} is ignored.`)
    return null
  }

  function ifSupported<T>(field: string, value: T | null, isSupported: boolean): T | null {
    if (value === null || isSupported) return value
    warn('SETTING_IGNORED', field, `${model} does not support ${field} here; it is ignored.`)
    return null
  }
}

function allowsSize(rule: SizeRule, size: string): boolean {
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

/** For messages and the schema. */
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
