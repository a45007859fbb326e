// Faults of the disk and the database: full, locked, damaged, in use, or unavailable.
import { open, rm, symlink, writeFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import BetterSqlite3 from 'better-sqlite3'
import { Client } from 'pg'
import { describe, expect, it, onTestFinished } from 'vitest'
import { DiskError } from '../../src/assets/disk-error.ts'
import { PROGRAM, darkroom } from '../cli/darkroom.ts'
import { DATABASES, newPlace, type DatabaseKind, type Place } from '../support/database.ts'
import { openEngine } from '../support/engine.ts'
import { startGateway } from '../support/gateway-process.ts'
import { openGateway } from '../support/gateway.ts'
import { done, scripted } from '../support/scripted.ts'
import { expectConsistency } from './consistency.ts'
import { startFaultyUpstream } from './upstream.ts'

/** Recovers the attempts of a dead process soon. */
const QUICK = { leaseMs: 1000, heartbeatMs: 300, reapMs: 100 }

async function newPlaceOf(database: DatabaseKind): Promise<Place> {
  const place = await newPlace(database)
  onTestFinished(() => place.remove())
  return place
}

const probeOf = ({ dataDir }: Place) => join(dataDir, 'assets', 'spool', 'free-space')

/** The kernel refuses the bytes of the free space check. */
async function fillDisk(place: Place): Promise<void> {
  await symlink('/dev/full', probeOf(place))
}

async function freeDisk(place: Place): Promise<void> {
  await rm(probeOf(place))
}

describe.each(DATABASES)('a full disk on %s', (database) => {
  it('during a response leaves the outcome unknown, with its possible charge recorded', async () => {
    // A write there fails with ENOSPC: https://man7.org/linux/man-pages/man4/full.4.html
    const provider = scripted(async (sent) => {
      await writeFile('/dev/full', 'an image')
      return done(sent)
    })
    await using one = await openEngine({ database, providers: [provider] })
    const { id } = await one.create()
    await one.reached(id, 'OUTCOME_UNKNOWN')
    expect(await one.attempts(id)).toMatchObject([{ state: 'UNKNOWN', charged: 'UNKNOWN' }])
    expect(provider.sent).toHaveLength(1)
  })

  it('delays the storing of an image, which is then stored and paid once', async () => {
    let puts = 0
    const provider = scripted((sent) => done(sent))
    await using one = await openEngine({
      database,
      providers: [provider],
      wrap: (deps) => ({
        ...deps,
        store: {
          ...deps.store,
          put: (file) =>
            ++puts <= 2
              ? Promise.reject(new DiskError('/assets', 'ENOSPC', undefined))
              : deps.store.put(file),
        },
      }),
    })
    const { id } = await one.create()
    await one.reached(id, 'SUCCEEDED')
    expect([puts, provider.sent.length]).toEqual([3, 1])
  })

  it('longer than the storing is retried leaves the image on disk, which is then stored and paid once', async () => {
    let isFull = true
    let puts = 0
    const provider = scripted((sent) => done(sent))
    await using one = await openEngine({
      database,
      providers: [provider],
      tuning: QUICK,
      wrap: (deps) => ({
        ...deps,
        clock: { ...deps.clock, sleep: (ms, signal) => deps.clock.sleep(Math.min(ms, 100), signal) },
        store: {
          ...deps.store,
          put(file) {
            puts++
            return isFull
              ? Promise.reject(new DiskError('/assets', 'ENOSPC', undefined))
              : deps.store.put(file)
          },
        },
      }),
    })
    const { id } = await one.create()
    // Five tries of the call, and then those of recovery.
    await expect.poll(() => puts).toBeGreaterThan(6)
    expect(await one.attempts(id)).toMatchObject([{ state: 'SENDING' }])
    isFull = false
    await one.reached(id, 'SUCCEEDED')
    expect(await one.attempts(id)).toMatchObject([{ state: 'SUCCEEDED', charged: 'YES' }])
    expect(provider.sent).toHaveLength(1)
  })

  it('keeps new tasks queued, checks accepted attempts, and recovers without a restart', async () => {
    let [isDone, checks] = [false, 0]
    const provider = scripted(
      (sent, nth) =>
        nth === 1
          ? Promise.resolve({ state: 'ACCEPTED', remoteId: 'remote-1', checkAfterMs: 100 })
          : done(sent),
      {
        async check(_, order, call) {
          checks++
          return isDone ? done({ order, call }) : { state: 'PENDING', progress: null, checkAfterMs: 100 }
        },
      },
    )
    await using one = await openEngine({ database, providers: [provider], tuning: { pollMs: 50 } })
    const accepted = await one.create()
    await expect.poll(async () => (await one.attempts(accepted.id))[0]?.state).toBe('ACCEPTED')
    expect(await one.engine.problem()).toBe(undefined)

    await fillDisk(one.place)
    await expect.poll(() => one.engine.problem()).toBe('no image can be stored (ENOSPC)')
    const queued = await one.create()
    // Each check was claimed from the queue with the new task in it.
    const checksBefore = checks
    await expect.poll(() => checks).toBeGreaterThan(checksBefore + 2)
    isDone = true
    await one.reached(accepted.id, 'SUCCEEDED')
    expect(await one.attempts(queued.id)).toMatchObject([{ state: 'PLANNED', charged: 'NO' }])
    expect(provider.sent).toHaveLength(1)

    await freeDisk(one.place)
    await one.reached(queued.id, 'SUCCEEDED')
    expect(provider.sent).toHaveLength(2)
    await expect.poll(() => one.engine.problem()).toBe(undefined)
  })

  it('is reported by /readyz while it lasts, and not by /livez', async () => {
    await using server = await openGateway({ database })
    const ready = async () => {
      const response = await fetch(`${server.url}/readyz`)
      return [response.status, await response.json()]
    }
    expect(await ready()).toEqual([200, { status: 'ok' }])
    await fillDisk(server.place)
    await expect
      .poll(ready)
      .toEqual([503, { status: 'unavailable', problem: 'no image can be stored (ENOSPC)' }])
    expect((await fetch(`${server.url}/livez`)).status).toBe(200)
    await freeDisk(server.place)
    await expect.poll(ready).toEqual([200, { status: 'ok' }])
  })
})

describe('a PostgreSQL that cannot be written to', () => {
  it('is reported by /readyz while it lasts', async () => {
    await using server = await openGateway({ database: 'postgresql' })
    const otherClient = new Client({ connectionString: server.place.databaseUrl! })
    await otherClient.connect()
    await otherClient.query('begin; lock table provider_cooldowns in exclusive mode')
    const response = await fetch(`${server.url}/readyz`)
    expect([response.status, await response.json()]).toEqual([
      503,
      { status: 'unavailable', problem: 'the database takes longer than 250 ms to write' },
    ])
    await otherClient.end()
    await expect.poll(async () => (await fetch(`${server.url}/readyz`)).status).toBe(200)
  })
})

describe('SQLite', () => {
  it('delays clients while another program locks it for four seconds, and fails none', async () => {
    const place = await newPlaceOf('sqlite')
    {
      await using gateway = await startGateway(place)
      const otherClient = new BetterSqlite3(join(place.dataDir, 'darkroom.db'))
      otherClient.exec('begin immediate')
      let created = 0
      const requests = Promise.all(
        Array.from({ length: 10 }, async (_, i) => {
          const id = await gateway.generate({ prompt: `${i} [sandbox:reject]` })
          created++
          return id
        }),
      )
      await setTimeout(4000)
      expect(created).toBe(0)
      otherClient.exec('rollback')
      otherClient.close()
      const ids = await requests
      for (const id of ids) expect(await gateway.ended(id)).toEqual({ status: 'FAILED' })
    }
    await expectConsistency(place, [])
  })

  it('is refused with a clear message and exit code 78 when it is damaged', async () => {
    const place = await newPlaceOf('sqlite')
    {
      await using gateway = await openGateway({ place })
      await gateway.ended(await gateway.generate({ prompt: 'a fox [sandbox:reject]' }))
    }
    const file = join(place.dataDir, 'darkroom.db')
    const { size } = await stat(file)
    await using handle = await open(file, 'r+')
    await handle.write(Buffer.alloc(size - 8192, 0xa5), 0, size - 8192, 4096)
    const env = { DATA_DIR: place.dataDir }
    const { exitCode, stderr } = await darkroom(['serve', '--port', '0'], { cwd: place.dataDir, env })
    expect(exitCode).toBe(78)
    expect(stderr).toContain(`The database ${file} is damaged: `)
  })

  it('is refused to a second server, which names the first and exits with 78', async () => {
    const place = await newPlaceOf('sqlite')
    await using first = await openGateway({ place })
    const env = { DATA_DIR: place.dataDir }
    const { exitCode, stderr } = await darkroom(['serve', '--port', '0'], { cwd: place.dataDir, env })
    expect(exitCode).toBe(78)
    expect(stderr).toContain(`in use by process ${process.pid}`)
    expect((await fetch(`${first.url}/readyz`)).status).toBe(200)
  })
})

describe.each(DATABASES)('a server on %s', (database) => {
  it('records an unknown outcome and exits with 75 after a second signal during a paid call', async () => {
    const place = await newPlaceOf(database)
    await using upstream = await startFaultyUpstream()
    upstream.script(upstream.hold)
    const config = join(place.dataDir, 'darkroom.config.json')
    await writeFile(config, JSON.stringify({ providers: [upstream.entry], engine: QUICK }))
    const env = { DATA_DIR: place.dataDir, DATABASE_URL: place.databaseUrl ?? '', LOG_LEVEL: 'error' }
    const child = spawn(process.execPath, [PROGRAM, 'serve', '--port', '0'], { cwd: place.dataDir, env })
    const ended = once(child, 'close')
    let stdout = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    await expect.poll(() => stdout).toContain('Ctrl-C to stop')
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(stdout)?.[0] ?? ''
    const body = JSON.stringify({
      query: 'mutation { generateImage(input: { prompt: "a fox" }) { task { id } } }',
    })
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body }
    await (await fetch(`${url}/graphql`, init)).text()
    await expect.poll(() => upstream.charges.length).toBe(1)
    child.kill('SIGTERM')
    await expect.poll(() => stdout).toContain('again to stop at once.')
    // Sooner, it would count as the same key press.
    await setTimeout(400)
    child.kill('SIGTERM')
    await ended
    expect(child.exitCode).toBe(75)
    expect(stdout).toContain('1 call was aborted')
    {
      await using next = await openGateway({ place, providers: [upstream.entry], engine: QUICK })
      const query = '{ tasks { nodes { status } } }'
      await expect
        .poll(() => next.get(query), { interval: 100 })
        .toEqual({ tasks: { nodes: [{ status: 'OUTCOME_UNKNOWN' }] } })
    }
    expect(upstream.calls).toHaveLength(1)
    await expectConsistency(place, upstream.charges)
  }, 60_000)
})
