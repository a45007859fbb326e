import { z } from 'zod'
import {
  ATTEMPT_STATES,
  CHARGES,
  TASK_STATUSES,
  USAGE_SOURCES,
  type OutputFormat,
  type Quality,
} from '../../domain.ts'

export interface GenerateImageInput {
  prompt: string
  partialImages: number
  n: number
  idempotencyKey: string
  size?: string
  model?: string
  quality?: Quality
  outputFormat?: OutputFormat
  providers?: string[]
}

const count = z.int().nullable()
// Foreign text must not control the terminal.
const text = z.string().transform((value) => value.replace(/\p{Cc}+/gu, ' '))

export const GENERATE_IMAGE = {
  query: 'mutation Demo($input: GenerateImageInput!) { generateImage(input: $input) { task { id } } }',
  shape: z.object({ generateImage: z.object({ task: z.object({ id: text }) }) }),
}

const TASK_STATE = z.object({
  status: z.enum(TASK_STATUSES),
  progress: z.number(),
  queuePosition: z.int().nullable(),
  /** Only of `darkroom task`. */
  startedAt: z.string().nullish(),
})

export type TaskState = z.output<typeof TASK_STATE>

const TASK_EVENT = z.object({
  cursor: text,
  task: TASK_STATE,
  partialImage: z
    .object({ index: z.int(), image: z.object({ url: text, width: z.int(), height: z.int() }) })
    .optional(),
  status: z.enum(TASK_STATUSES).optional(),
})

export type DemoEvent = z.output<typeof TASK_EVENT>

export const TASK_EVENTS = {
  query: `
    subscription DemoEvents($id: ID!, $after: String) {
      taskEvents(taskId: $id, after: $after) {
        cursor
        task { status progress queuePosition }
        ... on PartialImageReceived { partialImage { index image { url width height } } }
        ... on TaskFinished { status }
      }
    }`,
  shape: z.object({ taskEvents: TASK_EVENT }),
}

const TOKEN_DETAILS = z.object({ textTokens: count, imageTokens: count })

const USAGE = z.object({
  inputTokens: count,
  outputTokens: count,
  totalTokens: count,
  inputTokensDetails: TOKEN_DETAILS.nullable(),
  outputTokensDetails: TOKEN_DETAILS.nullable(),
  source: z.enum(USAGE_SOURCES),
})

export type TaskUsage = z.output<typeof USAGE>

const TASK_RESULT = z.object({
  status: z.enum(TASK_STATUSES),
  provider: z.object({ name: text, dialect: text }).nullable(),
  model: text,
  images: z.array(z.object({ url: text, width: z.int(), height: z.int(), revisedPrompt: text.nullable() })),
  usage: USAGE.nullable(),
  /** Micro-USD. */
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

export type TaskResult = z.output<typeof TASK_RESULT>

export const TASK = {
  query: `
    query DemoTask($id: ID!) {
      task(id: $id) {
        status model costMicros charged createdAt startedAt finishedAt
        provider { name dialect }
        images { url width height revisedPrompt }
        usage {
          inputTokens outputTokens totalTokens source
          inputTokensDetails { textTokens imageTokens }
          outputTokensDetails { textTokens imageTokens }
        }
        error { code message retryable }
        warnings { field message }
        attempts { number state }
      }
    }`,
  shape: z.object({ task: TASK_RESULT }),
}
