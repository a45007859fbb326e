import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from 'pg'
import { describe, expect, it } from 'vitest'
import { backUp } from '../../src/db/maintenance/backup.ts'
import { DEFAULT_PROJECT } from '../../src/db/access/projects.ts'
import { DATABASES, newPlace, type Place } from '../support/database.ts'
import { openEngine } from '../support/engine.ts'
import { done, scripted } from '../support/scripted.ts'

/** Backs a place's database up, and returns a function that restores it. It must not be open. */
async function takeBackup(place: Place): Promise<() => Promise<void>> {
  const { databaseUrl, dataDir } = place
  if (databaseUrl === null) {
    const copy = join(dataDir, 'copy.db')
    await backUp(dataDir, copy)
    return async () => {
      for (const file of ['darkroom.db', 'darkroom.db-wal', 'darkroom.db-shm'])
        await rm(join(dataDir, file), { force: true })
      await cp(copy, join(dataDir, 'darkroom.db'))
    }
  }
  const name = new URL(databaseUrl).pathname.slice(1)
  const copy = `${name}_copy`
  await onServer(databaseUrl, `create database ${copy} template ${name}`)
  return async () => {
    await onServer(databaseUrl, `drop database ${name} with (force)`)
    await onServer(databaseUrl, `alter database ${copy} rename to ${name}`)
  }
}

async function onServer(databaseUrl: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: new URL('/postgres', databaseUrl).href })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

describe.each(DATABASES)('a restored backup on %s', (database) => {
  it('sends nothing that may have been sent since the backup, until an operator resolves it', async () => {
    const place = await newPlace(database)
    const provider = scripted((sent) => done(sent))
    const createTasks = async () => {
      await using before = await openEngine({ place, providers: [provider], start: false })
      return [
        await before.create({ prompt: 'sent since' }),
        await before.create({ prompt: 'not sent since' }),
      ]
    }
    const [sent, unsent] = await createTasks()
    const restore = await takeBackup(place)
    {
      await using one = await openEngine({ place, providers: [provider], start: false })
      await one.engine.cancelTask(DEFAULT_PROJECT, unsent!.id)
      await one.engine.start()
      await one.reached(sent!.id, 'SUCCEEDED')
    }
    await restore()
    {
      await using next = await openEngine({ place, providers: [provider], start: false })
      await next.engine.start({ restored: true })
      for (const { id } of [sent!, unsent!]) {
        const task = await next.reached(id, 'OUTCOME_UNKNOWN')
        expect(task.error?.message).toContain('restored from a backup')
        expect(await next.attempts(id)).toMatchObject([{ state: 'UNKNOWN', charged: 'UNKNOWN' }])
      }
      expect(provider.sent).toHaveLength(1)

      const [attempt] = await next.attempts(unsent!.id)
      await next.engine.resolveAttempt(
        DEFAULT_PROJECT,
        attempt!.id,
        { is: 'NOT_CHARGED' },
        'it is not on the bill',
      )
      await next.reached(unsent!.id, 'SUCCEEDED')
      expect(provider.sent).toHaveLength(2)
    }
    await place.remove()
  })
})

describe('a backup', () => {
  it('is made while the server runs, and overwrites no file', async () => {
    const place = await newPlace('sqlite')
    {
      await using one = await openEngine({ place, providers: [scripted((sent) => done(sent))] })
      const { id } = await one.create()
      await one.reached(id, 'SUCCEEDED')
      await backUp(place.dataDir, join(place.dataDir, 'copy.db'))
      await one.create()
    }
    await expect(backUp(place.dataDir, join(place.dataDir, 'copy.db'))).rejects.toThrow('exists already')
    await place.remove()
  })

  it('of a missing database is refused', async () => {
    await expect(backUp('/nowhere', '/nowhere/copy.db')).rejects.toThrow('There is no database in /nowhere.')
  })
})
