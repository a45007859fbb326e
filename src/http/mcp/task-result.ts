import { z } from 'zod'
import { formatOf } from '../../assets/format.ts'
import { listAttempts } from '../../db/attempts/attempts.ts'
import { chargedOfAll, costOfAll } from '../../db/attempts/totals.ts'
import type { AssetRow, AttemptRow, TaskRow } from '../../db/tables/tables.ts'
import { listAssets } from '../../db/tasks/assets.ts'
import { resultsAmong } from '../../engine/images/results.ts'
import { CHARGES, OPERATIONS, TASK_STATUSES } from '../../domain.ts'
import { formatUsd } from '../../money.ts'
import { imageUri } from './image-uri.ts'
import { inlineImages, MAX_INLINE_IMAGES } from './image-content.ts'
import { toWord, wordsOf, type McpContext } from './tool.ts'

const IMAGE = z.object({
  image_id: z.string().describe('For edit_image.'),
  url: z
    .string()
    .describe('Address of the full file. It expires after about 15 minutes; get_task returns a new one.'),
  resource: z.string().describe('URI for resources/read.'),
  width: z.int(),
  height: z.int(),
  mime_type: z.string(),
  byte_size: z.int(),
  revised_prompt: z.string().nullable().describe('The prompt as rewritten by the provider.'),
})

export const COST = z.object({
  text: z.string().describe('Such as "$0.041", or "unknown", which is not zero.'),
  micros: z.int().nullable().describe('In millionths of a US dollar. Null if unknown or not known yet.'),
})

export const TASK = z.object({
  task_id: z.string().describe('For get_task and edit_image.'),
  status: wordsOf(TASK_STATUSES),
  operation: wordsOf(OPERATIONS),
  prompt: z.string(),
  model: z.string(),
  provider: z.string().nullable(),
  progress: z.number().describe('From 0 to 1.'),
  images: z.array(IMAGE),
  cost: COST,
  charged: wordsOf(CHARGES).describe('Whether the provider charged. Treat "unknown" as charged.'),
  warnings: z.array(z.string()).describe('Differences between the request and the result.'),
  error: z.object({ code: z.string(), message: z.string(), retryable: z.boolean() }).nullable(),
  next_step: z.string().nullable().describe('What to do now. Null if there is nothing to do.'),
  created_at: z.string(),
})

type TaskData = z.input<typeof TASK>

export function toCost(micros: number | null, unknown = 'unknown'): z.input<typeof COST> {
  return { text: micros === null ? unknown : formatUsd(micros), micros }
}

export interface DescribedTask {
  data: TaskData
  results: AssetRow[]
}

export async function describeTask(context: McpContext, task: TaskRow): Promise<DescribedTask> {
  const { db, publicUrl, assetPath } = context
  const [attempts, assets] = await Promise.all([
    listAttempts(db.read, [task.id]),
    listAssets(db.read, [task.id]),
  ])
  const results = resultsAmong(attempts, assets)
  const { id, status, operation, model, request, warnings, error, createdAt } = task
  const isRunning = status === 'QUEUED' || status === 'RUNNING'
  const data = {
    task_id: id,
    status: toWord(status),
    operation: toWord(operation),
    prompt: request.prompt,
    model,
    provider: attempts.at(-1)?.provider ?? null,
    progress: task.progress,
    images: results.map((asset) => ({
      image_id: asset.id,
      url: publicUrl + assetPath(asset),
      resource: imageUri(asset.id),
      width: asset.width,
      height: asset.height,
      mime_type: asset.mimeType,
      byte_size: asset.byteSize,
      revised_prompt: asset.revisedPrompt,
    })),
    cost: toCost(costOfAll(attempts, status), isRunning ? 'not known yet' : 'unknown'),
    charged: toWord(chargedOfAll(attempts)),
    warnings: warnings.map(({ message }) => message),
    error: status === 'SUCCEEDED' || !error ? null : { ...pick(error) },
    next_step: nextStep(task, attempts),
    created_at: new Date(createdAt).toISOString(),
  }
  return { data, results }
}

function pick({ code, message, retryable }: NonNullable<TaskRow['error']>) {
  return { code, message, retryable }
}

function nextStep({ id, status }: TaskRow, attempts: AttemptRow[]): string | null {
  const charged = chargedOfAll(attempts)
  if (status === 'QUEUED' || status === 'RUNNING')
    return `Call get_task with task_id "${id}", which waits for the result. Do not request the image again.`
  if (status === 'OUTCOME_UNKNOWN')
    return (
      'It is not sent again, because the provider may have charged it; an operator reviews it. Pass a new variant only if ' +
      'the user accepts a possible second charge.'
    )
  if (status === 'SUCCEEDED') return null
  return charged === 'NO'
    ? 'Nothing was charged. Correct what the error names, or make the same call again.'
    : 'The provider charged or may have charged it. Pass a new variant only if the user accepts a second charge.'
}

export async function taskAnswer(context: McpContext, task: TaskRow, { replayed = false } = {}) {
  const { data, results } = await describeTask(context, task)
  const notes = replayed ? [REPLAYED] : []
  return {
    text: [toText(data), ...notes].join('\n'),
    data,
    images: await inlineImages(context, results),
    isError: ['failed', 'canceled', 'outcome_unknown'].includes(data.status) && results.length === 0,
  }
}

const REPLAYED =
  'This is the task of an earlier call with the same arguments; nothing more was charged. For another image, pass variant.'

function toText(data: TaskData): string {
  const { task_id: id, status, images, cost, charged, provider, model, warnings, error } = data
  const lines = [`Task ${id}: ${status} (${model}${provider === null ? '' : ` at ${provider}`}).`]
  for (const { image_id: image, width, height, mime_type: type, url, revised_prompt: revised } of images) {
    lines.push(`Image ${image}: ${width}x${height} ${formatOf(type)}, ${url}`)
    if (revised !== null) lines.push(`Revised prompt: ${revised}`)
  }
  if (images.length > MAX_INLINE_IMAGES)
    lines.push(`Shown: the first ${MAX_INLINE_IMAGES}. resources/read returns the others.`)
  if (error) lines.push(`${error.code}: ${error.message}`)
  const isInDoubt = charged === 'unknown' && status !== 'running'
  lines.push(`Cost: ${cost.text}${isInDoubt ? ' (whether it was charged is unknown)' : ''}.`)
  lines.push(...warnings.map((warning) => `Warning: ${warning}`))
  if (data.next_step !== null) lines.push(data.next_step)
  return lines.join('\n')
}
