// Shared by several tools. The engine applies the rules of GenerateImageInput.
import { z } from 'zod'
import { BACKGROUNDS, COMPLEXITIES, OUTPUT_FORMATS, QUALITIES, SVG_EFFORTS } from '../../domain.ts'
import { DEFAULT_INPUT, type TaskInput } from '../../engine/tasks/input.ts'
import { valueOf, wordsOf } from './tool.ts'

/** Below 60 s, the usual limit of a call, with time for the result. */
export const DEFAULT_WAIT_SECONDS = 45
const MAX_WAIT_SECONDS = 600

export const PROMPT = z.string().describe('What the image shows, in detail: subject, style, light, framing.')

export const SETTINGS = {
  model: z.string().default(DEFAULT_INPUT.model).describe('Name of a model, from list_models.'),
  size: z
    .string()
    .default(DEFAULT_INPUT.size)
    .describe('"auto", or WIDTHxHEIGHT in pixels that the model supports, such as "1536x1024".'),
  quality: wordsOf(QUALITIES)
    .default('auto')
    .describe('The main factor of the price. Use "low" for drafts. list_models shows what a model supports.'),
  background: wordsOf(BACKGROUNDS)
    .default('auto')
    .describe('"transparent" needs output_format "png" or "webp".'),
  output_format: wordsOf(OUTPUT_FORMATS)
    .default('png')
    .describe('File format of the full image. "gif" is animated. list_models shows what a model makes.'),
  animation: z
    .strictObject({ frames: z.int().optional(), frame_duration_ms: z.int().optional() })
    .optional()
    .describe('Of a gif.'),
  svg: z
    .strictObject({
      model: z.string().describe('Model that writes the SVG.'),
      effort: wordsOf(SVG_EFFORTS).optional(),
    })
    .optional()
    .describe('Of an svg.'),
  complexity: wordsOf(COMPLEXITIES).optional().describe('Effort of planning, independent of quality.'),
  n: z.int().default(DEFAULT_INPUT.n).describe('Number of images, 1 to 10. Each costs money.'),
  providers: z
    .array(z.string())
    .optional()
    .describe('Names of the allowed providers, in order of preference. By default, all.'),
}

export function readSettings(args: z.output<z.ZodObject<typeof SETTINGS>>) {
  const { model, size, quality, background, output_format: outputFormat, n, providers = null } = args
  const { animation, svg, complexity } = args
  return {
    model,
    size,
    quality: valueOf(quality),
    background: valueOf(background),
    outputFormat: valueOf(outputFormat),
    animation: animation
      ? { frames: animation.frames ?? null, frameDurationMs: animation.frame_duration_ms ?? null }
      : null,
    svg: svg ? { model: svg.model, effort: svg.effort ? valueOf(svg.effort) : null } : null,
    complexity: complexity ? valueOf(complexity) : null,
    n,
    providers,
  } satisfies Partial<TaskInput>
}

export const REPEAT = {
  variant: z
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe(
      'Leave out at first. The same arguments return the same image for a day and cost nothing more, so that a retry is safe. ' +
        'For another image from the same arguments, pass 2, then 3, and so on.',
    ),
  idempotency_key: z
    .string()
    .optional()
    .describe('For programs that have a key of their own for this request, in place of `variant`.'),
}

export const WAIT = {
  wait_seconds: z
    .int()
    .min(0)
    .max(MAX_WAIT_SECONDS)
    .default(DEFAULT_WAIT_SECONDS)
    .describe(
      'Seconds to wait for the result, 0 to 600. If it takes longer, the answer has the task id for get_task.',
    ),
}
