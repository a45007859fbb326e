import { createServer } from 'node:http'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { compareModels } from '../../src/cli/models/compare.ts'
import { offersFrom } from '../../src/providers/models/offers.ts'
import { listen } from '../providers/upstreams/listen.ts'
import { darkroom } from './darkroom.ts'
import { darkroomHere } from './in-process.ts'

it('models are compared with the list of their provider', () => {
  const offers = offersFrom([
    'gpt-image-2',
    'gpt-image-2.5-flare',
    { name: 'gpt-image-1.5', upstreamModel: 'mine' },
  ])
  const listed = [
    { upstreamModel: 'gpt-image-2', retiresOn: null },
    { upstreamModel: 'mine', retiresOn: '2027-01-01' },
    { upstreamModel: 'gpt-image-2.6-flare', retiresOn: null },
    { upstreamModel: 'new-image', retiresOn: null },
    { upstreamModel: 'text-model', retiresOn: null },
  ]
  expect(compareModels(offers, listed)).toEqual([
    { kind: 'RIGHT', text: 'gpt-image-2' },
    { kind: 'WRONG', text: 'gpt-image-2.5-flare is configured, but not listed' },
    { kind: 'WRONG', text: 'mine ends on 2027-01-01 by the list, and 2026-12-01 by the configuration' },
    { kind: 'NEWS', text: 'gpt-image-2.6-flare is listed, but not configured' },
    { kind: 'NEWS', text: 'new-image is listed, but not configured and not in the catalogue' },
  ])
})

it('models lists what is configured, and check asks the providers', async () => {
  const server = createServer((incoming, response) => {
    const isAuthorized =
      incoming.headers.authorization === 'Bearer sk-canary' && incoming.url === '/v1/models'
    const data = [{ id: 'gpt-image-1.5', shutdown_date: 1_796_083_200 }]
    response.writeHead(isAuthorized ? 200 : 401).end(JSON.stringify({ object: 'list', data }))
  })
  const url = await listen(server)
  const cwd = await mkdtemp(join(tmpdir(), 'darkroom-models-test-'))
  onTestFinished(async () => {
    server.close()
    await rm(cwd, { recursive: true })
  })
  const models = [
    'gpt-image-1.5',
    { name: 'own', price: { imageMicros: 40_000 }, capabilities: { extra: ['seed'] } },
  ]
  const account = { name: 'main', dialect: 'openai', baseUrl: `${url}/v1`, apiKey: 'sk-canary', models }
  const svgPrices = { 'author-1': { inputMicros: 1_000_000, outputMicros: 8_000_000 } }
  const azure = { name: 'company', dialect: 'openai', preset: 'azure', baseUrl: url, apiKey: 'sk-azure' }
  await writeFile(
    join(cwd, 'darkroom.config.json'),
    JSON.stringify({ providers: [account, azure, { name: 'toy', dialect: 'sandbox', svgPrices }] }),
  )

  const list = await darkroom(['models'], { cwd, env: {} })
  expect([list.exitCode, list.stderr]).toEqual([0, ''])
  expect(list.stdout).toMatch(
    /main +gpt-image-1\.5 .*\$32\.00 a million +2026-12-01, then gpt-image-2\.5-sunburst\n/,
  )
  expect(list.stdout).toMatch(/main +own +png +extra seed +\$0\.04 an image +–\n/)
  expect(list.stdout).toMatch(
    /toy +gpt-image-2\.6-flare +png jpeg webp gif svg .* \?, SVG by author-1 \$8\.00 +–\n/,
  )
  expect(list.stdout).toMatch(/toy +gpt-image-2 .*\$30\.00 a million +–\n/)

  const check = await darkroom(['models', 'check'], { cwd, env: {} })
  expect(check.exitCode).toBe(1)
  expect(check.stdout).toContain('✓ gpt-image-1.5 ends on 2026-12-01')
  expect(check.stdout).toContain('✗ own is configured, but not listed')
  expect(check.stdout).toContain('company\n  · azure has no list of models')
  expect(check.stdout).toContain('· sandbox has no list of models')
  expect((await darkroom(['models', 'check', 'toy'], { cwd, env: {} })).exitCode).toBe(0)
})

it('models check waits for each provider for its time limit only', async () => {
  const server = createServer((incoming, response) => {
    // One never responds, the other never ends.
    if (incoming.url !== '/silent/models') response.writeHead(200).write('{"data":[')
  })
  const url = await listen(server)
  const cwd = await mkdtemp(join(tmpdir(), 'darkroom-models-test-'))
  onTestFinished(async () => {
    server.closeAllConnections()
    server.close()
    await rm(cwd, { recursive: true })
  })
  const account = (name: string) => ({ name, dialect: 'openai', baseUrl: `${url}/${name}`, apiKey: 'key' })
  await writeFile(
    join(cwd, 'darkroom.config.json'),
    JSON.stringify({ providers: [account('silent'), account('endless')] }),
  )

  const check = await darkroomHere(['models', 'check', '--timeout', '0.2'], { cwd })
  expect(check.stdout.match(/✗ The list did not arrive within 0\.2 s\./g)).toHaveLength(2)
  expect(check.exitCode).toBe(1)
  const wrong = await darkroomHere(['models', 'check', '--timeout', '0'], { cwd })
  expect(wrong).toMatchObject({ exitCode: 64, stderr: expect.stringContaining('--timeout is 0; it must be') })
})
