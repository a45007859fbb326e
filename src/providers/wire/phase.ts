import type { Dispatcher } from 'undici'
import type { WirePhase } from '../../domain.ts'
import type { Call } from '../provider.ts'

/** How far one request provably got, and what its head said. */
export interface WireSeen {
  phase: WirePhase
  httpStatus?: number
  providerRequestId?: string
}

export interface Wire {
  /** To be composed into the dispatcher of exactly one request. */
  interceptor: Dispatcher.DispatcherComposeInterceptor
  seen(): WireSeen
}

/**
 * Watches one request and reports its phases to `onWire`, each before undici goes on: DISPATCHED comes before the first
 * byte is handed to the socket, so without it not one has left. What the head says goes through `hide` first.
 */
export function watchWire({ onWire }: Pick<Call, 'onWire'>, hide: (text: string) => string): Wire {
  let seen: WireSeen = { phase: 'INTENT' }

  function report(phase: WirePhase, facts: Omit<WireSeen, 'phase'> = {}): void {
    seen = { ...seen, ...facts, phase }
    onWire(phase, facts)
  }

  function watch(handler: Dispatcher.DispatchHandler): Dispatcher.DispatchHandler {
    return {
      onRequestStart(controller, context) {
        // undici starts a request again when its socket is recycled first. An order is written once.
        if (seen.phase !== 'INTENT')
          return controller.abort(new Error('The request would have been sent twice.'))
        // The inner handler refuses to start when the caller has aborted meanwhile.
        handler.onRequestStart?.(controller, context)
        if (!controller.aborted) report('DISPATCHED')
      },
      onResponseStart(controller, status, headers, message) {
        const id = headers['x-request-id']
        const facts = {
          httpStatus: status,
          ...(typeof id === 'string' && { providerRequestId: hide(id).slice(0, 200) }),
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
    seen: () => seen,
  }
}
