import { z } from 'zod'
import { isSuccess, readJson, type ProviderReply } from '../images-api/client.ts'
import { asFailure, replyFailure, type ReplyTo } from '../images-api/failure.ts'
import { hasImage, imageEntry, readImages, toDone } from '../images-api/images.ts'
import { toUsage } from '../images-api/usage.ts'
import type { CallResult, Call, ResolvedSettings } from '../provider.ts'
import { MalformedReply } from '../wire/malformed.ts'
import { isUnknownTask, taskFailed, unwrap, verdictOn, type Unwrapped } from './failure.ts'

export interface Expected {
  /** Decided by the message; reported settings take precedence. */
  resolved: ResolvedSettings
  pollMs: number
}

const text = z.string().min(1).nullish().catch(null)
const taskId = z
  .union([z.string().min(1), z.number()])
  .transform(String)
  .optional()
  .catch(undefined)
const created = z.object({ task_id: taskId })

/** Throws ProviderError. */
export async function readSubmitted(
  reply: ProviderReply,
  call: Call,
  { resolved, pollMs }: Expected,
): Promise<CallResult> {
  try {
    const content = contentOf(unwrap(await readJson(reply, call)), 'SUBMIT', reply)
    const done = await readImages(content, 'SUBMIT', reply)
    if (done) return { ...done, resolved: { ...resolved, ...done.resolved } }
    const remoteId = created.safeParse(content).data?.task_id
    if (remoteId !== undefined) return { state: 'ACCEPTED', remoteId, checkAfterMs: pollMs }
    throw new MalformedReply('has neither an image nor the id of a task')
  } catch (error) {
    throw asFailure(error, 'SUBMIT', reply)
  }
}

const links = z
  .union([z.string(), z.array(z.string())])
  .transform((value) => [value].flat().filter((url) => url !== ''))
  .catch([])
const task = z.object({
  task_id: taskId,
  status: z.string().transform((status) => status.toLowerCase()),
  progress: z.union([z.number(), z.string()]).nullish().catch(null),
  // The page shows a link only.
  result: z
    .object({ ...imageEntry.shape, image_url: links })
    .nullish()
    .catch(null),
  usage: z.unknown().optional(),
  // The query page and the FAQ differ.
  error_message: text,
  error_msg: text,
  reason: text,
})

type Task = z.output<typeof task>

/** Throws ProviderError; `rejected` and `broken` are about the task. */
export async function readTask(
  reply: ProviderReply,
  remoteId: string,
  call: Call,
  expected: Expected,
): Promise<CallResult> {
  try {
    const body = unwrap(await readJson(reply, call))
    if (isUnknownTask(body, reply)) return { state: 'MISSING', checkAfterMs: expected.pollMs }
    const parsed = task.safeParse(contentOf(body, 'CHECK', reply))
    if (!parsed.success) throw new MalformedReply('has no status of a task')
    if ((parsed.data.task_id ?? remoteId) !== remoteId) throw new MalformedReply('is about another task')
    return await toAnswer(parsed.data, reply, expected)
  } catch (error) {
    throw asFailure(error, 'CHECK', reply)
  }
}

function contentOf(body: Unwrapped, replyTo: ReplyTo, reply: ProviderReply): unknown {
  if ('content' in body && isSuccess(reply)) return body.content
  const words = 'failure' in body ? body.failure : undefined
  throw replyFailure(replyTo, verdictOn(words, reply), words, reply)
}

async function toAnswer(
  record: Task,
  reply: ProviderReply,
  { resolved, pollMs }: Expected,
): Promise<CallResult> {
  const { status, result, usage, error_message, error_msg, reason } = record
  if (FAILED.has(status)) throw taskFailed(error_message ?? error_msg ?? reason ?? '', reply)
  // An unknown status taken for an end would give up a paid image.
  if (!DONE.has(status))
    return { state: 'PENDING', progress: toFraction(record.progress), checkAfterMs: pollMs }
  const linked = (result?.image_url ?? []).map((url) => ({ url, revised_prompt: result?.revised_prompt }))
  const entries = [...linked, ...(result ? [result] : [])].filter(hasImage)
  if (entries.length === 0) throw taskFailed('the task is completed, but has no image', reply)
  const done = await toDone({ entries, usage: toUsage(usage), reported: {} }, 'CHECK', reply)
  return { ...done, resolved }
}

// docs.jimmyai.cn: `completed` on the query page, "completed or success" in the FAQ, `failed`.
const DONE = new Set(['completed', 'success', 'succeeded'])
const FAILED = new Set(['failed', 'failure', 'error', 'canceled', 'cancelled', 'timeout', 'expired'])

function toFraction(progress: number | string | null | undefined): number | null {
  const percent = typeof progress === 'string' ? Number.parseFloat(progress) : progress
  if (percent === null || percent === undefined || Number.isNaN(percent)) return null
  return Math.min(1, Math.max(0, percent / 100))
}
