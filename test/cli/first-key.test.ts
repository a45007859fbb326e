import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { newPlace } from '../support/database.ts'
import { openGateway } from '../support/gateway.ts'
import { darkroomHere } from './in-process.ts'

it('keys create does not lock the operator of a running open server out, and both ways on work', async () => {
  const cwd = await mkdtemp(join(tmpdir(), 'darkroom-first-key-'))
  onTestFinished(() => rm(cwd, { recursive: true }))
  const place = await newPlace('sqlite')
  onTestFinished(() => place.remove())
  const run = (args: string[], env: NodeJS.ProcessEnv = {}) =>
    darkroomHere(args, { cwd, env: { DATA_DIR: place.dataDir, ...env } })
  let adminKey = ''
  {
    await using open = await openGateway({ place })
    const refused = await run(['keys', 'create', '--url', open.url])
    expect([refused.exitCode, refused.stdout]).toEqual([64, ''])
    expect(refused.stderr).toContain('Nothing was created. Either:\n  1. Set DARKROOM_ADMIN_KEY')
    expect(refused.stderr).toContain('\n  2. Stop the server')
    adminKey = /DARKROOM_ADMIN_KEY=(\S+)\n/.exec(refused.stderr)?.[1] ?? ''
    expect((await run(['keys', 'list', '--url', open.url])).stdout).toMatch(/^There are no API keys/)
    expect((await run(['tasks', '--url', open.url])).exitCode).toBe(0)
  }
  {
    await using withAdminKey = await openGateway({ place, settings: { adminKey } })
    const args = ['--url', withAdminKey.url]
    expect((await run(['keys', 'create', ...args], { DARKROOM_ADMIN_KEY: adminKey })).exitCode).toBe(0)
    expect((await run(['projects', ...args], { DARKROOM_ADMIN_KEY: adminKey })).exitCode).toBe(0)
  }
  // Without a server, the database is used.
  const created = await run(['keys', 'create', '--name', 'second', '--json'])
  expect([created.exitCode, created.stderr]).toEqual([0, ''])
  expect((await run(['keys', 'list'])).stdout).toContain('second')
})
