import type { SvgEffort, Usage } from '../../domain.ts'
import { ProviderError, VERDICTS } from '../error.ts'
import { inputImageTokens, outputImageTokens, PARTIAL_IMAGE_TOKENS, textTokens } from '../models/tokens.ts'
import { UNKNOWN_USAGE } from '../provider.ts'
import type { Call, CallResult, ProviderRequest, ReceivedImage, SizeRule } from '../provider.ts'
import { paint, UnreadablePicture, type PaintedPicture } from './painter/paint.ts'
import { resolve, type ResolvedRequest } from './resolve.ts'
import { requestIdOf, SCENARIO_FAILURES } from './scenario.ts'
import { wait, whileOpen } from './wait.ts'

export interface DevelopOptions {
  /** Minimum, painting included. */
  durationMs: number
  partials: number
  /** For `auto`; undefined outside the catalogue. */
  sizes: SizeRule | undefined
}

const STEPS = 20

export async function develop(
  request: ProviderRequest,
  call: Call,
  options: DevelopOptions,
): Promise<CallResult> {
  const { durationMs, partials, sizes } = options
  const resolved = resolve(request, sizes)
  if (!resolved) throw new ProviderError(SCENARIO_FAILURES.reject.failure)
  call.onWire('DISPATCHED')
  const [first] = await Promise.all([
    whileOpen(paintImage(request, resolved, 0), call),
    wait(durationMs / STEPS, call),
  ])
  call.onWire('HEADERS', { httpStatus: 200, providerRequestId: requestIdOf(call) })

  let sent = 0
  for (let step = 1; step <= STEPS; step++) {
    if (step > 1) await wait(durationMs / STEPS, call)
    const due = Math.floor(((step - 1) / (STEPS - 1)) * (partials + 1))
    for (; sent < Math.min(due, partials); sent++) {
      const partial = await whileOpen(first.preview((sent + 1) / (partials + 1)), call)
      const file = call.newFile()
      await partial.write(file)
      await call.onPartial(file, sent)
    }
    call.onProgress(step / STEPS)
  }

  await wait(0, call)
  const images = await writeImages(first, request, resolved, call)
  call.onWire('BODY_DONE')
  const { width, height, quality, background, outputFormat } = resolved
  return {
    state: 'DONE',
    images,
    usage: countUsage(request, resolved, sent),
    resolved: {
      size: `${width}x${height}`,
      quality,
      background,
      outputFormat,
      ...(outputFormat === 'SVG' && { svgModel: request.svg?.model ?? 'sandbox-author' }),
    },
  }
}

async function paintImage(
  request: ProviderRequest,
  resolved: ResolvedRequest,
  index: number,
): Promise<PaintedPicture> {
  const { prompt, images, mask, animation, outputCompression: compression } = request
  const { width, height, background, outputFormat: format } = resolved
  const seed = seedOf(request, resolved, index)
  try {
    return await paint({
      prompt,
      seed,
      width,
      height,
      images,
      mask,
      background,
      format,
      compression,
      animation: { frames: animation?.frames ?? 9, frameDurationMs: animation?.frameDurationMs ?? 200 },
    })
  } catch (cause) {
    if (!(cause instanceof UnreadablePicture)) throw cause
    const { message } = cause
    throw new ProviderError({ ...VERDICTS.IMAGE_INVALID, message, httpStatus: 400, cause })
  }
}

// Without format and compression: a prompt's PNG and JPEG are one picture.
function seedOf(request: ProviderRequest, resolved: ResolvedRequest, index: number): string {
  const { prompt, model, operation, style } = request
  const { width, height, quality, background } = resolved
  return JSON.stringify([prompt, model, operation, style, width, height, quality, background, index])
}

async function writeImages(
  first: PaintedPicture,
  request: ProviderRequest,
  resolved: ResolvedRequest,
  call: Call,
): Promise<ReceivedImage[]> {
  const images: ReceivedImage[] = []
  for (let index = 0; index < request.n; index++) {
    const picture = index === 0 ? first : await whileOpen(paintImage(request, resolved, index), call)
    const file = call.newFile()
    await picture.write(file)
    images.push({ file, revisedPrompt: picture.revisedPrompt })
  }
  return images
}

/** As the model: ESTIMATED as gpt-image-2 for the 2.5 family, UNKNOWN for DALL·E. */
function countUsage(request: ProviderRequest, resolved: ResolvedRequest, partialImages: number): Usage {
  const byRule = outputImageTokens(request.model, resolved.quality, resolved.width, resolved.height)
  const perImage = byRule ?? estimate(request.model, resolved)
  if (perImage === null) return UNKNOWN_USAGE
  const inputTextTokens = textTokens(request.prompt)
  const inputImages = request.images.map((image) => inputImageTokens(image.width, image.height))
  const inputImage = inputImages.reduce((sum, tokens) => sum + tokens, 0)
  const outputImage = request.n * (perImage + partialImages * PARTIAL_IMAGE_TOKENS)
  return {
    ...UNKNOWN_USAGE,
    inputTokens: inputTextTokens + inputImage,
    outputTokens: outputImage,
    totalTokens: inputTextTokens + inputImage + outputImage,
    inputTextTokens,
    inputImageTokens: inputImage,
    outputTextTokens: 0,
    outputImageTokens: outputImage,
    ...(request.outputFormat === 'SVG' && countSvg(request, inputTextTokens)),
    source: byRule === null ? 'ESTIMATED' : 'REPORTED',
  }
}

/** By effort, as if every author wrote the same. */
const REASONING: Readonly<Record<SvgEffort, number>> = {
  NONE: 0,
  MINIMAL: 64,
  LOW: 256,
  MEDIUM: 1024,
  HIGH: 4096,
  XHIGH: 8192,
  MAX: 16_384,
}

function countSvg({ svg }: ProviderRequest, promptTokens: number) {
  const svgReasoningTokens = REASONING[svg?.effort ?? 'MEDIUM']
  return {
    svgInputTokens: promptTokens + 1024,
    svgOutputTokens: svgReasoningTokens + 3072,
    svgReasoningTokens,
  }
}

function estimate(model: string, { quality, width, height }: ResolvedRequest): number | null {
  if (model.startsWith('dall-e')) return null
  const nearest = quality === 'LOW' || quality === 'MEDIUM' ? quality : 'HIGH'
  return outputImageTokens('gpt-image-2', nearest, width, height)
}
