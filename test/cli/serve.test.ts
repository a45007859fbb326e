import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { plain } from '../../src/cli/screen.ts'
import { banner } from '../../src/cli/serve/banner.ts'
import { createConfig } from '../../src/config/config.ts'
import { PROGRAM, darkroom } from './darkroom.ts'
import { withCompileCache } from '../support/compile-cache.ts'

let cwd: string
const children = new Set<ChildProcess>()

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'darkroom-serve-'))
})
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL')
  children.clear()
  await rm(cwd, { recursive: true, force: true, maxRetries: 3 })
})

/** Starts `darkroom serve` on a free port and waits for its banner. */
async function serve(env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [PROGRAM, 'serve', '--port', '0'], {
    cwd,
    env: withCompileCache({ LOG_LEVEL: 'error', ...env }),
  })
  children.add(child)
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const ended = once(child, 'close').then(([code]: unknown[]) => code)
  await expect.poll(() => stdout).toContain('Ctrl-C to stop')
  const url = /http:\/\/127\.0\.0\.1:\d+\/graphql/.exec(stdout)?.[0] ?? ''
  return { child, url, ended, stdout: () => stdout, stderr: () => stderr }
}

/** Creates a task that never ends, and waits until it runs. */
async function startStalledTask(url: string): Promise<void> {
  const post = async (query: string) => {
    const body = JSON.stringify({ query })
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })
    return response.text()
  }
  await post('mutation { generateImage(input: { prompt: "fox [sandbox:stall]" }) { task { id } } }')
  await expect.poll(() => post('{ tasks { nodes { status } } }')).toContain('RUNNING')
}

it('serve prints its URL, database, providers and access, and stops on SIGTERM', async () => {
  const server = await serve()
  expect(server.stdout()).toContain(`Database   SQLite in ${join(cwd, 'data')}\n`)
  expect(server.stdout()).toMatch(/Providers {2}sandbox: .*gpt-image-2/)
  expect(server.stdout()).toContain('no API key required')
  server.child.kill('SIGTERM')
  expect(await server.ended).toBe(0)
  expect(server.stdout()).toMatch(/Stopped\.\n$/)
  expect(server.stderr()).toBe('')
})

it.each(['0.0.0.0', '::'])('serve prints a URL that opens for the host %s', async (host) => {
  const server = await serve({ HOST: host, DARKROOM_ADMIN_KEY: 'an-operator-key-of-forty-characters-long' })
  const url = /GraphiQL +(http:\S+)/.exec(server.stdout())?.[1] ?? ''
  expect(url).toMatch(/^http:\/\/(?:127\.0\.0\.1|\[::1\]):\d+\/graphql$/)
  expect((await fetch(url)).status).toBe(401)
  expect(server.stdout()).toContain(`Listening  ${host}: all addresses of this machine\n`)
})

function bannerWith(settings: object): string {
  const config = createConfig(settings, { cwd })
  return banner({ url: 'http://127.0.0.1:4000', isOpen: false, config, version: '1' }, plain)
}

it.each([
  ['s3://pictures/darkroom?region=eu-central-1', 'bucket pictures/darkroom'],
  ['s3://pictures?endpoint=https://s3.example.com', 'bucket pictures at https://s3.example.com'],
])('serve names the bucket of %s', (assetsUrl, shown) => {
  expect(bannerWith({ assetsUrl })).toMatch(new RegExp(`Images +${shown}\\n`))
})

it('serve shows the address of the dashboard, unless it is off', () => {
  expect(bannerWith({})).toMatch(/Dashboard +http:\/\/127\.0\.0\.1:4000\/\n/)
  expect(bannerWith({ dashboard: false })).not.toContain('Dashboard')
})

it('serve warns of settings without effect', async () => {
  const server = await serve({ DARKROOM_PORT: '1' })
  expect(server.stderr()).toBe(
    'Warning: DARKROOM_PORT is not a setting and has no effect. Did you mean `PORT`?\n',
  )
})

it('serve waits for running calls, and aborts them at a second signal', async () => {
  const server = await serve()
  await startStalledTask(server.url)
  server.child.kill('SIGINT')
  await expect.poll(() => server.stdout()).toContain('again to stop at once.')
  // npm forwards Ctrl-C, so a signal that follows closely counts as the same one.
  server.child.kill('SIGINT')
  expect((await fetch(server.url, { method: 'OPTIONS' })).status).toBeLessThan(600)
  const ended = once(server.child, 'exit')
  await pause(400)
  server.child.kill('SIGINT')
  expect(await ended).toEqual([75, null])
  expect(server.stdout()).toContain('Stopped. 1 call was aborted and may have been charged.')
})

it('serve names a port that is in use', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const address = other.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const { exitCode, stderr } = await darkroom(['serve', '--port', String(port)], { cwd })
  other.close()
  expect(exitCode).toBe(1)
  expect(stderr).toContain(`Port ${port} on 127.0.0.1 is already in use.`)
})

it('migrate applies migrations without starting the server', async () => {
  const { exitCode, stdout, stderr } = await darkroom(['migrate'], { cwd })
  expect([exitCode, stderr]).toEqual([0, ''])
  expect(stdout).toMatch(/darkroom\.db is up to date\.\n$/)
})

it('schema checks and writes schema.graphql', async () => {
  const check = () => darkroom(['schema', '--check'], { cwd })
  expect(await check()).toMatchObject({
    exitCode: 1,
    stderr: 'schema.graphql is missing. Run `npm run schema` to update it.\n',
  })
  expect(await darkroom(['schema', '--write'], { cwd })).toMatchObject({ exitCode: 0 })
  expect(await check()).toMatchObject({ exitCode: 0, stdout: 'schema.graphql is up to date.\n' })
})
