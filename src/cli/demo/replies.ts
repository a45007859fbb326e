// What comes back for the documents, as far as the demo reads it.
import { z } from 'zod'
import { ATTEMPT_STATES, CHARGES, TASK_STATUSES, USAGE_SOURCES } from '../../domain.ts'

const count = z.int().nullable()
// Models and upstreams may say anything, and what is a text to them could be a command to a terminal.
const text = z.string().transform((words) => words.replace(/\p{Cc}+/gu, ' '))

/** The answer to GENERATE_IMAGE. */
export const GENERATED = z.object({
  generateImage: z.object({ id: text, warnings: z.array(z.object({ message: text })) }),
})

const TASK_STATE = z.object({
  status: z.enum(TASK_STATUSES),
  /** 0..1 */
  progress: z.number(),
  /** Null unless it is queued. */
  queuePosition: z.int().nullable(),
})

/** How far a task is. */
export type TaskState = z.output<typeof TASK_STATE>

const TASK_EVENT = z.object({
  cursor: text,
  task: TASK_STATE,
  /** On PartialImageReceived only. */
  partialImage: z
    .object({ index: z.int(), image: z.object({ url: text, width: z.int(), height: z.int() }) })
    .optional(),
  /** On TaskFinished only. */
  status: z.enum(TASK_STATUSES).optional(),
})

/** One answer to TASK_EVENTS. */
export const TASK_EVENTS_REPLY = z.object({ taskEvents: TASK_EVENT })

export type TaskEvent = z.output<typeof TASK_EVENT>

const TOKEN_DETAILS = z.object({ textTokens: count, imageTokens: count })

const USAGE = z.object({
  inputTokens: count,
  outputTokens: count,
  totalTokens: count,
  inputTokensDetails: TOKEN_DETAILS.nullable(),
  outputTokensDetails: TOKEN_DETAILS.nullable(),
  source: z.enum(USAGE_SOURCES),
})

export type TokenDetails = z.output<typeof TOKEN_DETAILS>
export type UsageReply = z.output<typeof USAGE>

const TASK_RESULT = z.object({
  status: z.enum(TASK_STATUSES),
  provider: z.object({ name: text, dialect: text }).nullable(),
  model: text,
  images: z.array(z.object({ url: text, width: z.int(), height: z.int(), revisedPrompt: text.nullable() })),
  usage: USAGE.nullable(),
  /** Integer micro-USD, which travel as a text or a number; null when unknown. */
  costMicros: z
    .union([z.string().regex(/^-?\d+$/), z.int()])
    .transform(BigInt)
    .nullable(),
  charged: z.enum(CHARGES),
  error: z.object({ code: text, message: text, retryable: z.boolean() }).nullable(),
  warnings: z.array(z.object({ field: text.nullable(), message: text })),
  attempts: z.array(z.object({ number: z.int(), state: z.enum(ATTEMPT_STATES) })),
  createdAt: text,
  startedAt: text.nullable(),
  finishedAt: text.nullable(),
})

/** The answer to TASK. */
export const TASK_REPLY = z.object({ task: TASK_RESULT })

export type TaskResult = z.output<typeof TASK_RESULT>
