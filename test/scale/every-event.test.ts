// For each event of a task, viewers whose connection breaks there: one right behind it, and one in its midst.
import { describe, expect, it } from 'vitest'
import { createClient, TRANSPORTS, type Transport } from '../support/client.ts'
import { DATABASES } from '../support/database.ts'
import { openGateway } from '../support/gateway.ts'
import { follow, newFollower, type Follower } from './follow.ts'
import { insideMessage, startLine, type Cut } from './line.ts'

/** Started, 20 steps of progress, three previews, the end of the attempt and of the task; some steps may fall together. */
const EVENTS = { least: 20, most: 26 }
const INPUT = { prompt: 'a ferry', model: 'dall-e-2', size: '256x256', partialImages: 3 }
const PROVIDERS = [{ name: 'sandbox', dialect: 'sandbox', durationMs: 1500 }]

const PLACES = Array.from({ length: EVENTS.most }, (_, i) => i + 1)

describe.each(DATABASES)('a task on %s', (database) => {
  it.each(TRANSPORTS)(
    'is told whole to every viewer over %s, at whichever event its connection breaks',
    { timeout: 180_000 },
    async (transport) => {
      await using server = await openGateway({ database, providers: PROVIDERS })
      const { generateImage: task } = await server.get<{ generateImage: Asked }>(
        'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { id lastCursor } }',
        { input: INPUT },
      )
      const view = { to: server.url, transport, task }
      const unbroken = watch({ ...view })
      // The snapshot is the first message with a cursor, so the nth event is in the next one.
      const inside = PLACES.map((nth) => watch({ ...view, cut: { within: insideMessage(nth + 1) } }))
      const behind = PLACES.map((nth) => watch({ ...view, breakBehind: nth }))
      const { cursors } = await unbroken
      expect(cursors.length).toBeGreaterThanOrEqual(EVENTS.least)
      expect(cursors.length).toBeLessThanOrEqual(EVENTS.most)

      for (const [i, one] of (await Promise.all(inside)).entries()) {
        expect(one, `cut inside event ${i + 1}`).toMatchObject({ complaints: [], cursors })
        expect(one.resumed, `cut inside event ${i + 1}`).toBe(i < cursors.length ? 1 : 0)
      }
      const cutBehind = await Promise.all(behind)
      for (const [i, one] of cutBehind.entries()) {
        expect(one, `cut behind event ${i + 1}`).toMatchObject({ complaints: [], cursors })
      }
      // Whoever had the last events already when it was cut has nothing to come back for.
      expect(cutBehind.filter(({ resumed }) => resumed === 1).length).toBeGreaterThan(EVENTS.least / 2)
      await expect.poll(() => server.gateway.subscriberCount()).toBe(0)
    },
  )
})

interface Asked {
  id: string
  lastCursor: string
}

/** Watches a task to its end over a line of its own, which breaks once, if it does. */
async function watch(view: {
  to: string
  transport: Transport
  task: Asked
  cut?: Cut
  breakBehind?: number
}): Promise<Follower> {
  const { transport, task, breakBehind } = view
  let cut = view.cut
  const line = await startLine(
    () => view.to,
    () => {
      const own = cut ?? {}
      cut = undefined
      return own
    },
  )
  const follower = newFollower(transport, task.id, task.lastCursor)
  await follow(
    createClient(line.url),
    follower,
    ({ kind }) => {
      if (follower.cursors.length === breakBehind && follower.resumed === 0) line.breakNow()
      return kind === 'TaskFinished'
    },
    performance.now() + 90_000,
  )
  await line.close()
  return follower
}
