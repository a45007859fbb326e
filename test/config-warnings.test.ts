import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { loadConfig, type Config } from '../src/config/config.ts'

/** Loads a configuration file with these settings and closes its providers. */
async function load(file: object, env: Record<string, string> = {}): Promise<Config> {
  const cwd = await mkdtemp(join(tmpdir(), 'darkroom-warnings-'))
  onTestFinished(() => rm(cwd, { recursive: true }))
  await writeFile(join(cwd, 'darkroom.config.json'), JSON.stringify(file))
  const config = await loadConfig({ env, cwd })
  await Promise.all(config.providers.map((provider) => provider.close()))
  return config
}

const CALLER = { name: 'caller', dialect: 'acedata', apiKey: 'ace-test-key', mode: 'callback' }

describe('the configuration', () => {
  it.each([
    ['http://localhost:4000', /^PUBLIC_URL is "http:\/\/localhost:4000", which `caller` cannot reach: /],
    ['http://paint.example', /^PUBLIC_URL is "http:\/\/paint.example", so callbacks of `caller` are not enc/],
  ])('warns of the public URL %s if a provider calls back', async (publicUrl, sentence) => {
    const { warnings } = await load({ providers: [CALLER], publicUrl })
    expect(warnings).toEqual([expect.stringMatching(sentence)])
  })

  it.each([
    ['a provider on this machine', { ...CALLER, baseUrl: 'http://127.0.0.1:9' }, 'http://localhost:4000'],
    ['a provider without callbacks', { name: 'mine', dialect: 'sandbox' }, 'http://paint.example'],
    ['an https URL', CALLER, 'https://paint.example'],
  ])('does not warn of %s', async (_, provider, publicUrl) => {
    expect((await load({ providers: [provider], publicUrl })).warnings).toEqual([])
  })

  it('warns when a shutdown would abort paid calls', async () => {
    const { warnings } = await load({ engine: { drainTimeoutMs: 999 } })
    expect(warnings).toEqual([
      expect.stringMatching(/^engine.drainTimeoutMs is 999, but a call to `sandbox` may take 240000: /),
    ])
  })

  it.each([
    ['endpoint=http://store:9000', true],
    ['endpoint=http://10.1.2.3:9000', true],
    ['endpoint=http://store:9000&publicEndpoint=https://s3.paint.example', false],
    ['endpoint=https://s3.paint.example', false],
    ['region=eu-central-1', false],
  ])('warns of redirects to a bucket at %s: %s', async (parameters, isWarned) => {
    const { warnings } = await load({
      assetsUrl: `s3://pictures?${parameters}`,
      assetsDelivery: 'redirect',
      publicUrl: 'https://paint.example',
    })
    expect(warnings.map((one) => one.includes('publicEndpoint'))).toEqual(isWarned ? [true] : [])
  })

  it('warns of a list of operations that is not used', async () => {
    const { warnings } = await load({ persistedQueries: 'auto', persistedQueriesFile: 'operations.json' })
    expect(warnings).toEqual(['persistedQueriesFile has no effect, because persistedQueries is "auto".'])
  })

  it.each([
    [{}, true],
    [{ publicUrl: 'http://127.0.0.1:4000' }, true],
    [{ publicUrl: 'https://paint.example' }, false],
    [{ publicUrl: 'https://paint.example', introspection: 'on' }, true],
    [{ introspection: 'off' }, false],
  ])('with %j sets introspection to %s', async (file, introspection) => {
    expect((await load(file)).introspection).toBe(introspection)
  })
})
