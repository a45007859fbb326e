import { z } from 'zod'
import { VERDICTS } from '../error.ts'
import type { ProviderReply } from '../images-api/client.ts'
import { endedWithoutImage, ofTask, toProviderError, verdictOfStatus } from '../images-api/failure.ts'
import { readReply } from '../images-api/reply.ts'
import { idOrNumber } from '../images-api/task.ts'
import type { CallResult, Call } from '../provider.ts'
import { DEFAULT_LIMITS } from '../wire/json-spill.ts'
import { MalformedReply } from '../wire/malformed.ts'
import { envelopeFailure, envelopeIn, isGood, traceIdIn, type Envelope } from './envelope.ts'

const text = z.union([z.string(), z.number()]).transform(String).nullish().catch(null)
const submitted = z.object({ taskId: idOrNumber }).catch({ taskId: null })
const task = z.object({
  status: z.string().nullish().catch(null),
  errorCode: text,
  errorMessage: text,
})

type Task = z.output<typeof task>

// pmock's pages list none. From docs.mountsea.ai, whose pages are alike, and similar ones.
const RUNNING = new Set(['pending', 'ready', 'assigned', 'processing', 'queued', 'running'])
const DONE = new Set(['completed', 'succeeded', 'success', 'done'])
const FAILED = new Set('failed failure error cancelled canceled timeout timed_out expired'.split(' '))

/** JSON within JSON: images are text. */
const TASK_LIMITS = { ...DEFAULT_LIMITS, maxTextBytes: 64 * 1024 * 1024 }

export function readSubmitted(received: ProviderReply, call: Call, pollMs: number): Promise<CallResult> {
  return readReply<CallResult>('SUBMIT', received, call, {
    requestIdIn: traceIdIn,
    read(json, reply) {
      const envelope = envelopeIn(json)
      if (!isGood(envelope, reply)) throw envelopeFailure('SUBMIT', envelope, reply)
      const { taskId } = submitted.parse(envelope ? envelope.data : json)
      if (!taskId) throw new MalformedReply('has no task id')
      return { state: 'ACCEPTED', remoteId: taskId, checkAfterMs: pollMs }
    },
  })
}

/** Throws ProviderError: `rejected` and `broken` are about the task. */
export function readTask(received: ProviderReply, call: Call, pollMs: number): Promise<CallResult> {
  return readReply<CallResult>('CHECK', received, call, {
    limits: TASK_LIMITS,
    requestIdIn: traceIdIn,
    hasResult: (json) => !RUNNING.has(statusOf(recordIn(json))),
    read(json, reply) {
      const envelope = envelopeIn(json)
      if (isUnknownTask(envelope, reply)) return { state: 'MISSING', checkAfterMs: pollMs }
      if (!isGood(envelope, reply)) throw envelopeFailure('CHECK', envelope, reply)
      const record = recordIn(json)
      if (!record) throw new MalformedReply('has no task')
      const status = statusOf(record)
      if (FAILED.has(status)) throw taskFailure(record, reply)
      if (DONE.has(status)) throw endedWithoutImage(reply)
      const unknownStatus = RUNNING.has(status) ? undefined : status
      return { state: 'PENDING', progress: null, checkAfterMs: pollMs, unknownStatus }
    },
  })
}

function recordIn(json: unknown): Task | undefined {
  const envelope = envelopeIn(json)
  return task.safeParse(envelope ? envelope.data : json).data
}

function statusOf(record: Task | undefined): string {
  return record?.status?.toLowerCase() ?? ''
}

// By status or its code; none is documented.
function isUnknownTask(envelope: Envelope | undefined, { status }: ProviderReply): boolean {
  return status === 404 || envelope?.code === '404' || (envelope?.code === '200' && envelope.data === null)
}

// No page says whether failed tasks are billed.
function taskFailure({ status, errorCode, errorMessage }: Task, reply: ProviderReply) {
  const code = /^4\d\d$/.test(errorCode ?? '') ? Number(errorCode) : 500
  const verdict = code < 500 ? verdictOfStatus({ ...reply, status: code }, 'KNOWN') : VERDICTS.BROKEN
  const words = { code: errorCode ?? status ?? null, message: errorMessage ?? '' }
  return toProviderError({ ...ofTask(verdict), charged: 'UNKNOWN' }, words, reply)
}
