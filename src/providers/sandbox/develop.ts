import { ProviderError } from '../error.ts'
import type { CallResult, Call, ProviderRequest, ReceivedImage, SizeRule } from '../provider.ts'
import { requestIdOf } from './fail.ts'
import { paint, UnreadablePicture, type PaintedPicture } from './painter/paint.ts'
import { resolve, type ResolvedRequest } from './resolve.ts'
import { SCENARIO_FAILURES } from './scenario.ts'
import { countUsage } from './usage.ts'
import { untilAborted, wait } from './wait.ts'

export interface DevelopOptions {
  /** Minimum duration of the call. Painting takes place within it. */
  durationMs: number
  /** How many previews are sent. */
  previews: number
  /** Sizes of the model, from which `auto` chooses; undefined for a model outside the catalogue. */
  sizes: SizeRule | undefined
}

const STEPS = 20

/** Paints the requested images, and reports progress and previews meanwhile. */
export async function develop(
  order: ProviderRequest,
  call: Call,
  options: DevelopOptions,
): Promise<CallResult> {
  const { durationMs, previews, sizes } = options
  const resolved = resolve(order, sizes)
  if (!resolved) throw new ProviderError(SCENARIO_FAILURES.reject.failure)
  call.onWire('DISPATCHED')
  const [first] = await Promise.all([
    untilAborted(paintImage(order, resolved, 0), call),
    wait(durationMs / STEPS, call),
  ])
  call.onWire('HEADERS', { httpStatus: 200, providerRequestId: requestIdOf(call) })

  let sent = 0
  for (let step = 1; step <= STEPS; step++) {
    if (step > 1) await wait(durationMs / STEPS, call)
    // The last step is the finished picture, so previews are spaced evenly before it.
    const due = Math.floor(((step - 1) / (STEPS - 1)) * (previews + 1))
    for (; sent < Math.min(due, previews); sent++) {
      await sendPreview(first, sent, (sent + 1) / (previews + 1), call)
    }
    call.onProgress(step / STEPS)
  }

  await wait(0, call)
  const images = await writeImages(first, order, resolved, call)
  call.onWire('BODY_DONE')
  const { width, height, quality, background, outputFormat } = resolved
  return {
    state: 'DONE',
    images,
    usage: countUsage(order, resolved, sent),
    resolved: { size: `${width}x${height}`, quality, background, outputFormat },
  }
}

async function paintImage(
  order: ProviderRequest,
  resolved: ResolvedRequest,
  index: number,
): Promise<PaintedPicture> {
  const { prompt, images, mask, outputCompression: compression } = order
  const { width, height, background, outputFormat: format } = resolved
  const seed = seedOf(order, resolved, index)
  try {
    return await paint({ prompt, seed, width, height, images, mask, background, format, compression })
  } catch (cause) {
    if (!(cause instanceof UnreadablePicture)) throw cause
    const { message } = cause
    throw new ProviderError({
      kind: 'rejected',
      code: 'INPUT_IMAGE_INVALID',
      message,
      charged: 'NO',
      httpStatus: 400,
      cause,
    })
  }
}

// Each image of a call has a seed of its own. Format and compression are no part of it: the same prompt as PNG and as
// JPEG is the same picture.
function seedOf(order: ProviderRequest, resolved: ResolvedRequest, index: number): string {
  const { prompt, model, operation, style } = order
  const { width, height, quality, background } = resolved
  return JSON.stringify([prompt, model, operation, style, width, height, quality, background, index])
}

async function sendPreview(
  picture: PaintedPicture,
  index: number,
  progress: number,
  call: Call,
): Promise<void> {
  const preview = await untilAborted(picture.preview(progress), call)
  const file = call.newFile()
  await preview.write(file)
  await call.onPartial(file, index)
}

async function writeImages(
  first: PaintedPicture,
  order: ProviderRequest,
  resolved: ResolvedRequest,
  call: Call,
): Promise<ReceivedImage[]> {
  const images: ReceivedImage[] = []
  for (let index = 0; index < order.n; index++) {
    const picture = index === 0 ? first : await untilAborted(paintImage(order, resolved, index), call)
    const file = call.newFile()
    await picture.write(file)
    images.push({ file, revisedPrompt: picture.revisedPrompt })
  }
  return images
}
