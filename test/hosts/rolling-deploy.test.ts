// The last release and this version on one database, as while a new version is rolled out.
import { expect, it, onTestFinished } from 'vitest'
import { startFaultyUpstream } from '../faults/upstream.ts'
import { createClient } from '../support/client.ts'
import { newEmptyPlace } from '../support/database.ts'
import { readFinalState } from '../support/final-state.ts'
import { startGateway, type GatewayProcess } from '../support/gateway-process.ts'
import { LAST_RELEASE, unpackRelease } from './release.ts'

const TUNING = { leaseMs: 3000, heartbeatMs: 400, reapMs: 200, pollMs: 100 }

/** Until version 0.2.0, the mutation returned the task itself. */
const GENERATE = {
  old: 'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { id lastCursor } }',
  current:
    'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { task { id lastCursor } } }',
}
const EVENTS = `subscription ($taskId: ID!, $after: String) {
  taskEvents(taskId: $taskId, after: $after) { type: __typename cursor }
}`

interface Task {
  id: string
  lastCursor: string
}
type Version = keyof typeof GENERATE

async function create(gateway: GatewayProcess, version: Version, prompt: string): Promise<Task> {
  interface Created {
    generateImage: Task & { task?: Task }
  }
  const { generateImage } = await gateway.get<Created>(GENERATE[version], { input: { prompt } })
  return generateImage.task ?? generateImage
}

async function eventsOf(url: string, { id: taskId, lastCursor: after }: Task): Promise<string[]> {
  interface Watched {
    taskEvents: { type: string; cursor: string }
  }
  const types: string[] = []
  for await (const { data } of createClient(url).watch<Watched>('SSE', EVENTS, { taskId, after }))
    if (data && data.taskEvents.type !== 'TaskSnapshot') types.push(data.taskEvents.cursor)
  return types
}

it(`version ${LAST_RELEASE.version} and this one serve the same tasks, from before the migration until the old one is killed`, async () => {
  const release = await unpackRelease()
  onTestFinished(release.remove)
  const place = await newEmptyPlace('postgresql')
  onTestFinished(() => place.remove())
  await using upstream = await startFaultyUpstream()
  const options = { providers: [{ ...upstream.entry, concurrency: 4 }], engine: TUNING }
  await using old = await startGateway(place, { ...options, entry: release.entry })

  const tasks = [await create(old, 'old', 'before the migration')]
  const migrated = new AbortController()
  const flowing = (async () => {
    while (!migrated.signal.aborted) tasks.push(await create(old, 'old', 'during the migration'))
  })()
  flowing.catch(() => undefined)
  await using current = await startGateway(place, options)
  migrated.abort()
  await flowing
  for (let nth = 0; nth < 6; nth++) {
    tasks.push(await create(old, 'old', `old ${nth}`), await create(current, 'current', `current ${nth}`))
  }
  const watched = tasks.slice(-4)
  const [there, here] = await Promise.all(
    [old, current].map(({ url }) => Promise.all(watched.map((task) => eventsOf(url, task)))),
  )
  expect(there).toEqual(here)
  for (const { id } of tasks) expect(await current.ended(id)).toEqual({ status: 'SUCCEEDED' })
  expect(new Set(upstream.charges).size).toBe(upstream.charges.length)
  expect(upstream.charges).toHaveLength(tasks.length)

  // What the old one leaves, this one decides about.
  upstream.script(upstream.hold)
  const last = await create(old, 'old', 'a last one')
  await expect.poll(() => upstream.charges.length).toBe(tasks.length + 1)
  await old.kill()
  upstream.release()
  expect(['SUCCEEDED', 'OUTCOME_UNKNOWN']).toContain((await current.ended(last.id)).status)
  await current[Symbol.asyncDispose]()
  const { violated } = await readFinalState(place)
  expect(violated).toEqual([])
})
