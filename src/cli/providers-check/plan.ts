import { DEFAULT_SETTINGS, parseSize } from '../../domain.ts'
import { costMicros } from '../../engine/usage/cost.ts'
import { adjustSettings } from '../../engine/routing/match.ts'
import type { Offer, ProviderRequest, Provider, SizeRule } from '../../providers/provider.ts'
import { inputImageTokens, outputImageTokens, textTokens } from '../../providers/models/tokens.ts'
import { UsageError } from '../exit.ts'

/** One call to be tried. An edit's images are added when they are there. */
export interface Trial {
  title: string
  offer: Offer
  order: ProviderRequest
}

const PROMPTS = { GENERATE: 'a plain red circle on white', EDIT: 'make the circle blue' } as const

/** The cheapest generation and, where the model edits, the cheapest edit. Throws UsageError for a model that is not served. */
export function planTrials(provider: Provider, model: string | undefined): Trial[] {
  const { offers } = provider
  const wanted =
    model ?? offers.find((offer) => offer.model === DEFAULT_SETTINGS.model)?.model ?? offers[0]?.model
  const offer = offers.find((one) => one.model === wanted)
  if (!offer) {
    const served = offers.map((one) => one.model).join(', ')
    throw new UsageError(`${provider.name} does not serve "${wanted}". It serves ${served}.`)
  }
  return offer.capabilities.operations.toSorted(generationFirst).map((operation) => {
    const order = cheapest(offer, operation)
    const title = `${operation === 'EDIT' ? 'edit' : 'generation'} with ${offer.model}, ${order.size}, quality ${order.quality}`
    return { title, offer, order }
  })
}

/** In micro-USD by list price; null when there is none, or nobody knows how many tokens it takes. */
export function costOf({ offer, order }: Trial): number | null {
  const { width, height } = parseSize(order.size) ?? {}
  if (!width || !height) return null
  const outputImage = outputImageTokens(offer.model, order.quality, width, height)
  const inputText = textTokens(order.prompt)
  const inputImage = order.operation === 'EDIT' ? inputImageTokens(width, height) : 0
  const usage = {
    inputTokens: inputText + inputImage,
    outputTokens: outputImage,
    totalTokens: null,
    inputTextTokens: inputText,
    inputImageTokens: inputImage,
    outputTextTokens: 0,
    outputImageTokens: outputImage,
    source: 'ESTIMATED',
  } as const
  const delivered = { images: 1, size: order.size, quality: order.quality }
  return costMicros(usage, delivered, offer.price)
}

// An edit is tried on the generation's own picture.
function generationFirst(a: ProviderRequest['operation'], b: ProviderRequest['operation']): number {
  return Number(a === 'EDIT') - Number(b === 'EDIT')
}

function cheapest(offer: Offer, operation: ProviderRequest['operation']): ProviderRequest {
  const wanted = {
    ...DEFAULT_SETTINGS,
    operation,
    prompt: PROMPTS[operation],
    model: offer.model,
    size: smallest(offer.capabilities.sizes),
    quality: 'LOW' as const,
  }
  // The settings that a task would be sent with: one that the model does not support, such as LOW, is left to it.
  const { settings } = adjustSettings(wanted, offer.capabilities)
  return { ...settings, operation, upstreamModel: offer.upstreamModel, images: [], mask: null }
}

// Rules allow for odd sizes that are a little smaller; this one everybody knows.
const COMMON = '1024x1024'

function smallest(sizes: SizeRule): string {
  if (sizes.kind === 'rule') return COMMON
  return sizes.values.toSorted((a, b) => pixels(a) - pixels(b))[0] ?? 'auto'
}

function pixels(size: string): number {
  const { width = 0, height = 0 } = parseSize(size) ?? {}
  return width * height
}
