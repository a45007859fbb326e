import { DEFAULT_SETTINGS, type ImageRequest, type Settings, type Warning } from '../../domain.ts'
import { parseSize } from '../../domain.ts'
import type { GatewayErrorCode } from '../../errors.ts'
import type { Capabilities, Offer, SizeRule } from '../../providers/provider.ts'
import { adjustSettings, inFormat, isOfItsOwn } from './adjust.ts'

/** Input images by number only. */
export interface RoutingRequest
  extends Settings, Pick<ImageRequest, 'operation' | 'providers' | 'unsupported'> {
  images: { readonly length: number }
  mask: object | null
  markup: object | null
}

export interface CapabilityRefusal {
  code: GatewayErrorCode
  field: string
  message: string
}

/** What would be sent, how it differs, and why the offer cannot serve it. */
export interface CapabilityMatch {
  settings: Settings
  warnings: Warning[]
  refusals: CapabilityRefusal[]
  /** Images per call in the requested format. */
  maxN: number
}

/** Before a shutdown. */
const NOTICE_DAYS = 30

/** Pure. `unsupported: ERROR` makes warnings about settings refusals. `today` is an ISO date. */
export function matchCapabilities(given: RoutingRequest, offer: Offer, today: string): CapabilityMatch {
  // Tasks of earlier versions lack later settings.
  const request = { ...DEFAULT_SETTINGS, ...given }
  const can = inFormat(offer.capabilities, request.outputFormat)
  const { settings, warnings } = adjustSettings(request, offer.capabilities)
  const refusals = [...listRefusals(request, can)]
  if (request.unsupported === 'ERROR')
    refusals.push(...warnings.map(({ field, message }) => refuse('CAPABILITY_MISSING', field ?? '', message)))
  const days = offer.retiresOn ? daysUntil(offer.retiresOn, today) : Infinity
  const message = retirementText(offer, days < 0 ? 'was' : 'is')
  if (days < 0 && !offer.endsElsewhere) refusals.unshift(refuse('MODEL_UNKNOWN', 'model', message))
  else if (days <= NOTICE_DAYS) warnings.push({ code: 'MODEL_RETIRING', field: 'model', message })
  return { settings, warnings, refusals, maxN: can.maxN }
}

export function retirementText(
  { model, retiresOn, successor }: Pick<Offer, 'model' | 'retiresOn' | 'successor'>,
  verb: 'was' | 'is',
): string {
  const what = verb === 'is' ? 'is announced to be shut down' : 'was shut down'
  return `${model} ${what} on ${retiresOn}.${successor ? ` Use ${successor}.` : ''}`
}

function* listRefusals(request: RoutingRequest, can: Capabilities): Generator<CapabilityRefusal> {
  const { model, size, prompt, images, outputFormat } = request
  if (!can.operations.includes(request.operation)) {
    const what = request.operation === 'EDIT' ? 'edit images' : 'generate an image without an input image'
    yield refuse('CAPABILITY_MISSING', 'images', `${model} cannot ${what} here.`)
  }
  yield* listFormatRefusals(request, can)
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
  const inThisFormat = can.formatRules[outputFormat] ? ` for ${outputFormat}` : ''
  for (const field of ['mask', 'markup'] as const)
    if (request[field] && !can[field])
      yield refuse('CAPABILITY_MISSING', field, `${model} does not support a ${field}${inThisFormat} here.`)
}

function* listFormatRefusals(
  { model, outputFormat, animation, svg }: RoutingRequest,
  can: Capabilities,
): Generator<CapabilityRefusal> {
  if (!can.outputFormats.includes(outputFormat)) {
    const message = `${model} does not make ${outputFormat} here. It makes ${can.outputFormats.join(', ')}.`
    if (isOfItsOwn(outputFormat)) yield refuse('CAPABILITY_MISSING', 'outputFormat', message)
    return
  }
  const frames = animation?.frames ?? null
  if (frames !== null && can.animation) {
    const { minFrames, maxFrames } = can.animation
    const message = `animation.frames is ${frames}; ${model} makes ${minFrames} to ${maxFrames} frames.`
    if (frames < minFrames || frames > maxFrames) yield refuse('BAD_USER_INPUT', 'animation.frames', message)
  }
  if (svg && can.svg?.models && !can.svg.models.includes(svg.model)) {
    const message = `svg.model is ${svg.model}; ${model} supports ${can.svg.models.join(', ')} here.`
    yield refuse('CAPABILITY_MISSING', 'svg.model', message)
  }
}

function refuse(code: GatewayErrorCode, field: string, message: string): CapabilityRefusal {
  return { code, field, message }
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
