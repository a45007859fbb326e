// A server that stops with many subscriptions: how each connection ends, and whether it resumes at the next server.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { PROGRAM } from '../cli/darkroom.ts'
import { createClient, TRANSPORTS, type Client } from '../support/client.ts'
import { DATABASES, newPlace, type Place } from '../support/database.ts'
import { follow, newFollower, type Follower } from './follow.ts'
import { findGaps, readLogs } from './gaps.ts'
import { withCompileCache } from '../support/compile-cache.ts'

/** Over each transport; half watch a task, half the feed. */
const VIEWERS = 200
/** One call at a time, so that one endless call delays the others and the shutdown. */
const SETTINGS = {
  port: 0,
  logLevel: 'error',
  providers: [{ name: 'sandbox', dialect: 'sandbox', durationMs: 1000, concurrency: 1 }],
  engine: { drainTimeoutMs: 120_000, progressIntervalMs: 100 },
}
const SMALL = { model: 'dall-e-2', size: '256x256', partialImages: 3 }

describe.each(DATABASES)('a server on %s that stops', (database) => {
  it(`closes ${VIEWERS} subscriptions of each kind in time, which resume without a gap`, async () => {
    const place = await newPlace(database)
    onTestFinished(() => place.remove())
    const first = await serve(place)
    const { tasks } = await first.client.get<{ tasks: { feedCursor: string } }>('{ tasks { feedCursor } }')
    await first.client.generate({ ...SMALL, prompt: 'a ferry that never comes [sandbox:stall]' })
    const {
      generateImage: { task: queued },
    } = await first.client.get<{
      generateImage: { task: { id: string; lastCursor: string } }
    }>('mutation ($input: GenerateImageInput!) { generateImage(input: $input) { task { id lastCursor } } }', {
      input: { ...SMALL, prompt: 'a ferry' },
    })
    const followers = Array.from({ length: 2 * VIEWERS }, (_, i) => {
      const transport = TRANSPORTS[i % 2]!
      return i < VIEWERS
        ? newFollower(transport, queued.id, queued.lastCursor)
        : newFollower(transport, null, tasks.feedCursor)
    })
    const started = new Set<Follower>()
    const watching = followers.map((follower) =>
      watchUntilClosed(follower, first, () => started.add(follower)),
    )
    await expect.poll(() => started.size, { timeout: 90_000 }).toBe(followers.length)

    first.stop()
    const closes = await Promise.all(watching)
    // The second signal cuts the endless call. Sooner, it would count as the same key press.
    await setTimeout(400)
    first.stop()
    expect(await first.ended).toBe(75)
    // On both, clients reconnect. A log that merely ended would look complete.
    expect(new Set(closes.filter((_, i) => followers[i]?.transport === 'WebSocket'))).toEqual(new Set([1001]))
    expect(new Set(closes.filter((_, i) => followers[i]?.transport === 'SSE'))).toEqual(
      new Set(['NetworkError']),
    )

    const next = await serve(place)
    await Promise.all(
      followers.map((follower) =>
        follow(
          next.client,
          follower,
          ({ kind, task }) => kind === 'TaskFinished' && task.id === queued.id,
          performance.now() + 90_000,
        ),
      ),
    )
    next.stop()
    expect(await next.ended).toBe(0)
    const logs = await readLogs(place)
    expect(logs.violated).toEqual([])
    expect(followers.flatMap((follower) => findGaps(follower, logs))).toEqual([])
    expect(logs.tasks.get(queued.id)!.length).toBeGreaterThan(8)
  }, 180_000)
})

interface Server {
  client: Client
  /** The exit code. */
  ended: Promise<unknown>
  /** Sends SIGTERM. */
  stop(): void
}

/** The program, listening. */
async function serve({ databaseUrl, dataDir }: Place): Promise<Server> {
  const file = join(dataDir, 'shutdown.json')
  await writeFile(file, JSON.stringify({ ...SETTINGS, databaseUrl, dataDir }))
  const child = spawn(process.execPath, [PROGRAM, 'serve'], {
    env: withCompileCache({ DARKROOM_CONFIG: file }),
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const ended = once(child, 'exit').then(([code]: unknown[]) => code)
  let stdout = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  await expect.poll(() => stdout).toContain('Ctrl-C to stop')
  const url = /(http:\/\/127\.0\.0\.1:\d+)\/graphql/.exec(stdout)?.[1] ?? ''
  return { client: createClient(url), ended, stop: () => void child.kill('SIGTERM') }
}

/** Watches until the server closes, and returns the close code or the name of the client's error. */
async function watchUntilClosed(follower: Follower, server: Server, onStarted: () => void): Promise<unknown> {
  const { transport, taskId, after } = follower
  const [field, given] =
    taskId === null ? ['taskFeed', '$after: String'] : ['taskEvents', '$taskId: ID!, $after: String']
  const passed = taskId === null ? 'after: $after' : 'taskId: $taskId, after: $after'
  const query = `subscription (${given}) { ${field}(${passed}) { kind: __typename cursor } }`
  try {
    const events = server.client.watch<Record<string, { kind: string; cursor: string }>>(transport, query, {
      ...(taskId !== null && { taskId }),
      after,
    })
    for await (const { data } of events) {
      onStarted()
      for (const { kind, cursor } of Object.values(data ?? {}))
        if (kind !== 'TaskSnapshot') follower.cursors.push(cursor)
    }
    return 'the log ended'
  } catch (error) {
    return error instanceof Error ? error.name : (error as CloseEvent).code
  }
}
