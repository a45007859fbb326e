import { ProviderError } from '../error.ts'
import type { WireState } from './phase.ts'

/** `unreached`, and uncharged, if and only if nothing was dispatched; else `lost`. */
export function networkFailure(provider: string, error: unknown, state: WireState): ProviderError {
  const { httpStatus, providerRequestId } = state
  if (state.phase === 'INTENT') {
    return new ProviderError({
      kind: 'unreached',
      code: 'PROVIDER_UNREACHABLE',
      message: `${provider} could not be reached: ${reason(error)}. Nothing was sent.`,
      charged: 'NO',
      cause: error,
    })
  }
  const when =
    state.phase === 'DISPATCHED' ? 'before it answered' : `in the middle of its answer (status ${httpStatus})`
  return new ProviderError({
    kind: 'lost',
    code: 'OUTCOME_UNKNOWN',
    message: `The call to ${provider} ended ${when}: ${reason(error)}. Whether it was carried out is unknown.`,
    charged: 'UNKNOWN',
    httpStatus,
    providerRequestId,
    cause: error,
  })
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error'
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  return REASONS[code] ?? REASONS[error.name] ?? (code || error.name)
}

// Codes of Node (nodejs.org/api/errors.html) and undici (undici.nodejs.org, Errors).
const REASONS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'its host name does not resolve',
  EAI_AGAIN: 'its host name could not be looked up',
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection closed',
  EHOSTUNREACH: 'no route to its host',
  ENETUNREACH: 'no route to its network',
  ETIMEDOUT: 'connection timed out',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  UND_ERR_SOCKET: 'connection closed',
  UND_ERR_HEADERS_TIMEOUT: 'no answer in time',
  UND_ERR_BODY_TIMEOUT: 'no more came in time',
  UND_ERR_ABORTED: 'given up',
  AbortError: 'given up',
  TimeoutError: 'no answer in time',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its TLS certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'its TLS certificate is self-signed',
  CERT_HAS_EXPIRED: 'its TLS certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its TLS certificate is for another host',
}
