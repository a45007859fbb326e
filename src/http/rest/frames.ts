// Server-sent events in OpenAI's form. openai-python's decoder fails on `id:` and on a lone `retry:`.
import type { Queries } from '../../db/connection/database.ts'
import { findAnyAsset } from '../../db/tasks/assets.ts'
import type { AssetRow, TaskRow } from '../../db/tables/tables.ts'
import type { BodyPart } from './body.ts'
import { errorBody, type Problem } from './problem.ts'
import { createdAtOf, echoOf, imagePart, type ReplyForm, type RestResult } from './result.ts'
import { splitCounts, svgUsageBody, usageBody } from './usage-body.ts'

export function comment(text: string): BodyPart[] {
  return [`: ${text}\n\n`]
}

type ImageForm = Omit<ReplyForm, 'warnings'>

/** Undefined for a removed preview. */
export async function partialFrame(
  q: Queries,
  task: TaskRow,
  { assetId, index }: { assetId: string; index: number },
  form: ImageForm,
): Promise<BodyPart[] | undefined> {
  const asset = await findAnyAsset(q, assetId)
  if (!asset) return undefined
  return imageFrame(task, 'partial_image', asset, form, {
    partial_image_index: index,
    created_at: Math.floor(asset.createdAt / 1000),
    size: `${asset.width}x${asset.height}`,
    output_format: asset.mimeType.replace(/^image\//, ''),
  })
}

/** One per image. Usages add up to the total. */
export function completedFrames(result: RestResult, form: ImageForm): BodyPart[][] {
  const { task, images } = result
  const usages = splitCounts(usageBody(result.usage), images.length)
  const svgUsages = splitCounts(svgUsageBody(result.usage, result.svgModel), images.length)
  return images.map((asset, i) =>
    imageFrame(task, 'completed', asset, form, {
      created_at: createdAtOf(result),
      ...echoOf({ ...result, images: [asset] }),
      usage: usages[i] ?? null,
      ...(svgUsages[i] && { svg_usage: svgUsages[i] }),
      image_index: i,
      ...(asset.revisedPrompt !== null && { revised_prompt: asset.revisedPrompt }),
    }),
  )
}

export function errorFrame(problem: Problem): BodyPart[] {
  return [`event: error\ndata: ${JSON.stringify({ type: 'error', ...errorBody(problem) })}\n\n`]
}

function imageFrame(
  { operation }: TaskRow,
  what: 'partial_image' | 'completed',
  asset: AssetRow,
  form: ImageForm,
  fields: object,
): BodyPart[] {
  const type = `image_${operation === 'EDIT' ? 'edit' : 'generation'}.${what}`
  const head = JSON.stringify({ type, ...fields }).slice(0, -1)
  return [`event: ${type}\ndata: ${head},`, ...imagePart(asset, form), '}\n\n']
}
