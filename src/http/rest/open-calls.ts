import type { CallState } from '../../domain.ts'
import type { WaitingCall } from '../../engine/tasks/calls.ts'
import { newId } from '../../ids.ts'
import { watchDelivery, type DeliveryWatch } from '../delivery.ts'
import type { RestExchange, RestDeps } from './deps.ts'

export interface NewCall extends WaitingCall {
  /** Another request certainly attaches to the same task. */
  attaches: boolean
  isKeyed: boolean
  isAsync: boolean
}

export interface OpenCall {
  /** Before a response that tells the client to ask again. */
  giveUp(): Promise<void>
  /** Before the response: later images are due to the same request. */
  tellUnknown(): Promise<void>
  /** Records whether the response arrives. */
  follow(response: Response): Response
  /** In the middle of a response. */
  abort(): void
}

type ClosedState = Exclude<CallState, 'OPEN' | 'ATTACHED'>

export type OpenCalls = ReturnType<typeof createOpenCalls>

/** For responses being sent at the end of the process. */
const FLUSH_MS = 2_000

export function createOpenCalls({ engine, clock, settings, log }: RestDeps) {
  const stopping = new AbortController()
  const sending = new Set<Promise<void>>()

  async function cancelLater(id: string): Promise<void> {
    await clock.sleep(settings.hangupGraceMs, stopping.signal)
    if (stopping.signal.aborted) return
    await engine.calls
      .cancelAbandoned(id)
      .catch((error: unknown) => log.error({ call: id, err: error }, 'canceling an abandoned task failed'))
  }

  return {
    stopping: stopping.signal,

    newCall(
      { request: { headers }, client, caller, gone }: RestExchange,
      { isFresh, isKeyed, isAsync }: { isFresh: boolean; isKeyed: boolean; isAsync: boolean },
    ): NewCall {
      const { attach, undeliveredMs } = settings
      const retryCount = headers.get('x-stainless-retry-count')
      const isRetry = Number(retryCount) > 0
      // The retry of a fresh request is not fresh.
      const isUndelivered = attach === 'undelivered' && (!isFresh || isRetry)
      return {
        id: newId('call', clock.now()),
        caller: caller.apiKeyId ?? `address:${client.address ?? ''}`,
        attach: isUndelivered ? 'UNDELIVERED' : attach !== 'never' && isRetry ? 'RETRIES' : 'NEVER',
        isRetry,
        undeliveredMs,
        gone,
        attaches: isKeyed || isUndelivered || (attach !== 'never' && retryCount !== null),
        isKeyed,
        isAsync,
      }
    },

    open({ id, gone, isKeyed, isAsync }: NewCall): OpenCall {
      const sent = Promise.withResolvers<void>()
      sending.add(sent.promise)
      // A key finds its task: the engine records no call.
      let isClosed = isKeyed
      let isTold = false
      let watch: DeliveryWatch | undefined
      function markSent(): void {
        sending.delete(sent.promise)
        sent.resolve()
      }
      async function close(state: ClosedState): Promise<void> {
        if (isClosed) return
        isClosed = true
        await engine.calls.close(id, state)
      }
      function leave(): void {
        markSent()
        const isOpen = !isClosed && !isTold
        void close('UNDELIVERED')
        if (isOpen && !isAsync && settings.cancelOnHangup === 'queued') void cancelLater(id)
      }
      if (gone.aborted) leave()
      else gone.addEventListener('abort', leave)
      return {
        giveUp: () => close('UNDELIVERED'),
        async tellUnknown() {
          if (isClosed) return
          isTold = true
          await engine.calls.tellUnknown(id)
        },
        follow(response) {
          watch = {
            sent: markSent,
            ended: (isDelivered) =>
              isDelivered ? void close(isTold ? 'TOLD_UNKNOWN' : 'DELIVERED') : leave(),
          }
          return watchDelivery(response, watch)
        },
        abort: () => watch?.abort?.(),
      }
    },

    /** Ends all waits; resolves when responses are sent. */
    async stop(): Promise<void> {
      stopping.abort()
      await Promise.race([Promise.all(sending), clock.sleep(FLUSH_MS)])
    },
  }
}
