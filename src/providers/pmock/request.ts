import type { Order, OrderImage } from '../provider.ts'

/**
 * The body that places an order: docs.pmock.com, "openai generate async", its fields in its order. One route for both:
 * with `image` it is an edit. Whatever has an `auto` says it, since the page states no defaults.
 */
export async function toBody(order: Order, responseFormat: 'url' | 'b64_json'): Promise<string> {
  const { images, mask } = order
  return JSON.stringify({
    prompt: order.prompt,
    model: order.upstreamModel,
    size: order.size,
    n: order.n,
    quality: order.quality.toLowerCase(),
    background: order.background.toLowerCase(),
    outputFormat: order.outputFormat.toLowerCase(),
    outputCompression: order.outputCompression ?? undefined,
    moderation: order.moderation.toLowerCase(),
    responseFormat,
    inputFidelity: order.inputFidelity?.toLowerCase(),
    image: images.length > 0 ? await Promise.all(images.map(toDataUrl)) : undefined,
    mask: mask ? await toDataUrl(mask) : undefined,
  })
}

async function toDataUrl(image: OrderImage): Promise<string> {
  const bytes = Buffer.from(await (await image.blob()).arrayBuffer())
  return `data:${image.mimeType};base64,${bytes.toString('base64')}`
}
