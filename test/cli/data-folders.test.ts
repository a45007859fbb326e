import { hostname } from 'node:os'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { DATABASES, newPlace } from '../support/database.ts'
import { openGateway } from '../support/gateway.ts'
import { darkroom } from './darkroom.ts'

describe.each(DATABASES)('darkroom data-folders on %s', (database) => {
  it('lists the folders with their hosts, and declares one lost until a process starts in it', async () => {
    const place = await newPlace(database)
    onTestFinished(() => place.remove())
    const env = { DATA_DIR: place.dataDir, DATABASE_URL: place.databaseUrl ?? '' }
    const run = (...args: string[]) => darkroom(['data-folders', ...args], { cwd: place.dataDir, env })
    {
      await using gateway = await openGateway({ place })
      expect(gateway.gateway.subscriberCount()).toBe(0)
    }
    const id = (await readFile(join(place.dataDir, 'folder-id'), 'utf8')).trim()
    expect((await run()).stdout).toMatch(new RegExp(`^ {2}${id} +${hostname()} +\\d{4}-\\S+Z +no$`, 'm'))

    const lost = await run('lost', id)
    expect(lost).toMatchObject({ exitCode: 0, stderr: '' })
    expect(lost.stdout).toContain(`Declared the data folder ${id} of ${hostname()} lost.`)
    expect((await run('list')).stdout).toMatch(new RegExp(`${id} +${hostname()} +\\S+Z +\\d{4}-\\S+Z$`, 'm'))
    {
      await using gateway = await openGateway({ place })
      expect(gateway.gateway.subscriberCount()).toBe(0)
    }
    expect((await run('list')).stdout).toMatch(/ no$/m)
  })

  it('refuses an unknown id and unknown words', async () => {
    const place = await newPlace(database)
    onTestFinished(() => place.remove())
    const env = { DATA_DIR: place.dataDir, DATABASE_URL: place.databaseUrl ?? '' }
    const run = (...args: string[]) => darkroom(['data-folders', ...args], { cwd: place.dataDir, env })
    const unknown = await run('lost', 'fld_none')
    expect(unknown.exitCode).toBe(1)
    expect(unknown.stderr).toContain('There is no data folder "fld_none".')
    const wrong = await run('forget')
    expect(wrong.exitCode).toBe(64)
    expect(wrong.stderr).toContain('`darkroom data-folders` takes one of: list, lost <id>.')
  })
})
