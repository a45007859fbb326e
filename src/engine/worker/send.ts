import type { AttemptRow, TaskRow } from '../../db/tables/tables.ts'
import { GatewayError } from '../../errors.ts'
import { ProviderError, type Failure } from '../../providers/error.ts'
import type { Answer, Call } from '../../providers/provider.ts'
import { openCallback } from '../attempts/callback.ts'
import type { Deps, ShutdownSignals } from '../deps.ts'
import { commitIntent } from '../attempts/intent.ts'
import { ingestImages } from '../images/ingest.ts'
import { makeOrder } from './provider-request.ts'
import type { AttemptContext, Outcome } from '../attempts/outcome.ts'
import { writeReceivedAnswer } from '../attempts/received-answer.ts'
import { routes, todayOf, type Route } from '../routing/route.ts'
import { instrumentedCall } from './instrumented-call.ts'

/** Sends an attempt. Never throws: whatever happens is an outcome. */
export async function send(
  deps: Deps,
  of: AttemptContext,
  call: Call,
  { cut, over }: ShutdownSignals,
): Promise<Outcome> {
  const { task, attempt, evidence } = of
  try {
    const route = routeOf(deps, task, attempt)
    const order = await makeOrder(deps, task, route, cut)
    if (cut.aborted) return { is: 'RELEASED' }
    const callback = openCallback(deps, route.provider)
    const permission = await commitIntent(deps, task, attempt, callback?.sha256 ?? null)
    if (permission === 'NO_LEASE') return { is: 'TAKEN' }
    if (permission === 'NO_PERMIT') return { is: 'CANCELED' }
    evidence.wirePhase = 'INTENT'
    const ask = (seen: Call) => route.provider.submit(order, { ...seen, callbackUrl: callback?.url })
    const answer = await instrumentedCall(deps, { of, call, order, as: 'submit' }, ask)
    return await toOutcome(deps, of, route, answer, over)
  } catch (error) {
    if (cut.aborted && evidence.wirePhase === 'NONE') return { is: 'RELEASED' }
    const failure = toFailure(deps, of, error)
    return { is: 'FAILED', failure: cut.aborted && failure.kind === 'lost' ? CUT : failure }
  }
}

const CUT: Failure = {
  kind: 'lost',
  code: 'OUTCOME_UNKNOWN',
  message:
    'The gateway was stopped while the provider was working, and did not wait for the answer. Whether the image was made ' +
    'and charged is unknown; it was not sent again.',
  charged: 'UNKNOWN',
  ours: true,
}

/** How the attempt's own provider serves its task today. Throws ProviderError `refused` when it no longer can. */
export function routeOf(deps: Deps, task: TaskRow, attempt: AttemptRow): Route {
  const here = deps.providers.filter(({ name }) => name === attempt.provider)
  try {
    const [route] = routes({ ...task.request, n: attempt.n, providers: null }, here, {
      today: todayOf(deps.clock),
      inCooldown: () => false,
      needsPrice: false,
    })
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

/** An answer as an outcome, its pictures landed. Throws ProviderError `broken` when they cannot be. */
export async function toOutcome(
  deps: Deps,
  { attempt, evidence }: AttemptContext,
  { offer }: Route,
  answer: Answer,
  over: AbortSignal,
): Promise<Outcome> {
  if (answer.state !== 'DONE') return toWaiting(answer)
  const { usage, resolved } = answer
  await note(deps, { attemptId: attempt.id, images: answer.images, usage, resolved, evidence })
  const images = await deps.tracing.span('landing', {}, () =>
    ingestImages(deps, attempt, answer.images, over),
  )
  const bytes = images.reduce((sum, { byteSize }) => sum + byteSize, 0)
  deps.metrics.done.imageBytes.inc({ provider: attempt.provider }, bytes)
  return { is: 'DONE', images, usage, resolved, price: offer.price }
}

/** From here on a crash loses nothing. Without room for a note the answer is still settled, only less safely. */
async function note(deps: Deps, receipt: Parameters<typeof writeReceivedAnswer>[1]): Promise<void> {
  await writeReceivedAnswer(deps, receipt).catch((error: unknown) => {
    deps.log.warn({ attempt: receipt.attemptId, err: error }, 'no receipt could be kept of an answer')
  })
}

function toWaiting(answer: Exclude<Answer, { state: 'DONE' }>): Outcome {
  const { checkAfterMs } = answer
  if (answer.state === 'ACCEPTED') return { is: 'ACCEPTED', remoteId: answer.remoteId, checkAfterMs }
  if (answer.state === 'PENDING') return { is: 'PENDING', progress: answer.progress, checkAfterMs }
  return { is: 'MISSING', checkAfterMs }
}

/** What an adapter threw, as a failure. Anything but a ProviderError is a bug, and proves only how far it got. */
export function toFailure(deps: Deps, { attempt, evidence }: AttemptContext, error: unknown): Failure {
  if (error instanceof ProviderError) return error.failure
  deps.log.error({ attempt: attempt.id, err: error }, 'an attempt met an error that no provider reported')
  if (evidence.wirePhase === 'NONE') {
    // The database may have gone away, for one: that is no reason to give up.
    return {
      kind: 'unreached',
      code: 'INTERNAL',
      message: 'The gateway failed before anything was sent.',
      charged: 'NO',
      ours: true,
      cause: error,
    }
  }
  return {
    kind: 'lost',
    code: 'OUTCOME_UNKNOWN',
    message:
      'The gateway failed while the provider was working; whether the image was made and charged is unknown.',
    charged: 'UNKNOWN',
    ours: true,
    cause: error,
  }
}
