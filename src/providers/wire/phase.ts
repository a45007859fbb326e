import type { Dispatcher } from 'undici'
import type { WirePhase } from '../../domain.ts'
import { ProviderError, VERDICTS } from '../error.ts'
import type { Call } from '../provider.ts'

export interface WireState {
  phase: WirePhase
  httpStatus?: number
  providerRequestId?: string
  /** If it did not end well. */
  bodyError?: Error
}

/** Reports phases before undici goes on: without DISPATCHED, the socket got no byte. */
export function watchWire({ onWire }: Pick<Call, 'onWire'>, redact: (text: string) => string) {
  let state: WireState = { phase: 'INTENT' }

  function report(phase: WirePhase, facts: Omit<WireState, 'phase'> = {}): void {
    state = { ...state, ...facts, phase }
    onWire(phase, facts)
  }

  function watch(handler: Dispatcher.DispatchHandler): Dispatcher.DispatchHandler {
    return {
      onRequestStart(controller, context) {
        // undici restarts a request whose socket was recycled: it would be paid twice.
        if (state.phase !== 'INTENT')
          return controller.abort(new Error('The request would have been sent twice.'))
        handler.onRequestStart?.(controller, context)
        if (!controller.aborted) report('DISPATCHED')
      },
      onResponseStart(controller, status, headers, message) {
        const id = headers['x-request-id']
        const facts = {
          httpStatus: status,
          ...(typeof id === 'string' && { providerRequestId: redact(id).slice(0, 200) }),
        }
        if (status >= 200) report('HEADERS', facts)
        handler.onResponseStart?.(controller, status, headers, message)
      },
      onResponseData: (controller, chunk) => handler.onResponseData?.(controller, chunk),
      onResponseEnd(controller, trailers) {
        report('BODY_DONE')
        handler.onResponseEnd?.(controller, trailers)
      },
      onResponseError(controller, error) {
        if (state.phase !== 'HEADERS' || controller.aborted)
          return handler.onResponseError?.(controller, error)
        // undici drops undelivered data on an error: the body's reader reports it instead.
        state = { ...state, bodyError: error }
        handler.onResponseEnd?.(controller, {})
      },
    }
  }

  const interceptor: Dispatcher.DispatcherComposeInterceptor = (dispatch) => (options, handler) =>
    dispatch(options, watch(handler))
  return {
    interceptor,
    state: () => state,
    /** Enough was read. */
    endBody: () => report('BODY_DONE'),
  }
}

/** `unreached`, uncharged, if and only if nothing was dispatched; else `lost`. */
export function networkFailure(provider: string, cause: unknown, state: WireState): ProviderError {
  const { phase, httpStatus, providerRequestId } = state
  if (phase === 'INTENT') {
    const message = `${provider} could not be reached: ${reason(cause)}. Nothing was sent.`
    return new ProviderError({ ...VERDICTS.UNREACHED, message, cause })
  }
  const when =
    phase === 'DISPATCHED' ? 'before it answered' : `in the middle of its answer (status ${httpStatus})`
  const message = `The call to ${provider} ended ${when}: ${reason(cause)}. Whether it was carried out is unknown.`
  return new ProviderError({ ...VERDICTS.LOST, message, httpStatus, providerRequestId, cause })
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error'
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  return REASONS[code] ?? REASONS[error.name] ?? (code || error.name)
}

// Codes of Node and undici.
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
