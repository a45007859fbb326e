import type { AttemptRow, TaskRow } from '../../db/tables/tables.ts'
import type { Settings } from '../../domain.ts'
import { ProviderError, type Failure } from '../../providers/error.ts'
import type { Call, Provider } from '../../providers/provider.ts'
import type { AttemptContext, Outcome } from '../attempts/outcome.ts'
import type { Deps } from '../deps.ts'
import { findOffer, findProvider } from '../routing/configured.ts'
import { adjustSettings } from '../routing/match.ts'
import { toFailure, toOutcome, type AnswerDeps } from './answer.ts'
import { instrumentedCall } from './instrumented-call.ts'

export type CheckDeps = AnswerDeps & Pick<Deps, 'providers' | 'tuning'>

/** How soon a check without an answer is repeated, when the provider did not say. */
const CHECK_AGAIN_MS = 5000

/** A provider that does not know a remote id so often in a row never will. */
const MAX_MISSING = 3

/**
 * Checks an accepted attempt. A check is free of charge, so one without an answer is repeated until the provider has had
 * `timeoutMs` since the attempt was sent: then the outcome is lost. Only what the provider says about the attempt itself
 * (`rejected`, `broken`) ends it earlier. Neither the model's offer nor the input images are needed, so that a paid result
 * survives a change of the configuration. Never throws.
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
  if (!provider.check) return isOverdue ? lost(provider, CANNOT_CHECK) : again()
  try {
    const settings = settingsOf(deps, task, attempt)
    const answer = await instrumentedCall(deps, 'check', of, call, (instrumented) =>
      provider.check!(attempt.remoteId!, settings, instrumented),
    )
    const isGone = answer.state === 'MISSING' && attempt.missing + 1 >= MAX_MISSING
    if (isGone) return lost(provider, 'does not know it any more')
    if (answer.state !== 'DONE' && isOverdue)
      return lost(provider, `did not finish it within ${secondsOf(provider)} seconds`)
    return await toOutcome(deps, of, answer, over)
  } catch (error) {
    const failure = toFailure(deps, of, error)
    const isAboutAttempt = error instanceof ProviderError && ['rejected', 'broken'].includes(failure.kind)
    if (isAboutAttempt) return { is: 'FAILED', failure }
    return isOverdue
      ? lost(provider, `could not be asked for its result within ${secondsOf(provider)} seconds`)
      : again(failure)
  }
}

/** The settings an attempt was sent with, as far as the configuration still tells; else as requested. */
function settingsOf({ providers }: Pick<Deps, 'providers'>, task: TaskRow, attempt: AttemptRow): Settings {
  const requested = { ...task.request, n: attempt.n }
  const offer = findOffer(providers, attempt.provider, attempt.model)
  return offer ? adjustSettings(requested, offer.capabilities).settings : requested
}

const CANNOT_CHECK = 'cannot be asked about it with its current configuration'

function secondsOf({ timeoutMs }: Provider): number {
  return timeoutMs / 1000
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
