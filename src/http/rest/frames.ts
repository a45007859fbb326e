// Server-sent events in OpenAI's form. openai-python's decoder fails on `id:` and on a lone `retry:`.
import type { Queries } from '../../db/connection/database.ts'
import { findAnyAsset } from '../../db/tasks/assets.ts'
import type { AssetRow, TaskRow } from '../../db/tables/tables.ts'
import type { BodyPart } from './body.ts'
import { errorBody, type Problem } from './problem.ts'
import {
  createdAtOf,
  echoOf,
  imagePart,
  usageBody,
  type ReplyForm,
  type RestResult,
  type UsageBody,
} from './result.ts'

export function comment(text: string): BodyPart[] {
  return [`: ${text}\n\n`]
}

type ImageForm = Omit<ReplyForm, 'warnings'>

/** Undefined for a preview that is no longer stored. */
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

/** One frame per image. Their usages add up to the total. */
export function completedFrames(result: RestResult, form: ImageForm): BodyPart[][] {
  const { task, images } = result
  const usages = splitUsage(usageBody(result.usage), images.length)
  return images.map((asset, i) =>
    imageFrame(task, 'completed', asset, form, {
      created_at: createdAtOf(result),
      ...echoOf({ ...result, images: [asset] }),
      usage: usages[i] ?? null,
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

/** Each count in whole parts that differ by one at most. */
export function splitUsage(usage: UsageBody | null, count: number): UsageBody[] {
  if (!usage) return []
  const split = (total: number, i: number) => Math.floor(total / count) + (i < total % count ? 1 : 0)
  return Array.from({ length: count }, (_, i) => {
    const details = (of: UsageBody['input_tokens_details']) => ({
      text_tokens: split(of.text_tokens, i),
      image_tokens: split(of.image_tokens, i),
    })
    return {
      input_tokens: split(usage.input_tokens, i),
      output_tokens: split(usage.output_tokens, i),
      total_tokens: split(usage.total_tokens, i),
      input_tokens_details: details(usage.input_tokens_details),
      ...(usage.output_tokens_details && { output_tokens_details: details(usage.output_tokens_details) }),
    }
  })
}
