// For each event of a task, two viewers whose connection breaks: one right after it, and one inside its message.
import { describe, expect, it } from 'vitest'
import { createClient, TRANSPORTS, type Transport } from '../support/client.ts'
import { DATABASES } from '../support/database.ts'
import { openGateway } from '../support/gateway.ts'
import { follow, newFollower, type Follower } from './follow.ts'
import { insideMessage, startFlakyProxy, type Cut } from './flaky-proxy.ts'

/** The start, 20 steps of progress, three partial images, the end of attempt and task; steps may coincide. */
const EVENTS = { min: 20, max: 26 }
const INPUT = { prompt: 'a ferry', model: 'dall-e-2', size: '256x256', partialImages: 3 }
const PROVIDERS = [{ name: 'sandbox', dialect: 'sandbox', durationMs: 1500 }]

const PLACES = Array.from({ length: EVENTS.max }, (_, i) => i + 1)

describe.each(DATABASES)('a task on %s', (database) => {
  it.each(TRANSPORTS)(
    'is received completely by every viewer over %s, whose connection breaks at any event',
    { timeout: 180_000 },
    async (transport) => {
      await using server = await openGateway({ database, providers: PROVIDERS })
      const {
        generateImage: { task },
      } = await server.get<{ generateImage: { task: CreatedTask } }>(
        'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { task { id lastCursor } } }',
        { input: INPUT },
      )
      const options = { to: server.url, transport, task }
      const unbroken = watch({ ...options })
      // The snapshot is the first message with a cursor, so event n is in message n + 1.
      const inside = PLACES.map((nth) => watch({ ...options, cut: { within: insideMessage(nth + 1) } }))
      const after = PLACES.map((nth) => watch({ ...options, breakAfter: nth }))
      const { cursors } = await unbroken
      expect(cursors.length).toBeGreaterThanOrEqual(EVENTS.min)
      expect(cursors.length).toBeLessThanOrEqual(EVENTS.max)

      for (const [i, one] of (await Promise.all(inside)).entries()) {
        expect(one, `cut inside event ${i + 1}`).toMatchObject({ problems: [], cursors })
        expect(one.resumed, `cut inside event ${i + 1}`).toBe(i < cursors.length ? 1 : 0)
      }
      const cutAfter = await Promise.all(after)
      for (const [i, one] of cutAfter.entries()) {
        expect(one, `cut after event ${i + 1}`).toMatchObject({ problems: [], cursors })
      }
      // A viewer that had the last event before the cut does not resume.
      expect(cutAfter.filter(({ resumed }) => resumed === 1).length).toBeGreaterThan(EVENTS.min / 2)
      await expect.poll(() => server.gateway.subscriberCount()).toBe(0)
    },
  )
})

interface CreatedTask {
  id: string
  lastCursor: string
}

/** Watches a task to its end over a proxy of its own, which breaks at most once. */
async function watch(options: {
  to: string
  transport: Transport
  task: CreatedTask
  cut?: Cut
  breakAfter?: number
}): Promise<Follower> {
  const { transport, task, breakAfter } = options
  let cut = options.cut
  const proxy = await startFlakyProxy(
    () => options.to,
    () => {
      const own = cut ?? {}
      cut = undefined
      return own
    },
  )
  const follower = newFollower(transport, task.id, task.lastCursor)
  await follow(
    createClient(proxy.url),
    follower,
    ({ kind }) => {
      if (follower.cursors.length === breakAfter && follower.resumed === 0) proxy.breakNow()
      return kind === 'TaskFinished'
    },
    performance.now() + 90_000,
  )
  await proxy.close()
  return follower
}
