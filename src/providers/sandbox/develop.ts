import { ProviderError } from '../error.ts'
import type { Answer, Call, ProviderRequest as Order, ReceivedImage, SizeRule } from '../provider.ts'
import { countUsage } from './usage.ts'
import { resolve, type Resolved } from './painter/canvas.ts'
import { repaint } from './painter/edit.ts'
import { orStop, requestId, wait } from './ending.ts'
import { SCENARIO_FAILURES } from './scenario.ts'
import { paintCutout, paintScene } from './painter/painting.ts'
import { addGrain, rasterise, writePicture, type Pixels } from './painter/pixels.ts'
import { underdevelop } from './painter/preview.ts'
import { revisePrompt } from './painter/revise.ts'

export interface Pace {
  /** How long the whole call takes at least; painting takes place meanwhile. */
  durationMs: number
  /** How many previews are shown on the way. */
  previews: number
  /** The sizes of the model, from which `auto` chooses; undefined for a model that the catalogue does not know. */
  sizes: SizeRule | undefined
}

const STEPS = 20
const GRAIN = 15

/** Paints what was ordered, showing progress and previews on the way. */
export async function develop(order: Order, call: Call, pace: Pace): Promise<Answer> {
  const resolved = resolve(order, pace.sizes)
  if (!resolved) throw new ProviderError(SCENARIO_FAILURES.reject.failure)
  call.onWire('DISPATCHED')
  const [first] = await Promise.all([
    orStop(paint(order, resolved, 0), call),
    wait(pace.durationMs / STEPS, call),
  ])
  call.onWire('HEADERS', { httpStatus: 200, providerRequestId: requestId(call) })

  let shown = 0
  for (let step = 1; step <= STEPS; step++) {
    if (step > 1) await wait(pace.durationMs / STEPS, call)
    // The last step is the finished picture, so previews lie evenly before it.
    const due = Math.floor(((step - 1) / (STEPS - 1)) * (pace.previews + 1))
    for (; shown < Math.min(due, pace.previews); shown++) {
      await showPreview(first, { index: shown, of: pace.previews, order, resolved }, call)
    }
    call.onProgress(step / STEPS)
  }

  await wait(0, call)
  const images = await finish(first, order, resolved, call)
  call.onWire('BODY_DONE')
  const { width, height, quality, background, outputFormat } = resolved
  return {
    state: 'DONE',
    images,
    usage: countUsage(order, resolved, shown),
    resolved: { size: `${width}x${height}`, quality, background, outputFormat },
  }
}

// Each picture of a call has chance of its own. What only concerns the file (its format, say) is no part of the seed:
// the same prompt as PNG and as JPEG is the same picture.
function seedOf(order: Order, resolved: Resolved, index: number): string {
  const { prompt, model, operation, style } = order
  const { width, height, quality, background } = resolved
  return JSON.stringify([prompt, model, operation, style, width, height, quality, background, index])
}

async function paint(order: Order, resolved: Resolved, index: number): Promise<Pixels> {
  const seed = seedOf(order, resolved, index)
  const { prompt, images, mask } = order
  const { background, width, height } = resolved
  const canvas = { width, height }
  if (order.operation === 'EDIT') return repaint({ prompt, seed, canvas, images, mask, background })
  if (background === 'TRANSPARENT') return rasterise(paintCutout(prompt, seed, canvas))
  return addGrain(await rasterise(paintScene(prompt, seed, canvas)), seed, GRAIN)
}

interface Preview {
  index: number
  of: number
  order: Order
  resolved: Resolved
}

async function showPreview(
  picture: Pixels,
  { index, of, order, resolved }: Preview,
  call: Call,
): Promise<void> {
  const work = underdevelop(picture, (index + 1) / (of + 1), seedOf(order, resolved, 0))
  const early = await orStop(work, call)
  const file = call.newFile()
  await writePicture(early, encodingOf(order, resolved), file)
  await call.onPartial(file, index)
}

async function finish(first: Pixels, order: Order, resolved: Resolved, call: Call): Promise<ReceivedImage[]> {
  const images: ReceivedImage[] = []
  for (let index = 0; index < order.n; index++) {
    const picture = index === 0 ? first : await orStop(paint(order, resolved, index), call)
    const file = call.newFile()
    await writePicture(picture, encodingOf(order, resolved), file)
    images.push({ file, revisedPrompt: revisePrompt(order.prompt) })
  }
  return images
}

function encodingOf(order: Order, { outputFormat, background }: Resolved) {
  return { format: outputFormat, compression: order.outputCompression, background }
}
