// Real clients with their default options, which follow the feed while the server restarts.
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { takeUntil } from '../http/collect.ts'
import { CLIENTS_FOLDER, installClients } from '../support/client-packages.ts'
import { newPlace, type Place } from '../support/database.ts'
import { startGateway, type GatewayProcess } from '../support/gateway-process.ts'

const FEED =
  'subscription ($after: String) { taskFeed(after: $after) { kind: __typename cursor task { id } } }'

/** Each passes the cursor of its last event as `after` when it connects again. */
const RESUMING = [
  'graphql-ws',
  'graphql-sse',
  'Apollo WebSocket with cursor',
  'Apollo SSE',
  'urql WebSocket',
  'urql SSE',
  'Relay WebSocket',
  'Relay SSE',
]
/** Begins again at its first cursor. */
const REPEATING = 'Apollo WebSocket'

interface Report {
  client: string
  cursor: string
  kind: string
  id: string
  failed?: string
}

describe('clients that subscribe, during a restart of the server', () => {
  let place: Place
  let gateway: GatewayProcess
  let child: ChildProcess
  const reports: Report[] = []
  /** Of every event, in the order of the log. */
  let log: string[]

  const cursorsOf = (client: string) =>
    reports.filter((one) => one.client === client).map(({ cursor }) => cursor)

  async function finishTask(): Promise<string> {
    const id = await gateway.generate({ prompt: 'a fox' })
    await gateway.ended(id)
    return id
  }

  async function allHaveFinished(id: string): Promise<void> {
    const isFinished = (report: Report) => report.kind === 'TaskFinished' && report.id === id
    await vi.waitFor(
      () => {
        const clients = new Set(reports.filter(isFinished).map(({ client }) => client))
        expect(clients).toEqual(new Set([...RESUMING, REPEATING]))
      },
      { timeout: 60_000 },
    )
  }

  beforeAll(async () => {
    await installClients()
    place = await newPlace('sqlite')
    gateway = await startGateway(place)
    const { tasks } = await gateway.get<{ tasks: { feedCursor: string } }>('{ tasks { feedCursor } }')
    const after = tasks.feedCursor
    child = fork(join(CLIENTS_FOLDER, 'programs/live.ts'), [`${gateway.url}/graphql`, after], {
      cwd: CLIENTS_FOLDER,
    })
    child.on('message', (report: Report) => reports.push(report))
    await allHaveFinished(await finishTask())
    await gateway[Symbol.asyncDispose]()
    gateway = await startGateway(place, { port: Number(new URL(gateway.url).port) })
    const last = await finishTask()
    await allHaveFinished(last)
    const events = await takeUntil(
      gateway.watch<{ taskFeed: Report & { task: { id: string } } }>('SSE', FEED, { after }),
      ({ taskFeed }) => taskFeed.kind === 'TaskFinished' && taskFeed.task.id === last,
    )
    log = events.map(({ taskFeed }) => taskFeed.cursor)
  })

  afterAll(async () => {
    const ended = once(child, 'exit')
    child.disconnect()
    await ended
    await gateway[Symbol.asyncDispose]()
    await place.remove()
  })

  it('receive no error', () => {
    expect(reports.filter(({ failed }) => failed !== undefined)).toEqual([])
  })

  it.each(RESUMING)('%s receives every event once', (client) => {
    expect(log.length).toBeGreaterThan(4)
    expect(cursorsOf(client)).toEqual(log)
  })

  it(`${REPEATING} receives every event, those before the restart again`, () => {
    const cursors = cursorsOf(REPEATING)
    expect(new Set(cursors)).toEqual(new Set(log))
    expect(cursors.length).toBeGreaterThan(log.length)
  })
})
