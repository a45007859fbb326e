// Answers that were received and recorded on disk when their gateway was killed.
import { mkdtemp, readdir, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { DATABASES, newEmptyPlace, newPlace, type DatabaseKind, type Place } from '../support/database.ts'
import { startGateway, type GatewayProcess } from '../support/gateway-process.ts'
import { expectConsistency } from './consistency.ts'
import { attemptOf, killWithAnswers, recordsIn } from './received.ts'
import { startFaultyUpstream, type FaultyUpstream } from './upstream.ts'

/** Recovers the attempts of a dead process soon. */
const TUNING = { leaseMs: 1000, heartbeatMs: 300, reapMs: 100, pollMs: 50 }
const RESEND = { onUnknownOutcome: 'RESEND', maxCharges: 2 }

interface TaskView {
  status: string
  attempts: { id: string; state: string }[]
}

async function taskOf(client: GatewayProcess, id: string): Promise<TaskView> {
  const query = 'query ($id: ID!) { task(id: $id) { status attempts { id state } } }'
  return (await client.get<{ task: TaskView }>(query, { id })).task
}

async function reached(client: GatewayProcess, id: string, status: string): Promise<TaskView> {
  await expect.poll(async () => (await taskOf(client, id)).status).toBe(status)
  return taskOf(client, id)
}

async function statesReached(client: GatewayProcess, id: string, states: string[]): Promise<void> {
  const current = async () => (await taskOf(client, id)).attempts.map(({ state }) => state)
  await expect.poll(current).toEqual(states)
}

async function newPlaceOf(database: DatabaseKind): Promise<Place> {
  const place = await newPlace(database)
  onTestFinished(() => place.remove())
  return place
}

/** The same database, used from another machine. */
async function onOtherHost(place: Place): Promise<Place> {
  const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-test-host-'))
  const remove = () => rm(dataDir, { recursive: true, force: true })
  onTestFinished(remove)
  return { databaseUrl: place.databaseUrl, dataDir, remove }
}

/** Starts a gateway, and tasks whose responses the upstream holds after it has charged. */
async function startHeld(
  place: Place,
  upstream: FaultyUpstream,
  { count, input = {} }: { count: number; input?: Record<string, unknown> },
): Promise<{ gateway: GatewayProcess; ids: string[] }> {
  const charged = upstream.charges.length
  upstream.script(...Array.from({ length: count }, () => upstream.hold))
  const gateway = await startGateway(place, { providers: [upstream.entry], engine: TUNING })
  const ids: string[] = []
  for (let i = 0; i < count; i++) ids.push(await gateway.generate({ prompt: `a harbour ${i}`, ...input }))
  await expect.poll(() => upstream.charges.length).toBe(charged + count)
  return { gateway, ids }
}

describe('two gateways on one PostgreSQL, one killed with received answers, with permission to send again', () => {
  it('settle the answers in a shared data folder, and pay each once', async () => {
    const place = await newPlaceOf('postgresql')
    await using upstream = await startFaultyUpstream()
    const { gateway: killed, ids } = await startHeld(place, upstream, { count: 4, input: RESEND })
    {
      await using other = await startGateway(place, { providers: [upstream.entry], engine: TUNING })
      await killWithAnswers(place, killed, upstream, ids.length)
      for (const id of ids) {
        const { attempts } = await reached(other, id, 'SUCCEEDED')
        expect(attempts.map(({ state }) => state)).toEqual(['SUCCEEDED'])
      }
    }
    expect(upstream.charges).toHaveLength(ids.length)
    await expectConsistency(place, upstream.charges)
  })

  it('leave the answers to the data folder that has them, which settles them at its next start', async () => {
    const place = await newPlaceOf('postgresql')
    const elsewhere = await onOtherHost(place)
    await using upstream = await startFaultyUpstream()
    const { gateway: killed, ids } = await startHeld(place, upstream, { count: 2, input: RESEND })
    {
      const settings = { providers: [upstream.entry], engine: TUNING }
      await using other = await startGateway(elsewhere, settings)
      await killWithAnswers(place, killed, upstream, ids.length)
      for (const id of ids) await statesReached(other, id, ['UNKNOWN', 'PLANNED'])
      // The outcome is listed for review meanwhile.
      const { attemptsNeedingReview } = await other.get<{ attemptsNeedingReview: { nodes: unknown[] } }>(
        '{ attemptsNeedingReview { nodes { id } } }',
      )
      expect(attemptsNeedingReview.nodes).toHaveLength(ids.length)
      await pause(1500)
      expect(upstream.charges).toHaveLength(ids.length)

      await using again = await startGateway(place, settings)
      for (const id of ids) {
        const { attempts } = await reached(again, id, 'SUCCEEDED')
        expect(attempts.map(({ state }) => state)).toEqual(['SUCCEEDED', 'CANCELED'])
      }
    }
    expect(upstream.charges).toHaveLength(ids.length)
    expect(await recordsIn(place.dataDir)).toEqual([])
    await expectConsistency(place, upstream.charges)
  })

  it('send again after the grace time when the data folder with the answer does not return', async () => {
    const place = await newPlaceOf('postgresql')
    const elsewhere = await onOtherHost(place)
    await using upstream = await startFaultyUpstream()
    const { gateway: killed, ids } = await startHeld(place, upstream, { count: 1, input: RESEND })
    {
      const engine = { ...TUNING, resendGraceMs: 2000 }
      await using other = await startGateway(elsewhere, { providers: [upstream.entry], engine })
      const killedAt = performance.now()
      await killWithAnswers(place, killed, upstream, 1)
      await reached(other, ids[0]!, 'SUCCEEDED')
      expect(performance.now() - killedAt).toBeGreaterThan(2000)
      await statesReached(other, ids[0]!, ['UNKNOWN', 'SUCCEEDED'])
    }
    expect(upstream.charges).toHaveLength(2)
    await expectConsistency(elsewhere, upstream.charges)
  })

  it('send again at once when an operator declares the data folder lost', async () => {
    const place = await newPlaceOf('postgresql')
    const elsewhere = await onOtherHost(place)
    await using upstream = await startFaultyUpstream()
    const { gateway: killed, ids } = await startHeld(place, upstream, { count: 1, input: RESEND })
    const lost = (await readFile(join(place.dataDir, 'folder-id'), 'utf8')).trim()
    {
      await using other = await startGateway(elsewhere, { providers: [upstream.entry], engine: TUNING })
      await killWithAnswers(place, killed, upstream, 1)
      await statesReached(other, ids[0]!, ['UNKNOWN', 'PLANNED'])
      const { markDataFolderLost } = await other.get<{
        markDataFolderLost: { dataFolder: { id: string; lostAt: string | null } }
      }>('mutation ($id: ID!) { markDataFolderLost(input: { id: $id }) { dataFolder { id lostAt } } }', {
        id: lost,
      })
      expect(markDataFolderLost.dataFolder).toEqual({ id: lost, lostAt: expect.any(String) })
      await reached(other, ids[0]!, 'SUCCEEDED')
    }
    expect(upstream.charges).toHaveLength(2)
    await expectConsistency(elsewhere, upstream.charges)
  })
})

describe.each(DATABASES)('received answers on disk, on %s', (database) => {
  it('survive a start with another database on the same data folder', async () => {
    const place = await newPlaceOf(database)
    // One start with DATABASE_URL where there was none, or without it where there was one.
    const wrong = database === 'sqlite' ? await newEmptyPlace('postgresql') : { databaseUrl: null }
    if ('remove' in wrong) onTestFinished(() => wrong.remove())
    await using upstream = await startFaultyUpstream()
    const { gateway: killed, ids } = await startHeld(place, upstream, { count: 2 })
    await killWithAnswers(place, killed, upstream, 2)
    const records = await recordsIn(place.dataDir)
    // Older than what the sweep deletes.
    const spool = join(place.dataDir, 'assets', 'spool')
    for (const name of await readdir(spool)) await utimes(join(spool, name), 1e9, 1e9)
    const settings = { providers: [upstream.entry], engine: TUNING }
    {
      const elsewhere = { ...place, databaseUrl: wrong.databaseUrl }
      await using other = await startGateway(elsewhere, settings)
      await pause(500)
      expect(await other.get('{ tasks { nodes { id } } }')).toEqual({ tasks: { nodes: [] } })
    }
    expect(await recordsIn(place.dataDir)).toEqual(records)
    {
      await using again = await startGateway(place, settings)
      for (const id of ids) await reached(again, id, 'SUCCEEDED')
    }
    expect(upstream.charges).toHaveLength(2)
    expect(await recordsIn(place.dataDir)).toEqual([])
    await expectConsistency(place, upstream.charges)
  })

  it('that are damaged are set aside, and the server starts and settles the others', async () => {
    const place = await newPlaceOf(database)
    await using upstream = await startFaultyUpstream()
    const { gateway: killed } = await startHeld(place, upstream, { count: 4 })
    await killWithAnswers(place, killed, upstream, 4)
    const records = await recordsIn(place.dataDir)
    const [empty, half, foreign, whole] = records as [string, string, string, string]
    const spool = join(place.dataDir, 'assets', 'spool')
    await truncate(join(spool, empty), 0)
    const text = await readFile(join(spool, half), 'utf8')
    await truncate(join(spool, half), text.indexOf('"usage"'))
    await writeFile(join(spool, foreign), '[]')
    {
      await using next = await startGateway(place, { providers: [upstream.entry], engine: TUNING })
      const stateOf = async (record: string) => {
        const query = 'query ($id: ID!) { node(id: $id) { ... on Attempt { state } } }'
        return (await next.get<{ node: { state: string } }>(query, { id: attemptOf(record) })).node.state
      }
      await expect.poll(() => stateOf(whole)).toBe('SUCCEEDED')
      for (const record of [empty, half, foreign]) await expect.poll(() => stateOf(record)).toBe('UNKNOWN')
    }
    expect(await recordsIn(place.dataDir)).toEqual([])
    const aside = await readdir(join(place.dataDir, 'assets', 'damaged'))
    // With the image that the half-written record names.
    expect(aside).toEqual(expect.arrayContaining([empty, half, foreign]))
    expect(aside).toHaveLength(4)
    expect(upstream.charges).toHaveLength(4)
    await expectConsistency(place, upstream.charges)
  })
})
