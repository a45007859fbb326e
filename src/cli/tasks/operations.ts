import { z } from 'zod'
import { ATTEMPT_STATES, CHARGES, TASK_STATUSES, USAGE_SOURCES } from '../../domain.ts'
import { PAGE } from '../pages.ts'

const count = z.number().nullable()
const time = z.string().nullable()

const ROW = z.object({
  id: z.string(),
  status: z.enum(TASK_STATUSES),
  prompt: z.string(),
  model: z.string(),
  n: z.number(),
  size: z.string(),
  quality: z.string(),
  provider: z.object({ name: z.string() }).nullable(),
  charged: z.enum(CHARGES),
  /** Micro-USD; null: unknown, or the task has not ended. */
  costMicros: count,
  createdAt: z.string(),
  startedAt: time,
  finishedAt: time,
})

export type ListedTask = z.output<typeof ROW>

const ROW_FIELDS = `id status prompt model n size quality provider { name } charged costMicros createdAt startedAt finishedAt`

export const LIST_TASKS = {
  query: `query ($filter: TaskFilter, $orderBy: TaskOrder, $first: Int, $after: String) {
    tasks(filter: $filter, orderBy: $orderBy, first: $first, after: $after) { nodes { ${ROW_FIELDS} } ${PAGE.selection} }
  }`,
  shape: z.object({ tasks: PAGE.shape(ROW) }),
}

const IMAGE = z.object({ id: z.string(), url: z.string(), width: z.number(), height: z.number() })
const TOKEN_DETAILS = z.object({ textTokens: count, imageTokens: count })

const DETAILS = ROW.extend({
  progress: z.number(),
  queuePosition: count,
  cancelRequested: z.boolean(),
  images: z.array(IMAGE),
  usage: z
    .object({
      inputTokens: count,
      outputTokens: count,
      totalTokens: count,
      inputTokensDetails: TOKEN_DETAILS.nullable(),
      outputTokensDetails: TOKEN_DETAILS.nullable(),
      source: z.enum(USAGE_SOURCES),
    })
    .nullable(),
  error: z.object({ code: z.string(), message: z.string(), retryable: z.boolean() }).nullable(),
  warnings: z.array(z.object({ code: z.string(), field: time, message: z.string() })),
  attempts: z.array(
    z.object({
      id: z.string(),
      number: z.number(),
      state: z.enum(ATTEMPT_STATES),
      charged: z.enum(CHARGES),
      costMicros: count,
      provider: z.object({ name: z.string() }),
    }),
  ),
})

export type TaskDetails = z.output<typeof DETAILS>

export const GET_TASK = {
  query: `query ($id: ID!) {
    task(id: $id) {
      ${ROW_FIELDS} progress queuePosition cancelRequested
      images { id url width height }
      usage {
        inputTokens outputTokens totalTokens source
        inputTokensDetails { textTokens imageTokens }
        outputTokensDetails { textTokens imageTokens }
      }
      error { code message retryable }
      warnings { code field message }
      attempts { id number state charged costMicros provider { name } }
    }
  }`,
  shape: z.object({ task: DETAILS.nullable() }),
}

const EVENT = z.object({
  __typename: z.string(),
  cursor: z.string(),
  at: z.string(),
  task: z.object({
    status: z.enum(TASK_STATUSES),
    progress: z.number(),
    queuePosition: count,
    startedAt: time,
  }),
  partialImage: z.object({ index: z.number(), image: IMAGE }).optional(),
  status: z.enum(TASK_STATUSES).optional(),
})

export type WatchedEvent = z.output<typeof EVENT>

/** Without `after`, from the current state. */
export const WATCH_TASK = {
  query: `subscription ($id: ID!, $after: String) {
    taskEvents(taskId: $id, after: $after) {
      __typename cursor at
      task { status progress queuePosition startedAt }
      ... on PartialImageReceived { partialImage { index image { id url(width: 512) width height } } }
      ... on TaskFinished { status }
    }
  }`,
  shape: z.object({ taskEvents: EVENT }),
}

export const CANCEL_TASK = {
  query:
    'mutation ($id: ID!) { cancelTask(input: { id: $id }) { task { id status cancelRequested charged } } }',
  shape: z.object({
    cancelTask: z.object({
      task: z.object({
        id: z.string(),
        status: z.enum(TASK_STATUSES),
        cancelRequested: z.boolean(),
        charged: z.enum(CHARGES),
      }),
    }),
  }),
}
