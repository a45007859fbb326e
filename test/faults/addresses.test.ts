// Results at addresses that fail: through real gateways, at upstreams that respond at once and at ones that are polled.
import { Writable } from 'node:stream'
import { describe, expect, it, onTestFinished } from 'vitest'
import { darkroom } from '../cli/darkroom.ts'
import { DATABASES, newPlace, type DatabaseKind, type Place } from '../support/database.ts'
import { startGateway } from '../support/gateway-process.ts'
import { openGateway, type TestGateway } from '../support/gateway.ts'
import type { Client } from '../support/client.ts'
import { reset, status } from '../support/link-server.ts'
import { createLog } from '../../src/log.ts'
import { DIALECTS, startUpstream } from './address-upstream.ts'
import { expectConsistency } from './consistency.ts'

const TASK = `query ($id: ID!) { task(id: $id) {
  status charged costMicros usage { outputTokens } error { code message } warnings { code } images { id }
  attempts { id state charged costMicros usage { outputTokens } resultAddresses { url position tries problem } }
} }`

interface TaskView {
  task: {
    status: string
    error: { code: string; message: string } | null
    images: { id: string }[]
    attempts: {
      id: string
      state: string
      resultAddresses: { url: string; tries: number; problem: string | null }[] | null
    }[]
  }
}

const taskOf = async (gateway: Client, id: string) => (await gateway.get<TaskView>(TASK, { id })).task

async function startPlace(database: DatabaseKind): Promise<Place> {
  const place = await newPlace(database)
  onTestFinished(() => place.remove())
  return place
}

/** Until the first download has failed. */
async function untilTried(gateway: Client, id: string): Promise<void> {
  await expect
    .poll(async () => (await taskOf(gateway, id)).attempts[0]?.resultAddresses?.[0]?.tries)
    .toBeGreaterThan(0)
}

function ended(gateway: TestGateway, id: string) {
  return expect.poll(async () => (await taskOf(gateway, id)).status)
}

const engine = { pollMs: 20 }

describe.each(Object.keys(DIALECTS))('a result of %s', (dialect) => {
  it('whose address fails three times is stored, paid once and kept out of the log', async () => {
    const place = await startPlace('sqlite')
    const { upstream, entry } = await startUpstream(dialect, {
      answers: [status(404), reset, status(503)],
    })
    let log = ''
    const sink = new Writable({
      write(chunk, _, next) {
        log += String(chunk)
        next()
      },
    })
    {
      await using gateway = await openGateway({
        place,
        providers: [entry],
        engine,
        log: createLog('trace', sink),
      })
      const id = await gateway.generate({ prompt: 'a lighthouse' })
      await untilTried(gateway, id)
      expect(await taskOf(gateway, id)).toMatchObject({
        status: 'RUNNING',
        attempts: [{ state: 'FETCHING', charged: 'YES' }],
      })
      await ended(gateway, id).toBe('SUCCEEDED')
      const outputTokens = DIALECTS[dialect]!.usage ? 196 : null
      expect(await taskOf(gateway, id)).toMatchObject({
        charged: 'YES',
        error: null,
        warnings: [],
        images: [{}],
        usage: { outputTokens },
        attempts: [{ state: 'SUCCEEDED', resultAddresses: [] }],
      })
    }
    expect([upstream.gets.length, upstream.paid()]).toEqual([4, 1])
    expect(log).toContain('answered with status 404')
    expect(log).not.toContain('s3cret')
    await expectConsistency(place, [])
  })

  it('whose address never works fails as charged, and an operator can rescue it', async () => {
    const place = await startPlace('sqlite')
    const { upstream, entry } = await startUpstream(dialect, { always: status(410) })
    const providers = [{ ...entry, resultTtlMs: 700 }]
    await using gateway = await openGateway({ place, providers, engine })
    const id = await gateway.generate({ prompt: 'a lighthouse' })
    await ended(gateway, id).toBe('FAILED')
    const failed = await taskOf(gateway, id)
    const [url] = failed.attempts.flatMap(
      ({ resultAddresses }) => resultAddresses?.map((one) => one.url) ?? [],
    )
    expect(url).toContain('/results/0.png?signature=s3cret')
    expect(failed).toMatchObject({
      charged: 'YES',
      error: { code: 'RESULT_UNREACHABLE', message: expect.stringContaining('answered with status 410') },
      usage: { outputTokens: DIALECTS[dialect]!.usage ? 196 : null },
      attempts: [{ state: 'FAILED', charged: 'YES' }],
    })
    upstream.recover()
    await gateway.get('mutation ($id: ID!) { fetchResult(input: { id: $id }) { attempt { id } } }', {
      id: failed.attempts[0]!.id,
    })
    await expect
      .poll(() => taskOf(gateway, id))
      .toMatchObject({
        status: 'FAILED',
        images: [{}],
        attempts: [{ state: 'SUCCEEDED', resultAddresses: [] }],
      })
    expect(upstream.paid()).toBe(1)
  })
})

describe.each(DATABASES)('a result at an address, on %s,', (database) => {
  it.each(['basic', 'jimmy, polled'])('of %s is downloaded after kill -9', async (dialect) => {
    const place = await startPlace(database)
    const { upstream, entry } = await startUpstream(dialect, { always: status(404) })
    const options = {
      providers: [entry],
      engine: { ...engine, leaseMs: 1000, heartbeatMs: 300, reapMs: 200 },
    }
    const killed = await startGateway(place, options)
    const id = await killed.generate({ prompt: 'a lighthouse' })
    await untilTried(killed, id)
    await killed.kill()
    upstream.recover()
    {
      await using next = await startGateway(place, options)
      await expect.poll(async () => (await taskOf(next, id)).status).toBe('SUCCEEDED')
    }
    expect(upstream.paid()).toBe(1)
    await expectConsistency(place, [])
  })

  it('is downloaded while its task is canceled', async () => {
    const place = await startPlace(database)
    const { upstream, entry } = await startUpstream('openai', { always: status(404) })
    await using gateway = await openGateway({ place, providers: [entry], engine })
    const id = await gateway.generate({ prompt: 'a lighthouse' })
    await untilTried(gateway, id)
    const canceled = await gateway.get(
      'mutation ($id: ID!) { cancelTask(input: { id: $id }) { task { status charged } } }',
      {
        id,
      },
    )
    expect(canceled).toEqual({ cancelTask: { task: { status: 'CANCELED', charged: 'YES' } } })
    upstream.recover()
    await expect
      .poll(() => taskOf(gateway, id))
      .toMatchObject({ status: 'CANCELED', images: [{}], attempts: [{ state: 'SUCCEEDED' }] })
    expect(upstream.paid()).toBe(1)
  })

  it('is missed with a warning beside the other images of its reply', async () => {
    const place = await startPlace(database)
    const { upstream, entry } = await startUpstream('basic', {}, { always: status(404) }, {})
    {
      await using gateway = await openGateway({ place, providers: [{ ...entry, resultTtlMs: 500 }], engine })
      const id = await gateway.generate({ prompt: 'a lighthouse', n: 3 })
      await ended(gateway, id).toBe('SUCCEEDED')
      expect(await taskOf(gateway, id)).toMatchObject({
        images: [{}, {}],
        warnings: [{ code: 'IMAGES_MISSING' }],
        attempts: [{ resultAddresses: [{ position: 1, problem: 'answered with status 404' }] }],
      })
    }
    expect(upstream.paid()).toBe(1)
    await expectConsistency(place, [])
  })

  it('is shown and listed to operators at the command line, which can have it fetched', async () => {
    const place = await startPlace(database)
    const { upstream, entry } = await startUpstream('basic', { always: status(404) })
    const providers = [{ ...entry, resultTtlMs: 1 }]
    await using gateway = await openGateway({ place, providers, engine })
    const id = await gateway.generate({ prompt: 'a lighthouse' })
    await ended(gateway, id).toBe('FAILED')
    const env = { DATA_DIR: place.dataDir, DATABASE_URL: place.databaseUrl ?? '' }
    const run = (...args: string[]) => darkroom(args, { cwd: place.dataDir, env })

    const [attempt] = (await taskOf(gateway, id)).attempts
    const shown = await run('attempt', attempt!.id)
    expect(shown.stdout).toMatch(
      /Address +http\S+\/results\/0\.png\?signature=s3cret \(image 1, tried \d+ times/,
    )
    expect(shown.stdout).toContain(`darkroom attempt ${attempt!.id} --fetch`)
    const listed = await run('doctor', '--skip-files')
    expect(listed).toMatchObject({ exitCode: 0 })
    expect(listed.stdout).toContain(`${upstream.origin}/results/0.png`)
    expect(listed.stdout).toContain(attempt!.id)
    expect(listed.stdout).not.toContain('s3cret')
    const json = await run('doctor', '--skip-files', '--json')
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: true, unfetchedResults: [{ attempt: attempt!.id }] })

    upstream.recover()
    const fetched = await run('attempt', id, '--fetch', '--url', gateway.url)
    expect(fetched).toMatchObject({ exitCode: 0, stderr: '' })
    await expect.poll(async () => (await taskOf(gateway, id)).images).toHaveLength(1)
    expect((await run('attempt', id, '--fetch', '--url', gateway.url)).stdout).toContain('has no address')
    expect((await run('doctor', '--skip-files')).stdout).not.toContain('not fetched')
  })
})

describe('two processes on PostgreSQL', () => {
  it('store a result once, also when the one that received it is killed during the download', async () => {
    const place = await startPlace('postgresql')
    const { upstream, entry } = await startUpstream('basic', { answers: [() => {}] })
    const options = {
      providers: [entry],
      engine: { ...engine, leaseMs: 1000, heartbeatMs: 300, reapMs: 200 },
    }
    const first = await startGateway(place, options)
    const id = await first.generate({ prompt: 'a lighthouse' })
    await expect.poll(() => upstream.gets).toHaveLength(1)
    {
      await using second = await startGateway(place, options)
      await first.kill()
      await expect.poll(async () => (await taskOf(second, id)).status).toBe('SUCCEEDED')
      expect((await taskOf(second, id)).images).toHaveLength(1)
    }
    expect(upstream.paid()).toBe(1)
    await expectConsistency(place, [])
  })

  it('share the downloads of many tasks, and store each image once', async () => {
    const place = await startPlace('postgresql')
    const links = Array.from({ length: 4 }, () => ({ answers: [status(404)] }))
    const { upstream, entry } = await startUpstream('basic', ...links)
    const options = { providers: [entry], engine }
    {
      await using first = await startGateway(place, options)
      await using second = await startGateway(place, options)
      const gateways = [first, second]
      const ids = await Promise.all(
        Array.from({ length: 12 }, (_, i) => gateways[i % 2]!.generate({ prompt: `lighthouse ${i}`, n: 4 })),
      )
      for (const id of ids) {
        await expect.poll(async () => (await taskOf(first, id)).status).toBe('SUCCEEDED')
        expect((await taskOf(second, id)).images).toHaveLength(4)
      }
    }
    expect(upstream.paid()).toBe(12)
    await expectConsistency(place, [])
  })
})
