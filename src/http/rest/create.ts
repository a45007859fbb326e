import { randomUUID } from 'node:crypto'
import { runAsStep } from '../../db/connection/priority.ts'
import type { CreatedTask } from '../../engine/tasks/create.ts'
import { GatewayError, gatewayErrorOf } from '../../errors.ts'
import { answerFor } from './answer.ts'
import { headersOf, optionsOf, recordAnswer, type Created } from './created.ts'
import { urlOf, type RestExchange, type RestDeps } from './deps.ts'
import { answerWithWhitespace } from './keepalive.ts'
import type { NewCall, OpenCalls } from './open-calls.ts'
import type { Target } from './paths.ts'
import { problemOf, problemResponse } from './problem.ts'
import { readCreateRequest, type CreateRequest } from './read-request.ts'
import { partsResponse } from './respond.ts'
import { resultBody } from './result.ts'
import { streamAnswer } from './stream.ts'
import { acceptedResponse } from './tasks.ts'
import { hasAnswer, waitForTask } from './wait.ts'

/** Throws what is wrong before a task exists. */
export async function create(
  deps: RestDeps,
  calls: OpenCalls,
  exchange: RestExchange,
  target: Extract<Target, { is: 'CREATE' }>,
): Promise<Response> {
  const startedAt = deps.clock.monotonic()
  const { read, call, made } = await createTask(deps, calls, exchange, target)
  const { task } = made
  const open = calls.open(call)
  const headers = replayHeaders(made)
  if (made.attached)
    deps.log.info({ task: task.id, as: made.attached }, 'request attached to an earlier call')
  try {
    const created = { exchange, read, call, open, task, headers }
    if (call.isAsync) return open.follow(await acceptedResponse(deps, created))
    if (read.isStream) return await streamAnswer(deps, calls, created)
    if (read.isKeptAlive && !hasAnswer(task)) return await answerWithWhitespace(deps, calls, created)
    return await answer(deps, calls, created, startedAt)
  } catch (error) {
    const id = randomUUID()
    deps.log.error({ id, task: task.id, err: error }, 'response to a request failed unexpectedly')
    // The task goes on, and the same request receives its result.
    await open.giveUp()
    return open.follow(problemResponse(problemOf({ is: 'BUG', id, taskId: task.id }), headers))
  }
}

/** Until the task is committed. The files of the body are no longer needed then. */
async function createTask(
  { bodies, engine, settings }: RestDeps,
  calls: OpenCalls,
  exchange: RestExchange,
  target: Extract<Target, { is: 'CREATE' }>,
): Promise<{ read: CreateRequest; call: NewCall; made: CreatedTask }> {
  await using held = new AsyncDisposableStack()
  const { modelAliases } = settings
  const read = await readCreateRequest(exchange.request, target, { bodies, modelAliases, held })
  const isKeyed = read.input.idempotencyKey !== null
  const isAsync = read.isAsync || target.isAsync
  const call = calls.newCall(exchange, { isFresh: read.isFresh, isKeyed, isAsync })
  const made = await runAsStep(() => engine.createTask(exchange.caller, read.input, call))
  return { read, call, made }
}

function replayHeaders({ replayed, attached }: CreatedTask): Record<string, string> {
  if (attached) return { 'darkroom-replayed': attached.toLowerCase() }
  return replayed ? { 'darkroom-replayed': 'idempotency' } : {}
}

/** Waits without a byte, and less long than any proxy. */
async function answer(
  deps: RestDeps,
  calls: OpenCalls,
  created: Created,
  startedAt: number,
): Promise<Response> {
  const { exchange, open, task, read } = created
  const isRevoked = await waitForAnswer(deps, calls, created)
  if (isRevoked) {
    await open.giveUp()
    const error = new GatewayError('UNAUTHENTICATED', 'This API key was revoked or has expired.')
    return open.follow(problemResponse(problemOf({ is: 'REFUSED', error, param: null }), created.headers))
  }
  const found = await answerFor(deps, task, optionsOf(created))
  await recordAnswer(created, found)
  const processingMs = Math.round(deps.clock.monotonic() - startedAt)
  const headers = { ...headersOf(created, found), 'openai-processing-ms': String(processingMs) }
  if (found.problem) return open.follow(problemResponse(found.problem, headers))
  const form = { responseFormat: read.responseFormat, warnings: found.warnings, urlOf: urlOf(deps, exchange) }
  const parts = resultBody(found.result, form)
  return open.follow(partsResponse(deps, parts, { headers, abort: () => open.abort() }))
}

/** Also returns when the client disconnects, the time is over or the process stops. True: the key was revoked. */
async function waitForAnswer(
  { clock, engine, keyring, settings }: RestDeps,
  calls: OpenCalls,
  { exchange: { request, caller, gone }, task }: Created,
): Promise<boolean> {
  if (hasAnswer(task)) return false
  const ended = new AbortController()
  const revoked = new AbortController()
  const stopWatching = keyring.watch(caller, () => revoked.abort())
  void clock.sleep(waitMsOf(settings, request.headers), ended.signal).then(() => ended.abort())
  const signal = AbortSignal.any([ended.signal, revoked.signal, gone, calls.stopping])
  try {
    await waitForTask(engine, task, signal)
  } catch (error) {
    // The task is stored.
    if (gatewayErrorOf(error)?.code !== 'SHUTTING_DOWN') throw error
  } finally {
    ended.abort()
    stopWatching()
  }
  return revoked.signal.aborted
}

const MIN_WAIT_MS = 1_000
/** For the response to reach the client. */
const MARGIN_MS = 5_000

/** Time limit of OpenAI's SDKs. */
function waitMsOf({ waitMs }: RestDeps['settings'], headers: Headers): number {
  const given = ['x-stainless-timeout', 'x-stainless-read-timeout']
    .map((name) => Number(headers.get(name) ?? NaN) * 1000 - MARGIN_MS)
    .filter((ms) => !Number.isNaN(ms))
  return Math.max(MIN_WAIT_MS, Math.min(waitMs, ...given))
}
