import { GatewayError } from '../../errors.ts'
import { ProviderError } from '../../providers/error.ts'
import type { Call } from '../../providers/provider.ts'
import { openCallback } from '../attempts/callbacks.ts'
import { commitIntent } from '../attempts/intent.ts'
import { lost, type AttemptContext, type Outcome } from '../attempts/outcome.ts'
import { hasEarlierAnswer } from '../attempts/received-answer.ts'
import type { Deps, ShutdownSignals } from '../deps.ts'
import { loadInputs } from '../images/load-inputs.ts'
import { routes, todayOf, type Route } from '../routing/route.ts'
import { toFailure, toOutcome } from './call-outcome.ts'
import { instrumentedCall } from './instrumented-call.ts'

/** Never throws: every error is an outcome. */
export async function send(
  deps: Deps,
  of: AttemptContext,
  call: Call,
  { handOver, abortCalls, exit }: ShutdownSignals,
): Promise<Outcome> {
  const { task, attempt, evidence } = of
  try {
    const { provider, offer, match } = routeOf(deps, of)
    const { operation } = task.request
    const inputs = await loadInputs(deps, task, handOver)
    const request = { ...match.settings, operation, upstreamModel: offer.upstreamModel, ...inputs }
    if (handOver.aborted) return { state: 'RELEASED' }
    if (await hasEarlierAnswer(deps, attempt)) return { state: 'RELEASED', dueInMs: UNSETTLED_ANSWER_MS }
    const callback = openCallback(deps, provider)
    const intent = await commitIntent(deps, task, attempt, callback?.sha256 ?? null)
    if (intent === 'LEASE_LOST') return { state: 'LEASE_LOST' }
    if (intent === 'NO_PERMIT') return { state: 'CANCELED' }
    evidence.wirePhase = 'INTENT'
    const result = await instrumentedCall(deps, 'submit', of, call, (instrumented) =>
      provider.submit(request, { ...instrumented, callbackUrl: callback?.url }),
    )
    return await toOutcome(deps, of, result, exit)
  } catch (error) {
    if (handOver.aborted && evidence.wirePhase === 'NONE') return { state: 'RELEASED' }
    const failure = toFailure(deps, of, error)
    return { state: 'FAILED', failure: abortCalls.aborted && failure.kind === 'lost' ? ABORTED : failure }
  }
}

/** Until a received answer of an earlier attempt is looked at again. */
const UNSETTLED_ANSWER_MS = 1000

const ABORTED = lost(
  'The gateway was stopped while the provider was working, and did not wait for the response. Whether the image was ' +
    'made and charged is unknown; it was not sent again.',
  { isInternal: true },
)

/** By the current configuration. Throws ProviderError `refused`. */
function routeOf({ providers, clock }: Deps, { task, attempt }: AttemptContext): Route {
  const own = providers.filter(({ name }) => name === attempt.provider)
  const conditions = { today: todayOf(clock), inCooldown: () => false, needsPrice: false }
  try {
    return routes({ ...task.request, n: attempt.n, providers: null }, own, conditions)[0]!
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    // The configuration changed while the attempt was queued.
    throw new ProviderError({
      kind: 'refused',
      code: 'PROVIDER_MISCONFIGURED',
      message: `${attempt.provider} can no longer serve this task: ${error.message}`,
      charged: 'NO',
      cause: error,
    })
  }
}
