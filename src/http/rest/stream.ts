import type { TaskRow } from '../../db/tables/tables.ts'
import { encodeCursor } from '../../engine/events/cursor.ts'
import type { FeedItem } from '../../engine/events/feed-item.ts'
import type { LiveSource } from '../../engine/events/live-source.ts'
import { answerFor } from './answer.ts'
import { readParts, type BodyPart } from './body.ts'
import { headersOf, optionsOf, recordAnswer, type Created } from './created.ts'
import { urlOf, type RestDeps } from './deps.ts'
import { comment, completedFrames, errorFrame, partialFrame } from './frames.ts'
import type { OpenCalls } from './open-calls.ts'
import { problemResponse } from './problem.ts'
import { EVENT_STREAM_HEADERS, streamResponse } from './respond.ts'
import { hasAnswer } from './wait.ts'

/** Proxies close connections without a byte, nginx after 60 seconds. */
const KEEPALIVE_MS = 15_000

/** From `after`, until there is an answer or `signal` aborts. `undefined`: nothing for a while. */
export async function* eventsOf(
  { engine, clock }: Pick<RestDeps, 'engine' | 'clock'>,
  { id, projectId }: TaskRow,
  { after, signal }: { after: number; signal: AbortSignal },
): AsyncGenerator<FeedItem | undefined, void> {
  const source: LiveSource<FeedItem> = await engine.watchTask(projectId, id, encodeCursor('task', id, after))
  try {
    let next = source.next()
    for (;;) {
      const isOver = new AbortController()
      const pause = clock.sleep(KEEPALIVE_MS, AbortSignal.any([signal, isOver.signal]))
      const item = await Promise.race([next, pause])
      isOver.abort()
      if (signal.aborted) return
      if (item === undefined) {
        yield undefined
        continue
      }
      if (item.done) return
      next = source.next()
      yield item.value
      if (item.value.body.type === 'TASK_FINISHED' || item.value.task.status === 'OUTCOME_UNKNOWN') return
    }
  } finally {
    void source.return?.()
  }
}

/** Errors before the first byte are JSON with their status. */
export async function streamAnswer(deps: RestDeps, calls: OpenCalls, created: Created): Promise<Response> {
  const { exchange, open, task } = created
  const before = await answerFor(deps, task, optionsOf(created))
  const headers = headersOf(created, before)
  if (before.problem && hasAnswer(before.result.task)) {
    await recordAnswer(created, before)
    return open.follow(problemResponse(before.problem, headers))
  }
  const signal = AbortSignal.any([exchange.gone, calls.stopping])
  const { 'darkroom-charged': _charged, 'darkroom-cost-micros': _cost, ...early } = headers
  const frames = framesOf(deps, created, signal)
  const chunks = toChunks(deps, frames)
  return open.follow(
    streamResponse(deps, chunks, {
      headers: { ...early, ...EVENT_STREAM_HEADERS },
      abort: () => open.abort(),
    }),
  )
}

export async function* toChunks(
  { store }: Pick<RestDeps, 'store'>,
  frames: AsyncIterable<readonly BodyPart[]>,
): AsyncGenerator<Buffer, void> {
  for await (const frame of frames) yield* readParts(frame, store)
}

async function* framesOf(
  deps: RestDeps,
  created: Created,
  signal: AbortSignal,
): AsyncGenerator<BodyPart[], void> {
  const { exchange, read, task } = created
  const hello = comment(`darkroom ${task.id}`)
  const form = {
    urlOf: urlOf(deps, exchange),
    responseFormat: read.isFormatGiven ? read.responseFormat : ('b64_json' as const),
  }
  let partials = 0
  yield hello
  for await (const item of eventsOf(deps, task, { after: 0, signal })) {
    if (item === undefined) yield hello
    if (item?.body.type !== 'PARTIAL_IMAGE_RECEIVED') continue
    const frame = await partialFrame(deps.db.read, task, item.body, form)
    if (frame) yield frame
    partials += 1
  }
  if (exchange.gone.aborted) return
  const found = await answerFor(deps, task, optionsOf(created))
  await recordAnswer(created, found)
  if (found.problem) {
    yield errorFrame(found.problem)
    return
  }
  if (partials === 0 && read.input.partialImages > 0) yield comment('the provider sent no partial image')
  for (const frame of completedFrames(found.result, form)) yield frame
}
