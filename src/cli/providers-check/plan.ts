import { DEFAULT_SETTINGS, parseSize, type Operation } from '../../domain.ts'
import { adjustSettings } from '../../engine/routing/adjust.ts'
import { costMicros } from '../../engine/usage/cost.ts'
import { inputImageTokens, offeredImageTokens, textTokens } from '../../providers/models/tokens.ts'
import {
  UNKNOWN_USAGE,
  type Offer,
  type Provider,
  type ProviderRequest,
  type SizeRule,
} from '../../providers/provider.ts'
import { UsageError } from '../command.ts'

export interface PlannedCall {
  title: string
  offer: Offer
  /** Without the images of an edit. */
  request: ProviderRequest
}

const PROMPTS = { GENERATE: 'a plain red circle on white', EDIT: 'make the circle blue' } as const

/** The cheapest generation, then, if supported, the cheapest edit of its image. Throws UsageError. */
export function planCalls({ name, offers }: Provider, model: string | undefined): PlannedCall[] {
  const wanted =
    model ?? offers.find((offer) => offer.model === DEFAULT_SETTINGS.model)?.model ?? offers[0]?.model
  const offer = offers.find((one) => one.model === wanted)
  if (!offer)
    throw new UsageError(
      `The provider ${name} has no model "${wanted}". Its models: ${offers.map((one) => one.model).join(', ')}.`,
    )
  return offer.capabilities.operations
    .toSorted((a, b) => Number(a === 'EDIT') - Number(b === 'EDIT'))
    .map((operation) => {
      const request = cheapestRequest(offer, operation)
      const kind = operation === 'EDIT' ? 'Edit' : 'Generation'
      return { title: `${kind}: ${offer.model}, ${request.size}, quality ${request.quality}`, offer, request }
    })
}

/** Micro-USD by list price; null if price or tokens are unknown. */
export function estimateCost({ offer, request }: PlannedCall): number | null {
  const { size, quality, prompt, operation } = request
  const { width, height } = parseSize(size) ?? {}
  if (!width || !height) return null
  const outputTokens = offeredImageTokens(offer, quality, width, height)
  const inputTextTokens = textTokens(prompt)
  const inputImage = operation === 'EDIT' ? inputImageTokens(width, height) : 0
  const usage = {
    ...UNKNOWN_USAGE,
    inputTokens: inputTextTokens + inputImage,
    outputTokens,
    totalTokens: null,
    inputTextTokens,
    inputImageTokens: inputImage,
    outputTextTokens: 0,
    outputImageTokens: outputTokens,
    source: 'ESTIMATED',
  } as const
  return costMicros(usage, { images: 1, size, quality }, offer.price)
}

function cheapestRequest(offer: Offer, operation: Operation): ProviderRequest {
  const wanted = {
    ...DEFAULT_SETTINGS,
    operation,
    prompt: PROMPTS[operation],
    model: offer.model,
    size: smallestSize(offer.capabilities.sizes),
    quality: 'LOW' as const,
  }
  // As for a task: unsupported settings are left to the model.
  const { settings } = adjustSettings(wanted, offer.capabilities)
  return { ...settings, operation, upstreamModel: offer.upstreamModel, images: [], mask: null, markup: null }
}

/** Rules allow slightly smaller ones, but every provider has 1024x1024. */
function smallestSize(sizes: SizeRule): string {
  if (sizes.kind === 'rule') return '1024x1024'
  return sizes.values.toSorted((a, b) => pixelsOf(a) - pixelsOf(b))[0] ?? 'auto'
}

function pixelsOf(size: string): number {
  const { width = 0, height = 0 } = parseSize(size) ?? {}
  return width * height
}
