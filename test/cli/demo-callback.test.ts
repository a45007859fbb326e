// The demo against a provider that calls back: a fake on this machine reaches the demo's own server.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { startAcedataUpstream } from '../providers/upstreams/acedata.ts'
import { darkroom } from './darkroom.ts'

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'darkroom-demo-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return folder
}

test('a provider on this machine tells the demo when it is done', { timeout: 60_000 }, async () => {
  const upstream = await startAcedataUpstream({ apiKey: 'ace-key' })
  onTestFinished(() => upstream.close())
  const env = { ACEDATA_BASE_URL: upstream.url, ACEDATA_API_KEY: 'ace-key' }
  const cwd = await newFolder()
  const { exitCode, stdout } = await darkroom(['demo', '--provider', 'acedata', 'a fox'], { cwd, env })
  expect(exitCode).toBe(0)
  expect(stdout).toContain('out/a-fox.png')
  const [order, ...questions] = upstream.requests
  const address = order?.parameters.callback_url
  expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/callbacks\/[\w-]{43}$/)
  expect(upstream.deliveries.map(({ url, status }) => [url, status])).toEqual([[address, 200]])
  // One question confirms what was told. Without the callback it would have come half a minute later.
  expect(questions.map(({ path }) => path)).toEqual(['/openai/tasks'])
})

test('the fake starts as a script, and says how to reach it', { timeout: 60_000 }, async () => {
  const child = spawn(process.execPath, ['test/providers/upstreams/run.ts', 'acedata'])
  onTestFinished(() => void child.kill('SIGKILL'))
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
  await vi.waitFor(() => expect(said).toContain('npm run demo'), { timeout: 20_000 })
  const env = Object.fromEntries(
    [...said.matchAll(/(ACEDATA_\w+)=(\S+)/g)].map(([, name, value]) => [name, value]),
  )
  const cwd = await newFolder()
  expect(await darkroom(['demo', '--provider', 'acedata', 'a fox'], { cwd, env })).toMatchObject({
    exitCode: 0,
  })
  await vi.waitFor(() => expect(said).toMatch(/← POST \/openai\/images\/generations .*\n/))
  await vi.waitFor(() => expect(said).toMatch(/→ POST http:.*\/callbacks\/.* answered 200\n/))
  child.kill()
  await once(child, 'exit')
})
