import { AsyncLocalStorage } from 'node:async_hooks'
import type { Clock } from '../../../clock.ts'
import { runForClient } from '../../../db/connection/priority.ts'
import { createTopic, type Topic } from './topic.ts'
import type { FindTopic } from './viewer.ts'

/** One per log with viewers, made by the first viewer that reaches the log's end. */
export function createTopics(clock: Clock): FindTopic {
  const topics = new Map<string, Topic>()
  /** Topics outlive their first request. */
  const outsideRequests = AsyncLocalStorage.snapshot()

  return ({ source: { log }, key }, { position, isCaughtUp }) => {
    const known = topics.get(log.key)
    if (known) return position >= known.positionOf(key) ? known : undefined
    if (!isCaughtUp) return undefined
    const topic = createTopic(log, { start: position, clock, onEmpty: () => topics.delete(log.key) })
    topics.set(log.key, topic)
    // After the viewer has joined.
    queueMicrotask(() => outsideRequests(() => void runForClient(() => topic.run())))
    return topic
  }
}
