import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { loadConfig, type Config } from '../src/config/config.ts'

/** Loads a configuration file with these settings, and closes what was opened. */
async function load(file: object, env: Record<string, string> = {}): Promise<Config> {
  const cwd = await mkdtemp(join(tmpdir(), 'darkroom-doubts-'))
  onTestFinished(() => rm(cwd, { recursive: true }))
  await writeFile(join(cwd, 'darkroom.config.json'), JSON.stringify(file))
  const config = await loadConfig({ env, cwd })
  await Promise.all(config.providers.map((provider) => provider.close()))
  return config
}

const CALLER = { name: 'caller', dialect: 'acedata', apiKey: 'ace-test-key', mode: 'callback' }

test.each([
  ['http://localhost:4000', /^PUBLIC_URL is "http:\/\/localhost:4000", where `caller` cannot call back: /],
  ['http://paint.example', /^PUBLIC_URL is "http:\/\/paint.example", so `caller` calls back unencrypted: /],
])('warns of the public address %s where a provider is to call back', async (publicUrl, sentence) => {
  const { warnings } = await load({ providers: [CALLER], publicUrl })
  expect(warnings).toEqual([expect.stringMatching(sentence)])
})

test.each([
  ['a provider on this machine', { ...CALLER, baseUrl: 'http://127.0.0.1:9' }, 'http://localhost:4000'],
  ['one that is never called by', { name: 'mine', dialect: 'sandbox' }, 'http://paint.example'],
  ['an encrypted address', CALLER, 'https://paint.example'],
])('has nothing to say about %s', async (_, provider, publicUrl) => {
  expect((await load({ providers: [provider], publicUrl })).warnings).toEqual([])
})

test('warns when stopping would cut calls that are paid', async () => {
  const { warnings } = await load({ engine: { drainTimeoutMs: 999 } })
  expect(warnings).toEqual([
    expect.stringMatching(/^engine.drainTimeoutMs is 999, and a call to `sandbox` may take 240000: /),
  ])
})

test.each([
  [{}, true],
  [{ publicUrl: 'http://127.0.0.1:4000' }, true],
  [{ publicUrl: 'https://paint.example' }, false],
  [{ publicUrl: 'https://paint.example', introspection: 'on' }, true],
  [{ introspection: 'off' }, false],
])('with %j, whether the schema is told is %s', async (file, told) => {
  expect((await load(file)).introspection).toBe(told)
})
