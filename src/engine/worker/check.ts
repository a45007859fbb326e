import { ProviderError, type Failure } from '../../providers/error.ts'
import type { Call, Provider } from '../../providers/provider.ts'
import type { AttemptContext, Outcome } from '../attempts/outcome.ts'
import type { Deps } from '../deps.ts'
import { findProvider } from '../routing/configured.ts'
import { loadInputs } from '../images/load-inputs.ts'
import { toFailure, toOutcome, type AnswerDeps } from './answer.ts'
import { instrumentedCall } from './instrumented-call.ts'
import { routeOf } from './send.ts'

export type CheckDeps = AnswerDeps & Pick<Deps, 'db' | 'downloader' | 'providers' | 'tuning'>

/** How soon a check without an answer is repeated, when the provider did not say. */
const CHECK_AGAIN_MS = 5000

/** A provider that does not know a remote id so often in a row never will. */
const MAX_MISSING = 3

/**
 * Checks an accepted attempt. A check is free of charge, so one without an answer is repeated until the provider has had
 * `timeoutMs` since the attempt was sent: then the outcome is lost. Only what the provider says about the attempt itself
 * (`rejected`, `broken`) ends it earlier. Never throws.
 */
export async function check(
  deps: CheckDeps,
  of: AttemptContext,
  call: Call,
  over: AbortSignal,
): Promise<Outcome> {
  const { task, attempt } = of
  // The runner claims only for the providers it has.
  const provider = findProvider(deps.providers, attempt.provider)!
  const again = (failure?: Failure): Outcome => ({
    is: 'PENDING',
    progress: null,
    checkAfterMs: Math.max(failure?.retryAfterMs ?? CHECK_AGAIN_MS, deps.tuning.pollMs),
  })
  const isOverdue = deps.clock.now() - attempt.sentAt! >= provider.timeoutMs
  let asked = false
  try {
    if (!provider.check)
      throw new Error(`The provider ${provider.name} cannot be asked about what it accepted.`)
    const { match, offer } = routeOf(deps, task, attempt)
    const { operation } = task.request
    const { upstreamModel } = offer
    const inputs = await loadInputs(deps, task, call.signal)
    const order = { ...match.settings, operation, upstreamModel, ...inputs }
    asked = true
    const answer = await instrumentedCall(deps, 'check', of, call, (instrumented) =>
      provider.check!(attempt.remoteId!, order, instrumented),
    )
    const isGone = answer.state === 'MISSING' && attempt.missing + 1 >= MAX_MISSING
    if (isGone) return lost(provider, 'does not know it any more')
    if (answer.state !== 'DONE' && isOverdue) return lost(provider, overdue(provider))
    return await toOutcome(deps, of, answer, over)
  } catch (error) {
    const failure = toFailure(deps, of, error)
    const isAboutAttempt =
      asked && error instanceof ProviderError && ['rejected', 'broken'].includes(failure.kind)
    if (isAboutAttempt) return { is: 'FAILED', failure }
    return isOverdue ? lost(provider, overdue(provider)) : again(failure)
  }
}

function overdue({ timeoutMs }: Provider): string {
  return `did not finish it within ${timeoutMs / 1000} seconds`
}

function lost({ name }: Provider, why: string): Outcome {
  const failure: Failure = {
    kind: 'lost',
    code: 'OUTCOME_UNKNOWN',
    message:
      `${name} accepted the request and ${why}. Whether the image was made and charged is unknown; it was not sent ` +
      'again.',
    charged: 'UNKNOWN',
  }
  return { is: 'FAILED', failure }
}
