import { z } from 'zod'
import { isSuccess, type ProviderReply } from '../images-api/client.ts'
import { asFailure, replyFailure } from '../images-api/failure.ts'
import { readJson } from '../images-api/json-body.ts'
import { hasImage, imageEntry, readImages, toDone } from '../images-api/images.ts'
import { toUsage } from '../images-api/usage.ts'
import type { CallResult, Call, ResolvedSettings } from '../provider.ts'
import { MalformedReply } from '../wire/malformed.ts'
import { isUnknownTask, taskFailed, unwrap, verdictOn } from './failure.ts'

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
    const body = unwrap(await readJson(reply, call))
    if ('failure' in body) throw replyFailure('SUBMIT', verdictOn(body.failure, reply), body.failure, reply)
    if (!isSuccess(reply)) throw replyFailure('SUBMIT', verdictOn(undefined, reply), undefined, reply)
    const done = await readImages(body.content, 'SUBMIT', reply)
    if (done) return { ...done, resolved: { ...resolved, ...done.resolved } }
    const remoteId = created.safeParse(body.content).data?.task_id
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
    if ('failure' in body) throw replyFailure('CHECK', verdictOn(body.failure, reply), body.failure, reply)
    if (!isSuccess(reply)) throw replyFailure('CHECK', verdictOn(undefined, reply), undefined, reply)
    const parsed = task.safeParse(body.content)
    if (!parsed.success) throw new MalformedReply('has no status of a task')
    if ((parsed.data.task_id ?? remoteId) !== remoteId) throw new MalformedReply('is about another task')
    return await toAnswer(parsed.data, reply, expected)
  } catch (error) {
    throw asFailure(error, 'CHECK', reply)
  }
}

async function toAnswer(
  record: Task,
  reply: ProviderReply,
  { resolved, pollMs }: Expected,
): Promise<CallResult> {
  const { status, result, usage, error_message, error_msg, reason } = record
  if (FAILED.has(status)) throw taskFailed(error_message ?? error_msg ?? reason ?? '', reply)
  // To take an unknown status for an end would give up a paid image.
  if (!DONE.has(status))
    return { state: 'PENDING', progress: toFraction(record.progress), checkAfterMs: pollMs }
  const linked = (result?.image_url ?? []).map((url) => ({ url, revised_prompt: result?.revised_prompt }))
  const entries = [...linked, ...(result ? [result] : [])].filter(hasImage)
  if (entries.length === 0) throw taskFailed('the task is completed, but has no image', reply)
  const done = await toDone({ entries, usage: toUsage(usage), reported: {} }, 'CHECK', reply)
  return { ...done, resolved }
}

// docs.jimmyai.cn: `completed` on the query page, "completed or success" in the FAQ; of the failures only `failed`.
const DONE = new Set(['completed', 'success', 'succeeded'])
const FAILED = new Set(['failed', 'failure', 'error', 'canceled', 'cancelled', 'timeout', 'expired'])

function toFraction(progress: number | string | null | undefined): number | null {
  const percent = typeof progress === 'string' ? Number.parseFloat(progress) : progress
  if (percent === null || percent === undefined || Number.isNaN(percent)) return null
  return Math.min(1, Math.max(0, percent / 100))
}
