import type { AttemptRow, TaskRow } from '../../db/tables/tables.ts'
import { GatewayError } from '../../errors.ts'
import { ProviderError, type Failure } from '../../providers/error.ts'
import type { Call, ProviderRequest } from '../../providers/provider.ts'
import { openCallback } from '../attempts/callbacks.ts'
import { commitIntent } from '../attempts/intent.ts'
import type { AttemptContext, Outcome } from '../attempts/outcome.ts'
import type { Deps, ShutdownSignals } from '../deps.ts'
import { loadInputs } from '../images/load-inputs.ts'
import { routes, todayOf, type Route } from '../routing/route.ts'
import { toFailure, toOutcome, type AnswerDeps } from './answer.ts'
import { instrumentedCall } from './instrumented-call.ts'

export type SendDeps = AnswerDeps & Pick<Deps, 'callbackBase' | 'db' | 'downloader' | 'providers'>

/** Sends an attempt. Never throws: every error is an outcome. */
export async function send(
  deps: SendDeps,
  of: AttemptContext,
  call: Call,
  { cut, over }: ShutdownSignals,
): Promise<Outcome> {
  const { task, attempt, evidence } = of
  try {
    const { provider, offer, match } = routeOf(deps, task, attempt)
    const { upstreamModel } = offer
    const inputs = await loadInputs(deps, task, cut)
    const order: ProviderRequest = {
      ...match.settings,
      operation: task.request.operation,
      upstreamModel,
      ...inputs,
    }
    if (cut.aborted) return { is: 'RELEASED' }
    const callback = openCallback(deps, provider)
    const permission = await commitIntent(deps, task, attempt, callback?.sha256 ?? null)
    if (permission === 'NO_LEASE') return { is: 'TAKEN' }
    if (permission === 'NO_PERMIT') return { is: 'CANCELED' }
    evidence.wirePhase = 'INTENT'
    const answer = await instrumentedCall(deps, 'submit', of, call, (instrumented) =>
      provider.submit(order, { ...instrumented, callbackUrl: callback?.url }),
    )
    return await toOutcome(deps, of, answer, over)
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

/** How the attempt's own provider serves its task with the current configuration. Throws ProviderError `refused`. */
function routeOf(
  { providers, clock }: Pick<Deps, 'providers' | 'clock'>,
  task: TaskRow,
  attempt: AttemptRow,
): Route {
  const own = providers.filter(({ name }) => name === attempt.provider)
  const conditions = { today: todayOf(clock), inCooldown: () => false, needsPrice: false }
  try {
    const [route] = routes({ ...task.request, n: attempt.n, providers: null }, own, conditions)
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
