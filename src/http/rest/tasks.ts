// Tasks as resources, with a stream of events that can be resumed.
import { findTask } from '../../db/tasks/tasks.ts'
import type { TaskRow } from '../../db/tables/tables.ts'
import { decodeCursor } from '../../engine/events/cursor.ts'
import { badInput, notFound } from '../../errors.ts'
import { answerFor, type Answer } from './answer.ts'
import type { BodyPart } from './body.ts'
import { headersOf, optionsOf, type Created } from './created.ts'
import { urlOf, type RestExchange, type RestDeps } from './deps.ts'
import { completedFrames, comment, errorFrame, partialFrame } from './frames.ts'
import type { OpenCalls } from './open-calls.ts'
import { errorBody } from './problem.ts'
import type { ResponseFormat } from './read-request.ts'
import { EVENT_STREAM_HEADERS, partsResponse, streamResponse } from './respond.ts'
import { resultBody, resultHeaders } from './result.ts'
import { eventsOf, toChunks } from './stream.ts'
import { hasAnswer } from './wait.ts'

const POLL_SECONDS = 3

export async function acceptedResponse(deps: RestDeps, created: Created): Promise<Response> {
  const { exchange, read, task } = created
  const found = await answerFor(deps, task, optionsOf(created))
  const query = read.responseFormat === 'url' ? '?response_format=url' : ''
  const { head, pollUrl } = describe(deps, exchange, found, query)
  return Response.json(head, {
    status: 202,
    headers: {
      ...headersOf(created, found),
      'preference-applied': 'respond-async',
      location: pollUrl,
      'retry-after': String(POLL_SECONDS),
    },
  })
}

export async function showTask(deps: RestDeps, exchange: RestExchange, id: string): Promise<Response> {
  return taskResponse(deps, exchange, await getOwnTask(deps, exchange, id))
}

export async function cancelTask(deps: RestDeps, exchange: RestExchange, id: string): Promise<Response> {
  return taskResponse(deps, exchange, await deps.engine.cancelTask(exchange.caller.projectId, id))
}

async function taskResponse(deps: RestDeps, exchange: RestExchange, task: TaskRow): Promise<Response> {
  const found = await answerFor(deps, task, OF_A_TASK)
  const { result, problem, warnings } = found
  const { head } = describe(deps, exchange, found, '')
  const isWaiting = !hasAnswer(result.task)
  const json = JSON.stringify({
    ...head,
    ...(!isWaiting && { http_status: problem?.status ?? 200 }),
    ...(!isWaiting && problem && errorBody(problem)),
  })
  const form = { responseFormat: formatOf(exchange), warnings, urlOf: urlOf(deps, exchange) }
  const parts: BodyPart[] = problem
    ? [json]
    : [`${json.slice(0, -1)},"result":`, ...resultBody(result, form), '}']
  const headers = {
    ...resultHeaders(result, warnings),
    ...(isWaiting && { 'retry-after': String(POLL_SECONDS) }),
  }
  if (exchange.request.method === 'HEAD') return new Response(null, { headers })
  return partsResponse(deps, parts, { headers, abort: () => {} })
}

const OF_A_TASK = { isForm: false, warnings: [], isKeyed: false, attaches: true }

/** Throws NOT_FOUND. */
async function getOwnTask({ db }: RestDeps, { caller }: RestExchange, id: string): Promise<TaskRow> {
  const task = await findTask(db.read, caller.projectId, id)
  if (!task) throw notFound('task', id, 'id')
  return task
}

function formatOf({ request }: RestExchange): ResponseFormat {
  const format = new URL(request.url).searchParams.get('response_format') ?? 'b64_json'
  if (format === 'url' || format === 'b64_json') return format
  throw badInput('response_format', 'response_format must be url or b64_json.')
}

function describe(deps: RestDeps, { client }: RestExchange, { result, problem }: Answer, query: string) {
  const { task, charged, costMicros } = result
  const pollUrl = `${deps.publicUrl ?? client.origin}/v1/images/tasks/${task.id}${query}`
  const head = {
    id: task.id,
    task_id: task.id,
    object: 'image.generation.task',
    status: !hasAnswer(task) ? 'processing' : problem ? 'failed' : 'completed',
    progress: task.progress,
    created_at: Math.floor(task.createdAt / 1000),
    /** Kept until it is deleted. */
    expires_at: null,
    completed_at: task.finishedAt === null ? null : Math.floor(task.finishedAt / 1000),
    poll_url: pollUrl,
    charged: charged.toLowerCase(),
    cost_micros: costMicros,
  }
  return { head, pollUrl }
}

/** Resumes after `?after=` or Last-Event-ID. */
export async function streamTask(
  deps: RestDeps,
  calls: OpenCalls,
  exchange: RestExchange,
  id: string,
): Promise<Response> {
  const task = await getOwnTask(deps, exchange, id)
  const { request, gone } = exchange
  const text = new URL(request.url).searchParams.get('after') ?? request.headers.get('last-event-id') ?? '0'
  if (!/^\d{1,15}$/.test(text) || Number(text) > task.lastSeq)
    throw badInput('after', `after must be a number from 0 to ${task.lastSeq}, the newest event of the task.`)
  const form = { responseFormat: formatOf(exchange), urlOf: urlOf(deps, exchange) }
  const signal = AbortSignal.any([gone, calls.stopping])
  const frames = taskFrames(deps, task, { after: Number(text), signal, form })
  return streamResponse(deps, toChunks(deps, frames), { headers: EVENT_STREAM_HEADERS, abort: () => {} })
}

async function* taskFrames(
  deps: RestDeps,
  task: TaskRow,
  { after, signal, form }: { after: number; signal: AbortSignal; form: Parameters<typeof partialFrame>[3] },
): AsyncGenerator<BodyPart[], void> {
  yield comment(`darkroom ${task.id}`)
  let last = after
  for await (const item of eventsOf(deps, task, { after, signal })) {
    if (item === undefined) {
      yield comment(`darkroom ${task.id}`)
      continue
    }
    const { body, cursor, at } = item
    const seq = decodeCursor(cursor, 'task', task.id, Infinity)
    if (body.type === 'TASK_SNAPSHOT' || seq <= last) continue
    if (body.type === 'TASK_FINISHED' || body.type === 'OUTCOME_BECAME_UNKNOWN') {
      last = seq
      continue
    }
    last = seq
    const fields = {
      created_at: Math.floor(at / 1000),
      ...(body.type === 'TASK_PROGRESSED' && { progress: body.progress }),
    }
    const type = `task.${body.type.toLowerCase().replace(/^task_/, '')}`
    const frame =
      body.type === 'PARTIAL_IMAGE_RECEIVED'
        ? await partialFrame(deps.db.read, task, body, form)
        : [`event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`]
    if (frame) yield [`id: ${seq}\n`, ...frame]
  }
  if (signal.aborted) return
  const { result, problem } = await answerFor(deps, task, OF_A_TASK)
  const ends = problem ? [errorFrame(problem)] : completedFrames(result, form)
  // Only the last has the number, so that a client that missed one receives all.
  for (const [i, frame] of ends.entries()) yield i === ends.length - 1 ? [`id: ${last}\n`, ...frame] : frame
}
