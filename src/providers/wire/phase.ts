import type { Dispatcher } from 'undici'
import type { WirePhase } from '../../domain.ts'
import type { Call } from '../provider.ts'

/** How far a request provably got, and the head of its reply. */
export interface WireState {
  phase: WirePhase
  httpStatus?: number
  providerRequestId?: string
}

export interface Wire {
  /** For the dispatcher of exactly one request. */
  interceptor: Dispatcher.DispatcherComposeInterceptor
  state(): WireState
}

/**
 * Reports the phases of a request, each before undici goes on: without DISPATCHED, no byte was handed to the socket.
 * `redact` redacts the head.
 */
export function watchWire({ onWire }: Pick<Call, 'onWire'>, redact: (text: string) => string): Wire {
  let state: WireState = { phase: 'INTENT' }

  function report(phase: WirePhase, facts: Omit<WireState, 'phase'> = {}): void {
    state = { ...state, ...facts, phase }
    onWire(phase, facts)
  }

  function watch(handler: Dispatcher.DispatchHandler): Dispatcher.DispatchHandler {
    return {
      onRequestStart(controller, context) {
        // undici restarts a request whose socket was recycled. A paid request is written once.
        if (state.phase !== 'INTENT')
          return controller.abort(new Error('The request would have been sent twice.'))
        // The inner handler does not start after an abort.
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
      onResponseError: (controller, error) => handler.onResponseError?.(controller, error),
    }
  }

  return {
    interceptor: (dispatch) => (options, handler) => dispatch(options, watch(handler)),
    state: () => state,
  }
}
