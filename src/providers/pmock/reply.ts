import { z } from 'zod'
import { DEFAULT_LIMITS, spillJson } from '../wire/json-spill.ts'
import type { Reply } from '../wire/http.ts'
import { collect, isSuccess, readJson } from '../images-api/json-reply.ts'
import { MalformedPicture, MalformedReply } from '../wire/malformed.ts'
import { chosen, hasPicture, picture, toResolved, type FetchLink } from '../images-api/picture.ts'
import { toUsage } from '../images-api/usage.ts'
import type { Answer, Call } from '../provider.ts'
import {
  BLOCKED,
  BROKEN,
  byStatus,
  ofOrder,
  ofQuestion,
  toMalformed,
  toProviderError,
  type ReplyFacts,
} from '../images-api/verdicts.ts'
import { envelopeIn, isGood, isSafetyBlock, noteTrace, verdictOf, type Envelope } from './envelope.ts'

/** What is needed to read a reply. */
export interface Reading {
  facts: ReplyFacts
  fetchLink: FetchLink
  pollMs: number
}

/** The reply to a submit: the id of the task that was made. Throws ProviderError. */
export async function readSubmitted(reply: Reply, call: Call, { facts, pollMs }: Reading): Promise<Answer> {
  try {
    const json = await readJson(reply, call)
    const found = envelopeIn(json)
    const told = { ...facts, requestId: noteTrace(found, call, facts.clean) ?? facts.requestId }
    if (!isSuccess(reply) || (found && !isGood(found))) throw failure(found, 'order', told)
    const { taskId } = submitted.parse(found ? found.data : json)
    if (!taskId) throw new MalformedReply('has no task id')
    return { state: 'ACCEPTED', remoteId: taskId, checkAfterMs: pollMs }
  } catch (error) {
    throw error instanceof MalformedReply ? toMalformed(error, 'order', facts) : error
  }
}

/** The reply to a question about a task. Throws ProviderError: `rejected` or `broken` when the task itself has failed. */
export async function readTask(reply: Reply, call: Call, reading: Reading): Promise<Answer> {
  const { facts, pollMs } = reading
  const { found, json } = await readQuestioned(reply, call, facts)
  const told = { ...facts, requestId: noteTrace(found, call, facts.clean) ?? facts.requestId }
  if (reply.status === 404 || (found && isUnknown(found))) return { state: 'MISSING', checkAfterMs: pollMs }
  if (!isSuccess(reply) || (found && !isGood(found))) throw failure(found, 'question', told)
  const record = task.safeParse(found ? found.data : json)
  if (!record.success) throw toMalformed(new MalformedReply('has no task'), 'question', told)
  const state = record.data.status?.toLowerCase()
  if (FAILED.has(state)) throw taskFailure(record.data, told)
  if (!DONE.has(state)) return { state: 'PENDING', progress: null, checkAfterMs: pollMs }
  return finished(record.data.result, call, { ...reading, facts: told })
}

const text = z.union([z.string(), z.number()]).transform(String).nullish().catch(null)
const submitted = z.object({ taskId: text }).catch({ taskId: null })
const task = z.object({
  status: z.string().nullish().catch(null),
  result: z.unknown().optional(),
  errorCode: text,
  errorMessage: text,
})
const images = z.object({
  ...chosen.shape,
  data: z.array(picture).catch([]),
  usage: z.unknown().optional(),
})

// None of pmock's pages has them. Those of docs.mountsea.ai, whose pages are alike, differ among themselves:
// pending, ready, assigned, processing, completed, failed, cancelled, timeout; and queued, succeeded, canceled. What is in
// neither list is still running: taking it for an end would give a paid picture up.
const DONE = new Set<string | undefined>(['completed', 'succeeded', 'success', 'done'])
const FAILED = new Set<string | undefined>([
  'failed',
  'failure',
  'error',
  'cancelled',
  'canceled',
  'timeout',
  'timed_out',
  'expired',
])

// A result may come as JSON within the JSON, where its pictures are text to begin with.
const TASK_LIMITS = { ...DEFAULT_LIMITS, maxTextBytes: 64 * 1024 * 1024 }

async function readQuestioned(reply: Reply, call: Call, facts: ReplyFacts) {
  try {
    const json = isSuccess(reply)
      ? await spillJson(reply.body, () => call.newFile(), TASK_LIMITS)
      : await readJson(reply, call)
    return { json, found: envelopeIn(json) }
  } catch (error) {
    throw error instanceof MalformedReply ? toMalformed(error, aboutOf(error), facts) : error
  }
}

// Half a reply or another server's page says nothing about the task; a picture that is none is the task's own.
function aboutOf(error: MalformedReply): 'order' | 'question' {
  return error instanceof MalformedPicture ? 'order' : 'question'
}

/** Whether the wrapper says that there is no such task; no code for it is documented. */
function isUnknown({ code, message, data }: Envelope): boolean {
  if (code === '404' || (code === '200' && data === null)) return true
  return code !== '200' && /\btask\b.*\b(not (be )?found|not exist)/i.test(message ?? '')
}

function failure(found: Envelope | undefined, about: 'order' | 'question', facts: ReplyFacts) {
  const verdict = found ? verdictOf(found, facts.status) : byStatus(facts.status, 'foreign')
  const said = { code: found?.code ?? null, message: found?.message ?? '' }
  return toProviderError(about === 'order' ? verdict : ofQuestion(verdict), said, facts)
}

// Whether failed tasks are billed is on no page, so it is unknown, even where the code is that of a refused request.
function taskFailure({ status, errorCode, errorMessage }: z.output<typeof task>, facts: ReplyFacts) {
  const code = /^4\d\d$/.test(errorCode ?? '') ? Number(errorCode) : 500
  const verdict = isSafetyBlock(errorMessage) ? BLOCKED : code < 500 ? byStatus(code, 'understood') : BROKEN
  const said = { code: errorCode ?? status ?? null, message: errorMessage ?? '' }
  return toProviderError({ ...ofOrder(verdict), charged: 'UNKNOWN' }, said, facts)
}

async function finished(result: unknown, call: Call, { facts, fetchLink }: Reading): Promise<Answer> {
  try {
    const parsed = images.safeParse(await unpack(result, call))
    const pictures = parsed.success ? parsed.data.data.filter(hasPicture) : []
    if (!parsed.success || pictures.length === 0)
      throw new MalformedReply('has a finished task without an image')
    return {
      state: 'DONE',
      images: await collect(pictures, facts.provider, fetchLink),
      usage: toUsage(parsed.data.usage),
      resolved: toResolved(parsed.data),
    }
  } catch (error) {
    throw error instanceof MalformedReply ? toMalformed(error, 'order', facts) : error
  }
}

/** The images response: as it is, as its list alone, or as a JSON text of either. */
async function unpack(result: unknown, call: Call): Promise<unknown> {
  if (Array.isArray(result)) return { data: result }
  if (typeof result !== 'string') return result
  async function* once() {
    yield Buffer.from(String(result))
  }
  return unpack(await spillJson(once(), () => call.newFile()), call)
}
