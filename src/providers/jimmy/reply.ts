import { z } from 'zod'
import type { Reply } from '../wire/http.ts'
import { collect, isSuccess, readJson } from '../images-api/json-reply.ts'
import { MalformedPicture, MalformedReply } from '../wire/malformed.ts'
import { chosen, hasPicture, picture, receive, toResolved, type FetchLink } from '../images-api/picture.ts'
import { toUsage } from '../images-api/usage.ts'
import type { Answer, Call, ResolvedSettings } from '../provider.ts'
import { toMalformed, type ReplyFacts } from '../images-api/verdicts.ts'
import { isUnknownTask, open, orderRefused, questionRefused, taskFailed } from './failure.ts'

/** What the reading of a reply needs besides the reply. */
export interface Reading {
  facts: ReplyFacts
  fetchLink: FetchLink
  /** What our own message settled; the upstream's word on it comes first. */
  resolved: ResolvedSettings
  pollMs: number
}

const words = z.string().min(1).nullish().catch(null)
const remoteId = z
  .union([z.string().min(1), z.number()])
  .transform(String)
  .optional()
  .catch(undefined)
const content = z.object({
  ...chosen.shape,
  data: z.array(picture).catch([]),
  usage: z.unknown().optional(),
  task_id: remoteId,
})

/** The reply to an order: pictures, or the id of a task. Throws ProviderError. */
export async function readPlaced(reply: Reply, call: Call, reading: Reading): Promise<Answer> {
  const { facts, fetchLink, resolved, pollMs } = reading
  try {
    const json = await readJson(reply, call)
    const opened = open(json)
    if ('failed' in opened) throw orderRefused(opened.failed, facts)
    if (!isSuccess(reply)) throw orderRefused(undefined, facts)
    const given = Array.isArray(opened.content) ? { data: opened.content } : opened.content
    const parsed = content.safeParse(given)
    const pictures = parsed.data?.data.filter(hasPicture) ?? []
    if (parsed.success && pictures.length > 0) {
      const images = await receive(pictures, facts.provider, fetchLink)
      const { data } = parsed
      return {
        state: 'DONE',
        images,
        usage: toUsage(data.usage),
        resolved: { ...resolved, ...toResolved(data) },
      }
    }
    const id = parsed.data?.task_id
    if (id !== undefined) return { state: 'ACCEPTED', remoteId: id, checkAfterMs: pollMs }
    throw new MalformedReply('has neither an image nor the id of a task')
  } catch (error) {
    throw error instanceof MalformedReply ? toMalformed(error, 'order', facts) : error
  }
}

const links = z
  .union([z.string(), z.array(z.string())])
  .transform((value) => [value].flat().filter((url) => url !== ''))
  .catch([])
const task = z.object({
  task_id: remoteId,
  status: z.string().transform((status) => status.toLowerCase()),
  progress: z.union([z.number(), z.string()]).nullish().catch(null),
  // The page knows the link only; a picture in the record itself is no worse.
  result: z
    .object({ ...picture.shape, image_url: links })
    .nullish()
    .catch(null),
  usage: z.unknown().optional(),
  // The pages of the query and of the FAQ call it differently.
  error_message: words,
  error_msg: words,
  reason: words,
})

/** The reply to a question about a task. Throws ProviderError; `rejected` and `broken` are about the task. */
export async function readTask(reply: Reply, id: string, call: Call, reading: Reading): Promise<Answer> {
  const { facts, pollMs } = reading
  try {
    const json = await readJson(reply, call)
    const opened = open(json)
    if (isUnknownTask(opened, reply.status)) return { state: 'MISSING', checkAfterMs: pollMs }
    if ('failed' in opened) throw questionRefused(opened.failed, facts)
    if (!isSuccess(reply)) throw questionRefused(undefined, facts)
    const parsed = task.safeParse(opened.content)
    if (!parsed.success) throw new MalformedReply('has no status of a task')
    if ((parsed.data.task_id ?? id) !== id) throw new MalformedReply('is about another task')
    return await toAnswer(parsed.data, reading)
  } catch (error) {
    if (error instanceof MalformedPicture) throw toMalformed(error, 'order', facts)
    throw error instanceof MalformedReply ? toMalformed(error, 'question', facts) : error
  }
}

async function toAnswer(found: z.output<typeof task>, reading: Reading): Promise<Answer> {
  const { facts, fetchLink, resolved, pollMs } = reading
  const { status, result, error_message, error_msg, reason } = found
  if (FAILED.has(status)) throw taskFailed(error_message ?? error_msg ?? reason ?? '', facts)
  // What is not known to be an end is not one: a new name for waiting must not lose a picture.
  if (!DONE.has(status))
    return { state: 'PENDING', progress: toFraction(found.progress), checkAfterMs: pollMs }
  const linked = (result?.image_url ?? []).map((url) => ({ url, revised_prompt: result?.revised_prompt }))
  const pictures = [...linked, ...(result ? [result] : [])].filter(hasPicture)
  if (pictures.length === 0) throw taskFailed('the task is completed, but has no image', facts)
  // The link lives three days, so the picture is fetched at once.
  const images = await collect(pictures, facts.provider, fetchLink)
  return { state: 'DONE', images, usage: toUsage(found.usage), resolved }
}

// docs.jimmyai.cn, common/query, says `completed`; its FAQ says "completed or success". Of the ends without a picture
// only `failed` is on a page.
const DONE = new Set(['completed', 'success', 'succeeded'])
const FAILED = new Set(['failed', 'failure', 'error', 'canceled', 'cancelled', 'timeout', 'expired'])

function toFraction(progress: number | string | null | undefined): number | null {
  const percent = typeof progress === 'string' ? Number.parseFloat(progress) : progress
  if (percent === null || percent === undefined || Number.isNaN(percent)) return null
  return Math.min(1, Math.max(0, percent / 100))
}
