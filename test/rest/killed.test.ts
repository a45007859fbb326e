// A gateway that is killed before it has committed anything of a request.
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { startOpenaiUpstream } from '../providers/upstreams/openai.ts'
import { newPlace } from '../support/database.ts'
import { startGateway } from '../support/gateway-process.ts'
import { startProgram } from './client-program.ts'
import { readRecords, type ImagesReply } from './rest-server.ts'

it('the retry of openai for Node makes the only task after a kill before the commit', async () => {
  const [place, upstream, openai] = await Promise.all([
    newPlace('sqlite'),
    startOpenaiUpstream(),
    startProgram('rest-openai'),
  ])
  const provider = { name: 'paid', dialect: 'openai', baseUrl: upstream.url, apiKey: 'sk-test-key' }
  const options = { providers: [provider] }
  onTestFinished(async () => {
    await openai[Symbol.asyncDispose]()
    await upstream.close()
    await place.remove()
  })
  await using gateway = await startGateway(place, options)
  // A frozen process accepts connections, and reads nothing.
  gateway.signal('SIGSTOP')
  const client = { maxRetries: 8 }
  const asked = openai.call<ImagesReply>('generate', { url: gateway.url, params: { prompt: 'once' }, client })
  await sleep(500)
  await gateway.kill()
  expect(readRecords(place.dataDir).tasks).toBe(0)
  await using next = await startGateway(place, { ...options, port: Number(new URL(gateway.url).port) })
  const { value, requests } = await asked
  expect(next.url).toBe(gateway.url)
  expect(value?.data).toHaveLength(1)
  expect(requests.at(0)?.status).toBeNull()
  expect(requests.at(-1)?.status).toBe(200)
  expect(Number(requests.at(-1)?.headers['x-stainless-retry-count'])).toBeGreaterThan(0)
  expect(upstream.ledger).toHaveLength(1)
  expect(readRecords(place.dataDir)).toMatchObject({ tasks: 1, unknown: 0 })
})
