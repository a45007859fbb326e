// Subscriptions whose viewers share reads, executions and bytes.
import {
  createSourceEventStream,
  executeSubscriptionEvent,
  mapSourceToResponseEvent,
  validateSubscriptionArgs,
  type ExecutionResult,
  type ExecutionArgs,
  type ValidatedSubscriptionArgs,
} from 'graphql'
import { isAsyncIterable } from 'graphql-yoga'
import { systemClock, type Clock } from '../../../clock.ts'
import { isLiveSource, type LiveSource, type Log } from '../../../engine/events/live-source.ts'
import { toSharedContext, type Context } from '../../../schema/context.ts'
import { createRowMemory, type RowMemory } from '../../../schema/row-memory.ts'
import { allReady, whenReady } from '../../../maybe-promise.ts'
import type { Logger } from '../../../log.ts'
import { createMask } from '../mask.ts'
import { toPayload, type Frame } from './frames.ts'
import { groupKeyOf } from './sharing.ts'
import type { Sink } from './sink.ts'
import { createTopics } from './topics.ts'
import { follow, type Subscription } from './viewer.ts'

export interface LiveHub {
  readonly clock: Clock
  subscribe(args: LiveArgs): Promise<Viewer | AsyncIterable<ExecutionResult> | ExecutionResult>
  viewerCount(): number
}

export type LiveArgs = ExecutionArgs & { contextValue: Context }

/** Writes its results to the sink; as an iterator it only ends. Starts at the first `next`. */
export interface Viewer extends AsyncIterableIterator<never, void> {
  sink: Sink | undefined
}

const DONE = { done: true, value: undefined } as const

export function createLiveHub({ clock = systemClock, log }: { clock?: Clock; log: Logger }): LiveHub {
  const mask = createMask(log)
  const findTopic = createTopics(clock)
  let memory: RowMemory | undefined
  let viewers = 0
  let subscriptions = 0

  function toSubscription(
    source: LiveSource<unknown>,
    args: LiveArgs,
    validated: ValidatedSubscriptionArgs,
  ): Subscription {
    const groupKey = groupKeyOf(args)
    const rows = (memory ??= createRowMemory(args.contextValue.loaders))
    const { loaders } = rows
    const contextValue =
      groupKey === undefined ? args.contextValue : toSharedContext({ ...args.contextValue, loaders })
    return {
      source: { ...source, log: withFreshRows(source.log, rows) },
      key: groupKey ?? `alone:${++subscriptions}`,
      execute(entries) {
        const frames = entries.map(({ position, item }) =>
          whenReady(
            executeSubscriptionEvent({ ...validated, contextValue, rootValue: item }),
            (result): Frame => ({ position, payload: toPayload(result, mask) }),
          ),
        )
        return allReady(frames)
      },
    }
  }

  function createViewer(subscription: Subscription): Viewer {
    const ended = new AbortController()
    let running: Promise<void> | undefined

    async function run(sink: Sink | undefined): Promise<void> {
      if (!sink) throw new Error('A viewer has no connection.')
      viewers++
      const { signal } = ended
      signal.addEventListener('abort', () => viewers--)
      try {
        await follow(subscription, { sink, findTopic, signal })
      } finally {
        ended.abort()
      }
    }

    const viewer: Viewer = {
      sink: undefined,
      async next() {
        if (!ended.signal.aborted) await (running ??= run(viewer.sink))
        return DONE
      },
      async return() {
        ended.abort()
        return DONE
      },
      [Symbol.asyncIterator]: () => viewer,
    }
    return viewer
  }

  return {
    clock,
    async subscribe(args) {
      const validated = validateSubscriptionArgs(args)
      if (!('schema' in validated)) return { errors: validated }
      const source = await createSourceEventStream(validated)
      if (!isAsyncIterable(source)) return source
      if (!isLiveSource(source)) return mapSourceToResponseEvent(validated, source)
      return createViewer(toSubscription(source, args, validated))
    },
    viewerCount: () => viewers,
  }
}

/** Rows are not older than the events that they are sent with. */
function withFreshRows<Item>(log: Log<Item>, memory: RowMemory): Log<Item> {
  return {
    ...log,
    async read(position) {
      const batch = await log.read(position)
      memory.forget()
      return batch
    },
  }
}
