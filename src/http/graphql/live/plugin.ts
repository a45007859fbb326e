import { isAsyncIterable, type Plugin } from 'graphql-yoga'
import type { ExecutionResult } from 'graphql'
import type { Context } from '../../../schema/context.ts'
import { EventStream } from './event-stream.ts'
import type { LiveArgs, LiveHub, Viewer } from './hub.ts'
import { createPings } from './pings.ts'
import type { Sink } from './sink.ts'

/** Of subscriptions over a WebSocket. */
export interface LiveContext {
  socket?: { sink: Sink }
}

const HEADERS = {
  'content-type': 'text/event-stream',
  connection: 'keep-alive',
  'content-encoding': 'none',
}

/** In the hub, results reach the viewer over its sink, past Yoga and graphql-ws. */
export function useLiveHub(hub: LiveHub): Plugin<Context & LiveContext & { request: Request }> {
  const viewers = new WeakMap<Request, Viewer>()
  const pings = createPings(hub.clock)
  return {
    onSubscribe({ setSubscribeFn }) {
      setSubscribeFn(async (given) => {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the context of this plugin
        const args = given as LiveArgs & { contextValue: LiveContext & { request: Request } }
        const result = await hub.subscribe(args)
        if ('sink' in result) {
          const { socket, request } = args.contextValue
          result.sink = socket?.sink
          viewers.set(request, result)
        }
        return result
      })
    },

    onResultProcess(hook) {
      const { request, result, resultProcessor } = hook
      const viewer = viewers.get(request)
      // Without a processor, the client accepts no event stream.
      if (!viewer || !resultProcessor || !isAsyncIterable<ExecutionResult>(result)) return
      hook.setResultProcessor((_, fetchAPI) => {
        const stream = new EventStream(pings, (sink) => {
          viewer.sink = sink
          return result[Symbol.asyncIterator]()
        })
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a Readable is a body of this class
        return new fetchAPI.Response(stream as unknown as BodyInit, { headers: HEADERS })
      }, 'text/event-stream')
    },
  }
}
