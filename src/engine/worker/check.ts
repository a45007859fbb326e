import { ProviderError, type Failure } from '../../providers/error.ts'
import type { Call, Provider } from '../../providers/provider.ts'
import type { Deps } from '../deps.ts'
import { makeOrder } from './provider-request.ts'
import type { AttemptContext, Outcome } from '../attempts/outcome.ts'
import { routeOf, toFailure, toOutcome } from './send.ts'
import { instrumentedCall } from './instrumented-call.ts'

/** How soon a check that got no answer is repeated, when the provider did not say. */
const CHECK_AGAIN_MS = 5000

/** An upstream that does not know the order so often in a row never will. */
const MAX_MISSING = 3

/**
 * Asks how an accepted attempt is doing. Asking is free, so a question that got no answer is asked again, until the
 * provider has had `timeoutMs` since the order was sent: then the outcome is lost. Only what the provider says about
 * the order itself (`rejected`, `broken`) ends it before. Never throws.
 */
export async function check(deps: Deps, of: AttemptContext, call: Call, over: AbortSignal): Promise<Outcome> {
  const { task, attempt } = of
  const provider = deps.providers.find(({ name }) => name === attempt.provider)!
  const tooLate = deps.clock.now() - attempt.sentAt! >= provider.timeoutMs
  let asked = false
  try {
    if (!provider.check)
      throw new Error(`The provider ${provider.name} cannot be asked about what it accepted.`)
    const route = routeOf(deps, task, attempt)
    const order = await makeOrder(deps, task, route, call.signal)
    asked = true
    const ask = (seen: Call) => provider.check!(attempt.remoteId!, order, seen)
    const answer = await instrumentedCall(deps, { of, call, order, as: 'check' }, ask)
    const gone = answer.state === 'MISSING' && attempt.missing + 1 >= MAX_MISSING
    if (gone) return { is: 'FAILED', failure: forgotten(provider) }
    if (answer.state !== 'DONE' && tooLate) return { is: 'FAILED', failure: overdue(provider) }
    return await toOutcome(deps, of, route, answer, over)
  } catch (error) {
    const failure = toFailure(deps, of, error)
    const aboutTheOrder =
      asked && error instanceof ProviderError && ['rejected', 'broken'].includes(failure.kind)
    if (aboutTheOrder) return { is: 'FAILED', failure }
    if (tooLate) return { is: 'FAILED', failure: overdue(provider) }
    return {
      is: 'PENDING',
      progress: null,
      checkAfterMs: Math.max(failure.retryAfterMs ?? CHECK_AGAIN_MS, deps.tuning.pollMs),
    }
  }
}

function overdue({ name, timeoutMs }: Provider): Failure {
  return {
    kind: 'lost',
    code: 'OUTCOME_UNKNOWN',
    message:
      `${name} accepted the order and did not finish it within ${timeoutMs / 1000} seconds. Whether the image was made ` +
      'and charged is unknown; it was not sent again.',
    charged: 'UNKNOWN',
  }
}

function forgotten({ name }: Provider): Failure {
  return {
    kind: 'lost',
    code: 'OUTCOME_UNKNOWN',
    message:
      `${name} accepted the order and does not know it any more. Whether the image was made and charged is unknown; it ` +
      'was not sent again.',
    charged: 'UNKNOWN',
  }
}
