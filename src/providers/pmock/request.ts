import type { ProviderRequest, ProviderRequestImage } from '../provider.ts'

/**
 * The body that places an order: docs.pmock.com, "openai generate async", its fields in its order. One route for both:
 * with `image` it is an edit. Whatever has an `auto` says it, since the page states no defaults.
 */
export async function toBody(request: ProviderRequest, responseFormat: 'url' | 'b64_json'): Promise<string> {
  const { images, mask } = request
  return JSON.stringify({
    prompt: request.prompt,
    model: request.upstreamModel,
    size: request.size,
    n: request.n,
    quality: request.quality.toLowerCase(),
    background: request.background.toLowerCase(),
    outputFormat: request.outputFormat.toLowerCase(),
    outputCompression: request.outputCompression ?? undefined,
    moderation: request.moderation.toLowerCase(),
    responseFormat,
    inputFidelity: request.inputFidelity?.toLowerCase(),
    image: images.length > 0 ? await Promise.all(images.map(toDataUrl)) : undefined,
    mask: mask ? await toDataUrl(mask) : undefined,
  })
}

async function toDataUrl(image: ProviderRequestImage): Promise<string> {
  const bytes = Buffer.from(await (await image.blob()).arrayBuffer())
  return `data:${image.mimeType};base64,${bytes.toString('base64')}`
}
