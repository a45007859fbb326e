// SQLite that another program locks, and whose folder is removed.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import BetterSqlite3 from 'better-sqlite3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { DATABASES, newPlace } from '../support/database.ts'
import { startGateway } from '../support/gateway-process.ts'
import { openGateway } from '../support/gateway.ts'
import { expectAskAgain, generate } from './ask-again.ts'

describe('SQLite that another program locks for longer than clients wait', () => {
  it('refuses new tasks within 5 s, responds to /livez at once, and works on afterwards', async () => {
    const place = await newPlace('sqlite')
    onTestFinished(() => place.remove())
    await using server = await startGateway(place)
    const otherClient = new BetterSqlite3(join(place.dataDir, 'darkroom.db'))
    otherClient.exec('begin immediate')
    const requests = Promise.all(Array.from({ length: 10 }, (_, i) => generate(server.url, `lamp-${i}`)))
    const waits: number[] = []
    for (let i = 0; i < 50; i++) {
      const startedAt = performance.now()
      expect((await fetch(`${server.url}/livez`)).status).toBe(200)
      waits.push(performance.now() - startedAt)
      await pause(100)
    }
    expectAskAgain(await requests)
    // Half of them, because the machine may be busy.
    expect(waits.toSorted((a, b) => a - b)[25]).toBeLessThan(100)
    expect((await fetch(`${server.url}/readyz`)).status).toBe(503)
    otherClient.exec('rollback')
    otherClient.close()
    expect(await server.ended(await server.generate({ prompt: 'a lamp' }))).toEqual({ status: 'SUCCEEDED' })
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200)
  })
})

describe.each(DATABASES)('a data folder that is removed while the server runs on %s', (database) => {
  it('makes /readyz respond with 503, and new tasks and retries be refused', async () => {
    const place = await newPlace(database)
    onTestFinished(() => place.remove())
    await using server = await openGateway({ place })
    const id = await server.generate({ prompt: 'a fox [sandbox:reject]' })
    expect(await server.ended(id)).toEqual({ status: 'FAILED' })
    await rm(place.dataDir, { recursive: true })
    await expect.poll(async () => (await fetch(`${server.url}/readyz`)).status).toBe(503)
    expect((await fetch(`${server.url}/livez`)).status).toBe(200)
    expectAskAgain([await generate(server.url, 'lamp-1')])
    const retried = await server.execute(`mutation { retryTask(input: { id: "${id}" }) { task { id } } }`)
    expect(retried.errors?.[0]?.extensions).toMatchObject({ code: 'SERVICE_UNAVAILABLE' })
  })
})
