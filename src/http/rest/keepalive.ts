import { answerFor } from './answer.ts'
import { readParts, type BodyPart } from './body.ts'
import { headersOf, optionsOf, recordAnswer, type Created } from './created.ts'
import { urlOf, type RestDeps } from './deps.ts'
import type { OpenCalls } from './open-calls.ts'
import { errorBody } from './problem.ts'
import { streamResponse } from './respond.ts'
import { resultBody } from './result.ts'
import { eventsOf } from './stream.ts'

const SPACE = Buffer.from(' ')

/** JSON after white space, for clients that ask for it: the status is 200 before the end is known, also of an error. */
export async function answerWithWhitespace(
  deps: RestDeps,
  calls: OpenCalls,
  created: Created,
): Promise<Response> {
  const { open } = created
  const before = headersOf(created, await answerFor(deps, created.task, optionsOf(created)))
  const { 'darkroom-charged': _charged, 'darkroom-cost-micros': _cost, ...early } = before
  return open.follow(
    streamResponse(deps, piecesOf(deps, calls, created), {
      headers: { ...early, 'content-type': 'application/json', 'x-accel-buffering': 'no' },
      abort: () => open.abort(),
    }),
  )
}

async function* piecesOf(deps: RestDeps, calls: OpenCalls, created: Created): AsyncGenerator<Buffer, void> {
  const { exchange, read, task } = created
  const signal = AbortSignal.any([exchange.gone, calls.stopping])
  yield SPACE
  for await (const item of eventsOf(deps, task, { after: 0, signal })) if (item === undefined) yield SPACE
  if (exchange.gone.aborted) return
  const found = await answerFor(deps, task, optionsOf(created))
  await recordAnswer(created, found)
  const { responseFormat } = read
  const form = { responseFormat, warnings: found.warnings, urlOf: urlOf(deps, exchange) }
  const parts: BodyPart[] = found.problem
    ? [JSON.stringify(errorBody(found.problem))]
    : resultBody(found.result, form)
  yield* readParts(parts, deps.store)
}
