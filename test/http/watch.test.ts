import { describe, expect, it } from 'vitest'
import { TRANSPORTS } from '../support/client.ts'
import { openGateway } from '../support/gateway.ts'
import { DATABASES } from '../support/database.ts'

const WATCH = `subscription ($taskId: ID!, $after: String) {
  taskEvents(taskId: $taskId, after: $after) {
    __typename cursor
    task { status progress }
    ... on PartialImageReceived { partialImage { index image { url width height } } }
    ... on TaskFinished { status }
  }
}`

interface Event {
  __typename: string
  cursor: string
  status?: string
  task: { status: string; progress: number }
  partialImage?: { index: number; image: { url: string; width: number; height: number } }
}

describe.each(DATABASES)('taskEvents on %s', (database) => {
  describe.each(TRANSPORTS)('over %s', (transport) => {
    it('tells a snapshot, three partial images, and the end, then completes', async () => {
      await using server = await openGateway({ database, providers: [{ name: 'sandbox', dialect: 'sandbox', durationMs: 300 }] })
      const taskId = await server.generate({ prompt: 'a red fox', size: '1024x1024', partialImages: 3 })
      const events: Event[] = []
      for await (const { data, errors } of server.watch<{ taskEvents: Event }>(transport, WATCH, { taskId })) {
        expect(errors).toBeUndefined()
        events.push(data!.taskEvents)
      }
      expect(events[0]?.__typename).toBe('TaskSnapshot')
      expect(events.at(-1)).toMatchObject({ __typename: 'TaskFinished', status: 'SUCCEEDED', task: { progress: 1 } })
      const partials = events.filter(({ __typename }) => __typename === 'PartialImageReceived')
      expect(partials.map(({ partialImage }) => partialImage?.index)).toEqual([0, 1, 2])
      const progress = events.map(({ task }) => task.progress)
      expect(progress).toEqual(progress.toSorted((a, b) => a - b))

      // From every place seen, exactly the rest.
      for (const [i, { cursor }] of events.entries()) {
        const rest: Event[] = []
        for await (const { data } of server.watch<{ taskEvents: Event }>(transport, WATCH, { taskId, after: cursor })) {
          rest.push(data!.taskEvents)
        }
        expect(rest[0]?.__typename).toBe('TaskSnapshot')
        expect(rest.slice(1).map((event) => event.cursor)).toEqual(events.slice(i + 1).map((event) => event.cursor))
      }
      await expect.poll(() => server.gateway.watching()).toBe(0)
    })
  })
})
