import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { BIN, darkroom } from './darkroom.ts'

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
  const child = spawn(process.execPath, [BIN, 'serve', '--port', '0'], {
    cwd,
    env: { LOG_LEVEL: 'error', ...env },
  })
  children.add(child)
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const ended = once(child, 'close').then(([code]: unknown[]) => code)
  await vi.waitFor(() => expect(stdout).toContain('Ctrl-C to stop'), { timeout: 15_000 })
  const url = /http:\/\/127\.0\.0\.1:\d+\/graphql/.exec(stdout)?.[0] ?? ''
  return { child, url, ended, stdout: () => stdout, stderr: () => stderr }
}

/** Asks for a picture that never comes, and waits until it has been sent. */
async function askForNothing(url: string): Promise<void> {
  const ask = async (query: string) => {
    const body = JSON.stringify({ query })
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })
    return response.text()
  }
  await ask('mutation { generateImage(input: { prompt: "fox [sandbox:stall]" }) { id } }')
  await vi.waitFor(async () => expect(await ask('{ tasks { nodes { status } } }')).toContain('RUNNING'), {
    timeout: 10_000,
  })
}

test('says where it listens, on what, and for whom; and stops when told to', async () => {
  const server = await serve()
  expect(server.stdout()).toContain(`Database   SQLite in ${join(cwd, 'data')}\n`)
  expect(server.stdout()).toMatch(/Providers {2}sandbox: .*gpt-image-2/)
  expect(server.stdout()).toContain('no API key needed')
  server.child.kill('SIGTERM')
  expect(await server.ended).toBe(0)
  expect(server.stdout()).toMatch(/Stopped\.\n$/)
  expect(server.stderr()).toBe('')
})

test('warns of settings that do nothing, and serves all the same', async () => {
  const server = await serve({ DARKROOM_PORT: '1' })
  expect(server.stderr()).toBe(
    'Warning: DARKROOM_PORT is not a setting, so it does nothing. Did you mean `PORT`?\n',
  )
})

test('waits for what is under way, and cuts it when told again', async () => {
  const server = await serve()
  await askForNothing(server.url)
  server.child.kill('SIGINT')
  await vi.waitFor(() => expect(server.stdout()).toContain('Again to stop at once.'))
  // npm forwards the terminal's Ctrl-C, so a signal that follows closely is the same press.
  server.child.kill('SIGINT')
  expect((await fetch(server.url, { method: 'OPTIONS' })).status).toBeLessThan(600)
  const ended = once(server.child, 'exit')
  await pause(400)
  server.child.kill('SIGINT')
  expect(await ended).toEqual([75, null])
  expect(server.stdout()).toContain('Stopped. One call was cut: whether it was charged is unknown.')
})

test('names the port that is taken', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const address = other.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const { exitCode, stderr } = await darkroom(['serve', '--port', String(port)], { cwd })
  other.close()
  expect(exitCode).toBe(1)
  expect(stderr).toContain(`Port ${port} on 127.0.0.1 is taken already.`)
})

test('brings the database up to date without serving', async () => {
  const { exitCode, stdout, stderr } = await darkroom(['migrate'], { cwd })
  expect([exitCode, stderr]).toEqual([0, ''])
  expect(stdout).toMatch(/darkroom\.db is up to date\.\n$/)
})

test('keeps schema.graphql current, to the byte', async () => {
  const check = () => darkroom(['schema', '--check'], { cwd })
  expect(await check()).toMatchObject({
    exitCode: 1,
    stderr: 'schema.graphql is missing. Run `npm run schema` to update it.\n',
  })
  expect(await darkroom(['schema', '--write'], { cwd })).toMatchObject({ exitCode: 0 })
  expect(await check()).toMatchObject({ exitCode: 0, stdout: 'schema.graphql is current.\n' })
})
