import { z } from 'zod'
import { VERDICTS } from '../error.ts'
import type { ProviderReply } from '../images-api/client.ts'
import { asFailure, ofTask, toProviderError, verdictOfStatus } from '../images-api/failure.ts'
import { readImages } from '../images-api/images.ts'
import { readReply } from '../images-api/reply.ts'
import type { CallResult, Call } from '../provider.ts'
import { DEFAULT_LIMITS, spillJson } from '../wire/json-spill.ts'
import { MalformedReply } from '../wire/malformed.ts'
import { envelopeFailure, envelopeIn, isGood, isSafetyBlock, type Envelope } from './envelope.ts'

const text = z.union([z.string(), z.number()]).transform(String).nullish().catch(null)
const submitted = z.object({ taskId: text }).catch({ taskId: null })
const task = z.object({
  status: z.string().nullish().catch(null),
  result: z.unknown().optional(),
  errorCode: text,
  errorMessage: text,
})

type Task = z.output<typeof task>

// pmock's pages list no statuses. Those of docs.mountsea.ai, whose pages are alike, differ. An unknown status counts as
// running: taken for an end, it would give up a paid image.
const DONE = new Set<string | undefined>(['completed', 'succeeded', 'success', 'done'])
const FAILED = new Set<string | undefined>(
  'failed failure error cancelled canceled timeout timed_out expired'.split(' '),
)

/** A result may be JSON within JSON, with its images as text. */
const TASK_LIMITS = { ...DEFAULT_LIMITS, maxTextBytes: 64 * 1024 * 1024 }

const requestIdIn = (json: unknown) => envelopeIn(json)?.traceId

export function readSubmitted(received: ProviderReply, call: Call, pollMs: number): Promise<CallResult> {
  return readReply('SUBMIT', received, call, {
    requestIdIn,
    read(json, reply) {
      const envelope = envelopeIn(json)
      if (!isGood(envelope, reply)) throw envelopeFailure('SUBMIT', envelope, reply)
      const { taskId } = submitted.parse(envelope ? envelope.data : json)
      if (!taskId) throw new MalformedReply('has no task id')
      return { state: 'ACCEPTED', remoteId: taskId, checkAfterMs: pollMs }
    },
  })
}

/** Throws ProviderError; `rejected` and `broken` are about the task. */
export function readTask(received: ProviderReply, call: Call, pollMs: number): Promise<CallResult> {
  return readReply('CHECK', received, call, {
    limits: TASK_LIMITS,
    requestIdIn,
    async read(json, reply) {
      const envelope = envelopeIn(json)
      if (isUnknownTask(envelope, reply)) return { state: 'MISSING', checkAfterMs: pollMs }
      if (!isGood(envelope, reply)) throw envelopeFailure('CHECK', envelope, reply)
      const parsed = task.safeParse(envelope ? envelope.data : json)
      if (!parsed.success) throw new MalformedReply('has no task')
      const status = parsed.data.status?.toLowerCase()
      if (FAILED.has(status)) throw taskFailure(parsed.data, reply)
      if (!DONE.has(status)) return { state: 'PENDING', progress: null, checkAfterMs: pollMs }
      return readFinished(parsed.data.result, call, reply)
    },
  })
}

function isUnknownTask(envelope: Envelope | undefined, { status }: ProviderReply): boolean {
  if (status === 404) return true
  if (!envelope) return false
  const { code, message, data } = envelope
  if (code === '404' || (code === '200' && data === null)) return true
  return code !== '200' && /\btask\b.*\b(not (be )?found|not exist)/i.test(message ?? '')
}

// No page says whether failed tasks are billed.
function taskFailure({ status, errorCode, errorMessage }: Task, reply: ProviderReply) {
  const code = /^4\d\d$/.test(errorCode ?? '') ? Number(errorCode) : 500
  const ofCode = code < 500 ? verdictOfStatus({ ...reply, status: code }, 'KNOWN') : VERDICTS.BROKEN
  const verdict = ofTask(isSafetyBlock(errorMessage) ? VERDICTS.BLOCKED : ofCode)
  const words = { code: errorCode ?? status ?? null, message: errorMessage ?? '' }
  return toProviderError({ ...verdict, charged: 'UNKNOWN' }, words, reply)
}

async function readFinished(result: unknown, call: Call, reply: ProviderReply): Promise<CallResult> {
  try {
    let json = result
    while (typeof json === 'string') json = await spillJson(bytesOf(json), () => call.newFile())
    const done = readImages(json)
    if (!done) throw new MalformedReply('has a finished task without an image')
    return done
  } catch (error) {
    // Not CHECK: this is about the task.
    throw asFailure(error, 'SUBMIT', reply)
  }
}

async function* bytesOf(json: string): AsyncGenerator<Buffer> {
  yield Buffer.from(json)
}
