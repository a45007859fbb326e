// The demo with a provider that calls back: a fake on this machine reaches the server of the demo.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { startAcedataUpstream } from '../providers/upstreams/acedata.ts'
import { darkroom } from './darkroom.ts'

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'darkroom-demo-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return folder
}

it('demo receives callbacks of a provider on this machine', async () => {
  const upstream = await startAcedataUpstream({ apiKey: 'ace-key' })
  onTestFinished(() => upstream.close())
  const env = { ACEDATA_BASE_URL: upstream.url, ACEDATA_API_KEY: 'ace-key' }
  const cwd = await newFolder()
  const { exitCode, stdout } = await darkroom(['demo', '--provider', 'acedata', 'a fox'], { cwd, env })
  expect(exitCode).toBe(0)
  expect(stdout).toContain('out/a-fox.png')
  const [submit, ...checks] = upstream.requests
  const address = submit?.parameters.callback_url
  expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/callbacks\/[\w-]{43}$/)
  expect(upstream.deliveries.map(({ url, status }) => [url, status])).toEqual([[address, 200]])
  // One check confirms the callback. Without it, the first check would be half a minute later.
  expect(checks.map(({ path }) => path)).toEqual(['/openai/tasks'])
})

it('the fake provider starts as a script, and prints how to use it', async () => {
  const child = spawn(process.execPath, ['test/providers/upstreams/run.ts', 'acedata'])
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  await expect.poll(() => output).toContain('npm run demo')
  const env = Object.fromEntries(
    [...output.matchAll(/(ACEDATA_\w+)=(\S+)/g)].map(([, name, value]) => [name, value]),
  )
  const cwd = await newFolder()
  expect(await darkroom(['demo', '--provider', 'acedata', 'a fox'], { cwd, env })).toMatchObject({
    exitCode: 0,
  })
  await expect.poll(() => output).toMatch(/← POST \/openai\/images\/generations .*\n/)
  await expect.poll(() => output).toMatch(/→ POST http:.*\/callbacks\/.* answered 200\n/)
  child.kill()
  await once(child, 'exit')
})
