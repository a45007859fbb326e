import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { startAcedataUpstream } from '../providers/upstreams/acedata.ts'
import { startBasicUpstream } from '../providers/upstreams/basic.ts'
import { startOpenaiUpstream } from '../providers/upstreams/openai.ts'
import { darkroom } from './darkroom.ts'

const KEY = 'canary-key-of-the-account'

let cwd: string
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'darkroom-check-test-'))
  await mkdir(join(cwd, 'tmp'))
})
afterEach(async () => {
  await rm(cwd, { recursive: true })
})

const check = (args: readonly string[], env: Record<string, string>) =>
  darkroom(['providers-check', ...args], { cwd, env: { TMPDIR: join(cwd, 'tmp'), ...env } })

async function openOpenai({ apiKey = KEY } = {}) {
  const upstream = await startOpenaiUpstream({ apiKey })
  onTestFinished(() => upstream.close())
  return { upstream, env: { OPENAI_BASE_URL: upstream.url, OPENAI_API_KEY: KEY } }
}

it('providers-check sends a cheap generation and an edit of its image, and deletes its files', async () => {
  const { upstream, env } = await openOpenai()
  const { exitCode, stdout, stderr } = await check(['--yes'], env)
  expect([exitCode, stderr]).toEqual([0, ''])
  expect(upstream.requests.map(({ path }) => path)).toEqual(['/v1/images/generations', '/v1/images/edits'])
  expect(upstream.requests[0]?.parameters).toMatchObject({ size: '1024x1024', quality: 'low', n: 1 })
  expect(upstream.requests[1]?.files.map(({ bytes }) => bytes)).toEqual([upstream.imageBytes[0]])
  expect(stdout).toContain('Costs real money. About $0.0')
  expect(stdout).toContain(`POST ${upstream.url}/images/generations → 200 application/json`)
  expect(stdout).toContain('data[].b64_json')
  expect(stdout).toContain('✓ size        1024x1024\n')
  expect(stdout).toContain('✓ usage       21 tokens in, 196 out')
  expect(stdout).toContain('· request ID  req_1')
  expect(stdout).toContain('Everything is as expected.')
  expect(await readdir(join(cwd, 'tmp'))).toEqual([])
})

it('providers-check polls a task until it is done', async () => {
  const upstream = await startAcedataUpstream({ apiKey: KEY, imageSize: 'as requested' })
  onTestFinished(() => upstream.close())
  const account = { name: 'ace', dialect: 'acedata', baseUrl: upstream.url, apiKey: '${ACE}', pollMs: 1 }
  await writeFile(join(cwd, 'darkroom.config.json'), JSON.stringify({ providers: [account] }))
  const { exitCode, stdout } = await check(['ace', '--model', 'gpt-image-1.5', '--yes'], { ACE: KEY })
  expect(exitCode).toBe(0)
  const paths = upstream.requests.map(({ path }) => path)
  expect(paths).toEqual(
    ['generations', 'edits'].flatMap((what) => [`/openai/images/${what}`, '/openai/tasks', '/openai/tasks']),
  )
  expect(upstream.requests.map(({ parameters }) => parameters.model)[0]).toBe('gpt-image-1.5')
  expect(stdout).toContain('· remote ID   task-1')
  expect(stdout).toContain('The price is unknown.')
})

it('providers-check marks unexpected values, and exits with 1', async () => {
  const upstream = await startBasicUpstream({ apiKey: KEY })
  onTestFinished(() => upstream.close())
  const env = { BASIC_BASE_URL: upstream.url, BASIC_API_KEY: KEY }
  const { exitCode, stdout } = await check(['basic', '--yes'], env)
  expect(exitCode).toBe(1)
  expect(stdout).toContain('× size        16x16  expected: 1024x1024')
  expect(stdout).toContain('· usage       not reported: costs will be unknown')
  expect(stdout).toContain('usage {}')
  // The page has no edits.
  expect(upstream.requests).toHaveLength(1)
})

it('providers-check shows why an account is refused, and skips the edit', async () => {
  const { upstream, env } = await openOpenai({ apiKey: 'another-key' })
  const { exitCode, stdout } = await check(['openai', '--yes'], env)
  expect(exitCode).toBe(1)
  expect(stdout).toContain('× status      401  expected: 2xx')
  expect(stdout).toContain('refused, PROVIDER_MISCONFIGURED, charged: NO')
  expect(stdout).toContain('Skipped: there is no image to edit.')
  expect(upstream.requests).toHaveLength(1)
})

it('providers-check shows no key, prompt or image', async () => {
  const { upstream, env } = await openOpenai()
  const query = { ...env, OPENAI_BASE_URL: `${upstream.url}?key=${KEY}` }
  const endings = [await check(['--yes'], query)]
  upstream.script({ status: 400, body: { error: { message: `bad key ${KEY}`, type: 'x', code: 'y' } } })
  endings.push(await check(['--yes'], env))
  for (const { stdout, stderr } of endings) {
    expect(stdout.length).toBeGreaterThan(300)
    expect(stdout + stderr).not.toContain(KEY)
    expect(stdout).not.toContain('red circle')
    expect(stdout).not.toContain('iVBOR')
  }
})

it('providers-check sends nothing without a confirmation', async () => {
  const { upstream, env } = await openOpenai()
  const { exitCode, stderr } = await check(['openai'], env)
  expect(exitCode).toBe(64)
  expect(stderr).toContain('Pass --yes to confirm the cost.')
  expect(upstream.requests).toEqual([])
})

it.each<[args: string[], says: string]>([
  [[], 'Pass one provider, because a check costs money: openai, basic.'],
  [['opnai'], 'There is no provider "opnai". Configured: openai, basic. Did you mean `openai`?'],
  [['basic', '--model', 'dall-e-3'], 'The provider basic has no model "dall-e-3". Its models: gpt-image-2.'],
])('providers-check refuses %j with 64', async (args, says) => {
  const accounts = { OPENAI_API_KEY: KEY, BASIC_API_KEY: KEY, BASIC_BASE_URL: 'http://127.0.0.1:9/v1' }
  const { exitCode, stderr } = await check([...args, '--yes'], accounts)
  expect(exitCode).toBe(64)
  expect(stderr).toContain(says)
})

it('providers-check is `npm run providers:check`, and is free on the sandbox', async () => {
  expect(manifest.scripts['providers:check']).toBe('node src/cli.ts providers-check')
  const { exitCode, stdout } = await check([], {})
  expect(exitCode).toBe(0)
  expect(stdout).toContain('Free of charge.')
})
