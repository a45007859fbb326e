import { MOVES } from './machine.ts'
import { moveAttempt } from '../db/attempts.ts'
import { appendEvents } from '../db/events.ts'
import type { AttemptRow, TaskRow } from '../db/tables.ts'
import { getTask, takePermit } from '../db/tasks.ts'
import type { WirePhase } from '../domain.ts'
import { WIRE_PHASES } from '../domain.ts'
import { GatewayError } from '../errors.ts'
import { ProviderError, type Failure } from '../providers/error.ts'
import type { Answer, Call, Order } from '../providers/provider.ts'
import type { Deps } from './deps.ts'
import { makeOrder } from './order.ts'
import { createRecorder } from './recorder.ts'
import { routes, type Route } from './route.ts'
import { settleAnswer, settleCanceled, settleFailure, type Evidence } from './settle.ts'

/**
 * One step of one claimed attempt: send it, or ask how it is doing, and settle what came of it. Nothing waits in
 * memory between steps. `stop` aborts when the process must end before the answer is there.
 */
export async function takeStep(deps: Deps, attempt: AttemptRow, stop: AbortSignal): Promise<void> {
  const task = await getTask(deps.db.read, attempt.taskId)
  const evidence: Evidence = { wirePhase: attempt.wirePhase, httpStatus: attempt.httpStatus, providerRequestId: attempt.providerRequestId }
  const recorder = createRecorder(deps, task, attempt)
  try {
    const route = routeOf(deps, task, attempt)
    const order = await makeOrder(deps, task, route, stop)
    const call = createCall(deps, attempt, route, recorder, evidence, stop)
    const answer = await ask(deps, task, attempt, { route, order, call, evidence })
    await recorder.idle()
    if (answer) await settleAnswer(deps, { task, attempt, offer: route.offer, evidence }, answer)
  } catch (error) {
    await recorder.idle()
    await settleFailure(deps, { task, attempt, evidence }, toFailure(deps, attempt, error, evidence))
  }
}

/** Undefined when there was nothing left to ask: the task was canceled, or another worker has the attempt now. */
async function ask(
  deps: Deps,
  task: TaskRow,
  attempt: AttemptRow,
  { route: { provider }, order, call, evidence }: { route: Route; order: Order; call: Call; evidence: Evidence },
): Promise<Answer | undefined> {
  if (attempt.state === 'ACCEPTED') return await provider.check!(attempt.remoteId!, order, call)
  const permission = await commitIntent(deps, task, attempt)
  if (permission === 'CANCELED') await settleCanceled(deps, task, attempt)
  if (permission !== 'SEND') return undefined
  evidence.wirePhase = 'INTENT'
  return await provider.submit(order, call)
}

/** The write-ahead intent: permit, state and event are durable before the first byte can leave. */
async function commitIntent(deps: Deps, task: TaskRow, attempt: AttemptRow): Promise<'SEND' | 'CANCELED' | 'LOST'> {
  const sentAt = deps.clock.now()
  return await deps.db
    .tx(async (q) => {
      if (!(await takePermit(q, task.id, sentAt))) return 'CANCELED'
      const lease = { owner: deps.workerId, epoch: attempt.leaseEpoch }
      const sending = await moveAttempt(q, attempt.id, { ...MOVES.send, lease }, { charged: 'UNKNOWN', wirePhase: 'INTENT', sentAt })
      if (!sending) throw new LeaseLost()
      await appendEvents(q, task, [{ type: 'ATTEMPT_STARTED', attemptId: attempt.id }], sentAt)
      return 'SEND'
    })
    .catch((error: unknown) => {
      // Thrown, so that the permit rolled back with it.
      if (error instanceof LeaseLost) return 'LOST'
      throw error
    })
}

class LeaseLost extends Error {}

function routeOf(deps: Deps, task: TaskRow, attempt: AttemptRow): Route {
  const today = new Date(deps.clock.now()).toISOString().slice(0, 10)
  const here = deps.providers.filter(({ name }) => name === attempt.provider)
  try {
    const [route] = routes({ ...task.request, providers: null }, here, today)
    return route!
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    // The configuration changed while the attempt was waiting.
    throw new ProviderError({
      kind: 'refused',
      code: 'PROVIDER_MISCONFIGURED',
      message: `${attempt.provider} can no longer serve this task: ${error.message}`,
      charged: 'NO',
      cause: error,
    })
  }
}

function createCall(
  deps: Deps,
  attempt: AttemptRow,
  { provider }: Route,
  recorder: ReturnType<typeof createRecorder>,
  evidence: Evidence,
  stop: AbortSignal,
): Call {
  return {
    signal: AbortSignal.any([stop, AbortSignal.timeout(provider.timeoutMs)]),
    clientRef: attempt.id,
    newFile: () => deps.store.newFile(),
    onWire(phase, seen) {
      evidence.wirePhase = later(evidence.wirePhase, phase)
      evidence.httpStatus = seen?.httpStatus ?? evidence.httpStatus
      evidence.providerRequestId = seen?.providerRequestId ?? evidence.providerRequestId
    },
    onProgress: (fraction) => recorder.progress(fraction),
    onPartial: (file, index) => recorder.partial(file, index),
  }
}

function later(a: WirePhase, b: WirePhase): WirePhase {
  return WIRE_PHASES.indexOf(a) > WIRE_PHASES.indexOf(b) ? a : b
}

function toFailure(deps: Deps, attempt: AttemptRow, error: unknown, evidence: Evidence): Failure {
  if (error instanceof ProviderError) return error.failure
  deps.log.error({ attempt: attempt.id, err: error }, 'an attempt met an error that is a bug of ours')
  const nothingLeft = evidence.wirePhase === 'NONE'
  return {
    kind: nothingLeft ? 'rejected' : 'lost',
    code: nothingLeft ? 'INTERNAL' : 'OUTCOME_UNKNOWN',
    message: nothingLeft
      ? 'The gateway failed before anything was sent.'
      : 'The gateway failed while the provider was working; whether the image was made and charged is unknown.',
    charged: nothingLeft ? 'NO' : 'UNKNOWN',
    cause: error,
  }
}
