import type { AttemptRow } from '../../db/tables/tables.ts'
import type { Provider } from '../../providers/provider.ts'
import type { Resolution } from './resolve.ts'

export interface Advice {
  /** One or two sentences. */
  text: string
  /** Accepted by resolveAttempt; empty unless the outcome is unknown. */
  resolutions: Resolution['is'][]
  /** Whether fetchResult may find a missing image. */
  canFetch: boolean
  /** Whether retryTask needs the permission to pay again. */
  isRetryPaid: boolean
}

/** `addresses`: of missing images. `provider` is undefined if not configured. */
export function adviceOf(
  attempt: Pick<
    AttemptRow,
    'id' | 'state' | 'charged' | 'costMicros' | 'provider' | 'remoteId' | 'providerRequestId'
  >,
  { provider, addresses }: { provider: Provider | undefined; addresses: number },
): Advice {
  const { state, charged, costMicros } = attempt
  const isRetryPaid = state === 'FAILED' && charged !== 'NO'
  const advice = { resolutions: [], canFetch: addresses > 0, isRetryPaid }
  if (state === 'UNKNOWN') return { ...advice, ...adviceOnUnknown(attempt, provider) }
  if (state === 'FETCHING')
    return {
      ...advice,
      canFetch: true,
      text: 'Nothing to do: the download is repeated for as long as the provider keeps the result.',
    }
  if (state === 'SENDING' || state === 'ACCEPTED')
    return {
      ...advice,
      text: 'Nothing to do: the attempt is running. If its worker has died, another one recovers it.',
    }
  if (state === 'FAILED' && charged === 'UNKNOWN')
    return { ...advice, text: `The bill of ${attempt.provider} shows whether this attempt was charged.` }
  if (addresses > 0) return { ...advice, text: 'The address of a missing image can be tried once more.' }
  if (charged === 'NO') return { ...advice, text: 'Nothing to do: the attempt was not charged.' }
  if (costMicros === null)
    return {
      ...advice,
      text: `It was charged, but the amount is unknown. Look for ${idsOf(attempt)} on the bill of ${attempt.provider}, and record the amount with adjustCost.`,
    }
  return { ...advice, text: 'Nothing to do: the attempt was charged, and its cost is recorded.' }
}

/** By which the provider may know the attempt. */
function idsOf({ id, remoteId, providerRequestId }: Parameters<typeof adviceOf>[0]): string {
  return [remoteId, providerRequestId, id].filter((one) => one !== null).join(' or ')
}

function adviceOnUnknown(
  attempt: Parameters<typeof adviceOf>[0],
  provider: Provider | undefined,
): Pick<Advice, 'text' | 'resolutions'> {
  const { provider: name, remoteId } = attempt
  const configure =
    provider === undefined && remoteId !== null
      ? `${name} is not configured. Configure it again to fetch the result. Otherwise: `
      : ''
  return {
    text: `${configure}Look for ${idsOf(attempt)} on the bill of ${name}, or ask its support. Then resolve the attempt.`,
    resolutions: [
      'NOT_CHARGED',
      'CHARGED_RESULT_LOST',
      ...(provider?.check ? ['ADOPT_REMOTE_ID' as const] : []),
    ],
  }
}
