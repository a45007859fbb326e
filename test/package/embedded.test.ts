// The public API, as used by a program that mounts the gateway in its own server.
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { WebSocket } from 'ws'
import {
  ConfigError,
  createGateway,
  loadConfig,
  type EmbeddedGatewayConfig,
  type Gateway,
} from '../../src/index.ts'
import { createClient } from '../support/client.ts'
import { openGateway } from '../support/gateway.ts'
import { eventsOf, generate, post, subscribe } from './requests.ts'

const SANDBOX = { name: 'sandbox', dialect: 'sandbox', durationMs: 0 } as const
const ADMIN_KEY = 'an-operator-key-of-forty-characters-long'
const FEED = 'subscription { taskFeed { __typename } }'

let dataDir: string
const gateways: Gateway[] = []

beforeEach(async () => {
  dataDir = join(await mkdtemp(join(tmpdir(), 'darkroom-embedded-')), 'data')
})
afterEach(async () => {
  for (const gateway of gateways.splice(0)) await gateway.stop({ deadlineMs: 0 })
  await rm(join(dataDir, '..'), { recursive: true })
})

/** A gateway that allows anonymous requests, generates without delay and logs nothing, unless `settings` differ. */
function embed(settings: EmbeddedGatewayConfig = {}): Gateway {
  const gateway = createGateway({
    dataDir,
    providers: [SANDBOX],
    allowAnonymous: true,
    logLevel: 'silent',
    ...settings,
  })
  gateways.push(gateway)
  return gateway
}

describe('createGateway', () => {
  it('reports every problem of its settings together, and reads no environment variables', () => {
    vi.stubEnv('PORT', 'not a port')
    try {
      expect(() => embed()).not.toThrow()
      const wrong = { prot: 1, publicUrl: 'ftp://x', providers: [{ name: 'a', dialect: 'openia' }] }
      const error = thrownBy(() => embed(wrong as EmbeddedGatewayConfig))
      expect(error).toBeInstanceOf(ConfigError)
      expect(error).toMatchObject({
        problems: [
          'configuration: publicUrl is "ftp://x"; it must be an http:// or https:// URL without credentials, query or fragment.',
          'configuration: prot is not a setting. Did you mean `port`?',
          expect.stringContaining(
            'configuration: providers[0].dialect is "openia"; it must be openai, basic,',
          ),
        ],
      })
    } finally {
      vi.unstubAllEnvs()
    }
  })

  it('does not replace environment variables in its settings', () => {
    const key = '${NOT_A_VARIABLE}'
    expect(() => embed({ providers: [{ name: 'a', dialect: 'openai', apiKey: key }] })).not.toThrow()
  })

  it('reports no API keys', () => {
    const providers = [{ name: 'a', dialect: 'openai', apiKey: 'sk-secret with a space', mode: 'never' }]
    const error = thrownBy(() => embed({ providers } as EmbeddedGatewayConfig))
    expect(String((error as ConfigError).problems)).not.toContain('sk-secret')
  })

  it('opens nothing before the first request', async () => {
    const gateway = embed()
    expect(existsSync(dataDir)).toBe(false)
    expect((await gateway.fetch(new Request('http://localhost/livez'))).status).toBe(200)
    expect(existsSync(dataDir)).toBe(true)
  })

  it('refuses to start without a key unless anonymous requests are allowed', async () => {
    const lines: { fields: object; message: string }[] = []
    const record = (fields: object, message: string) => void lines.push({ fields, message })
    const gateway = embed({
      allowAnonymous: false,
      logLevel: 'info',
      log: { debug: record, info: record, warn: record, error: record },
    })
    await expect(gateway.start()).rejects.toThrow(ConfigError)
    const response = await gateway.fetch(post('{ __typename }'))
    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toBe('5')
    expect(lines).toMatchObject([
      {
        message: 'gateway failed to start',
        fields: { problems: [expect.stringContaining('Set adminKey')] },
      },
    ])
  })

  it('accepts afterRestore only before the first request', async () => {
    const gateway = embed()
    await gateway.start({ afterRestore: true })
    await gateway.start()
    await expect(gateway.start({ afterRestore: true })).rejects.toThrow('before the first request')
  })

  it('starts after the cause of a failed start is removed', async () => {
    await writeFile(join(dataDir), 'a file where the folder belongs')
    const gateway = embed()
    expect((await gateway.fetch(post('{ __typename }'))).status).toBe(503)
    await rm(dataDir)
    expect((await gateway.fetch(post('{ __typename }'))).status).toBe(200)
  })
})

describe('fetch', () => {
  it('returns the global Response for JSON, events and images', async () => {
    const gateway = embed()
    const { id } = await generate(gateway.fetch, { prompt: 'a fox', partialImages: 1 })
    const events = await gateway.fetch(subscribe(id))
    expect(events).toBeInstanceOf(Response)
    const types = (await eventsOf(events)).map(({ taskEvents }) => taskEvents?.type)
    expect([types[0], types.at(-1)]).toEqual(['TaskSnapshot', 'TaskFinished'])
    const query = '{ tasks { nodes { images { url width } } } }'
    const { data } = (await (await gateway.fetch(post(query))).json()) as {
      data: { tasks: { nodes: { images: { url: string; width: number }[] }[] } }
    }
    const [image] = data.tasks.nodes[0]!.images
    const file = await gateway.fetch(new Request(image!.url))
    expect(file).toBeInstanceOf(Response)
    expect((await sharp(await file.arrayBuffer()).metadata()).width).toBe(image!.width)
    const page = await gateway.fetch(
      new Request('http://localhost/graphql', { headers: { accept: 'text/html' } }),
    )
    expect(page).toBeInstanceOf(Response)
    expect(await page.text()).toContain('</html>')
  })

  it('accepts uploads', async () => {
    const gateway = embed()
    const form = new FormData()
    const query =
      'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { task { operation } } }'
    const variables = { input: { prompt: 'more teal', images: [{ upload: null }] } }
    form.set('operations', JSON.stringify({ query, variables }))
    form.set('map', JSON.stringify({ 0: ['variables.input.images.0.upload'] }))
    const png = await sharp({ create: { width: 64, height: 64, channels: 3, background: 'teal' } })
      .png()
      .toBuffer()
    form.set('0', new File([new Uint8Array(png)], 'teal.png', { type: 'image/png' }))
    const headers = { 'graphql-require-preflight': '1' }
    const response = await gateway.fetch(
      new Request('http://localhost/graphql', { method: 'POST', headers, body: form }),
    )
    expect(await response.json()).toEqual({ data: { generateImage: { task: { operation: 'EDIT' } } } })
  })

  it('authenticates by key, and accepts the address of the client', async () => {
    const gateway = embed({ allowAnonymous: false, adminKey: ADMIN_KEY })
    expect((await gateway.fetch(post('{ __typename }'))).status).toBe(401)
    const authorization = `Bearer ${ADMIN_KEY}`
    const keyed = post('{ __typename }', {}, { authorization })
    expect((await gateway.fetch(keyed, { remoteAddress: '203.0.113.7' })).status).toBe(200)
    // What Next.js and Hono pass as second argument.
    for (const from of [{ params: Promise.resolve({}) }, { incoming: {} }])
      expect((await gateway.fetch(post('{ __typename }', {}, { authorization }), from)).status).toBe(200)
  })

  it('releases an event stream that was never read', async () => {
    await using server = await openGateway()
    const response = await server.gateway.fetch(post(FEED, {}, { accept: 'text/event-stream' }))
    await response.body!.cancel()
    await server.gateway.fetch(post(FEED, {}, { accept: 'text/event-stream' }))
    await server.gateway.stop()
    expect(server.gateway.subscriberCount()).toBe(0)
  })

  it('ends a subscription whose body is canceled or whose request is aborted', async () => {
    await using server = await openGateway()
    const canceled = await server.gateway.fetch(post(FEED, {}, { accept: 'text/event-stream' }))
    const reader = canceled.body!.getReader()
    await reader.read()
    await expect.poll(() => server.gateway.subscriberCount()).toBe(1)
    await reader.cancel()
    await expect.poll(() => server.gateway.subscriberCount()).toBe(0)

    const clientAbort = new AbortController()
    const request = new Request(post(FEED, {}, { accept: 'text/event-stream' }), {
      signal: clientAbort.signal,
    })
    const aborted = await server.gateway.fetch(request)
    const reading = aborted.text().catch(() => {})
    await expect.poll(() => server.gateway.subscriberCount()).toBe(1)
    clientAbort.abort()
    await reading
    await expect.poll(() => server.gateway.subscriberCount()).toBe(0)
  })
})

describe('a gateway with a path in its public URL', () => {
  it('is served with the path and without it', async () => {
    const gateway = embed({ publicUrl: 'https://app.example.com/images' })
    for (const address of ['https://app.example.com/images/graphql', 'https://app.example.com/graphql']) {
      const request = post('mutation { generateImage(input: { prompt: "fox" }) { task { id } } }')
      const response = await gateway.fetch(new Request(address, request))
      expect(await response.json()).toMatchObject({
        data: { generateImage: { task: { id: expect.any(String) } } },
      })
    }
    const home = await gateway.fetch(new Request('https://app.example.com/images'))
    expect(home.headers.get('location')).toBe('/images/graphql')
    expect((await gateway.fetch(new Request('https://app.example.com/imagesgraphql'))).status).toBe(404)
  })
})

describe('a gateway in a server of node:http', () => {
  it.each(['', '/images'])('serves requests, event streams and WebSockets at %j', async (base) => {
    const server = createServer()
    const url = await listening(server)
    const gateway = embed({ publicUrl: `${url}${base}` })
    server.on('request', gateway.handle).on('upgrade', gateway.upgrade)
    const client = createClient(`${url}${base}`)
    const id = await client.generate({ prompt: 'a fox' })
    expect(await client.ended(id)).toEqual({ status: 'SUCCEEDED' })
    const types: string[] = []
    const query = 'subscription ($id: ID!) { taskEvents(taskId: $id) { type: __typename } }'
    for await (const { data } of client.watch<{ taskEvents: { type: string } }>('WebSocket', query, {
      id,
    }))
      types.push(data!.taskEvents.type)
    expect(types.at(-1)).toBe('TaskFinished')
    const { tasks } = await client.get<{ tasks: { nodes: { images: { url: string }[] }[] } }>(
      '{ tasks { nodes { images { url } } } }',
    )
    const image = await fetch(tasks.nodes[0]!.images[0]!.url)
    expect((await sharp(await image.arrayBuffer()).metadata()).format).toBe('png')
    server.close()
    server.closeAllConnections()
  })

  it('serves a router that strips the path, without changing the request', async () => {
    const paths: (string | undefined)[] = []
    const server = createServer((request, response) => {
      // As Express does below `app.use('/images', …)`.
      const mounted = Object.assign(request, {
        originalUrl: request.url,
        url: request.url?.slice('/images'.length),
      })
      gateway.handle(mounted, response)
      response.once('finish', () => paths.push(mounted.originalUrl, mounted.url))
    })
    const url = await listening(server)
    const gateway = embed({ publicUrl: `${url}/images` })
    expect((await fetch(`${url}/images/livez`)).status).toBe(200)
    await expect.poll(() => paths).toEqual(['/images/livez', '/livez'])
    server.close()
  })

  it('refuses other WebSockets with 404, and all WebSockets with 503 if it cannot start', async () => {
    const gateway = embed()
    const closed = embed({ allowAnonymous: false, dataDir: `${dataDir}-2` })
    expect(await refusalOf(gateway.upgrade, '/other')).toBe('Unexpected server response: 404')
    expect(await refusalOf(closed.upgrade, '/graphql')).toBe('Unexpected server response: 503')
  })
})

describe('listen', () => {
  it('opens a port, while fetch continues to work', async () => {
    const gateway = embed({ port: 0 })
    const { url } = await gateway.listen()
    expect((await fetch(`${url}/livez`)).status).toBe(200)
    expect((await gateway.fetch(new Request('http://localhost/livez'))).status).toBe(200)
    await gateway.stop()
    await expect(fetch(`${url}/livez`)).rejects.toThrow('fetch failed')
  })
})

describe('stop', () => {
  it('aborts event streams with an error, so that clients resume, then responds with 503', async () => {
    const gateway = embed()
    const response = await gateway.fetch(post(FEED, {}, { accept: 'text/event-stream' }))
    const reading = response.text()
    expect(await gateway.stop()).toEqual({ abortedCalls: 0 })
    await expect(reading).rejects.toThrow('The gateway is stopping.')
    expect((await gateway.fetch(post('{ __typename }'))).status).toBe(503)
    await expect(gateway.start()).rejects.toThrow('was stopped')
  })

  it('reports the calls that it aborted', async () => {
    const gateway = embed()
    const { id } = await generate(gateway.fetch, { prompt: 'a fox [sandbox:stall]' })
    const query = 'query ($id: ID!) { task(id: $id) { status } }'
    await expect.poll(async () => (await gateway.fetch(post(query, { id }))).text()).toContain('RUNNING')
    expect(await gateway.stop({ deadlineMs: 0 })).toEqual({ abortedCalls: 1 })
  })

  it('closes a gateway that was never used', async () => {
    expect(await embed().stop()).toEqual({ abortedCalls: 0 })
    expect(existsSync(dataDir)).toBe(false)
  })
})

describe('log', () => {
  it('receives lines without secrets', async () => {
    const lines: unknown[] = []
    const record = (fields: object, message: string) => void lines.push({ ...fields, message })
    const gateway = embed({
      allowAnonymous: false,
      adminKey: ADMIN_KEY,
      logLevel: 'debug',
      log: { debug: record, info: record, warn: record, error: record },
    })
    await gateway.fetch(
      post('{ __typename }', {}, { 'x-request-id': ADMIN_KEY, authorization: `Bearer ${ADMIN_KEY}` }),
    )
    expect(lines).toContainEqual(
      expect.objectContaining({ message: 'request handled', status: 200, requestId: '[redacted]' }),
    )
  })
})

describe('loadConfig', () => {
  it('reads environment and file into settings for createGateway', async () => {
    const cwd = join(dataDir, '..')
    const file = {
      providers: [{ name: 'mine', dialect: 'sandbox', durationMs: 0 }],
      engine: { maxAttempts: 2 },
    }
    await writeFile(join(cwd, 'darkroom.config.json'), JSON.stringify(file))
    const warnings: string[] = []
    const env = { PORT: '0', OPENAI_API_KEY: 'sk-abcdefgh1234', DARKROOM_PORT: '1' }
    const settings = await loadConfig({ cwd, env, onWarning: (sentence) => warnings.push(sentence) })
    expect(settings).toMatchObject({
      port: 0,
      dataDir,
      engine: { maxAttempts: 2, leaseMs: 30_000 },
      providers: [
        { name: 'mine', dialect: 'sandbox', durationMs: 0 },
        { name: 'openai', dialect: 'openai', apiKey: 'sk-abcdefgh1234' },
      ],
    })
    expect(warnings).toEqual(['DARKROOM_PORT is not a setting and has no effect. Did you mean `PORT`?'])
    const gateway = embed({ ...settings, logLevel: 'silent' })
    const response = await gateway.fetch(post('{ providers { name } }'))
    expect(await response.json()).toEqual({ data: { providers: [{ name: 'mine' }, { name: 'openai' }] } })
  })

  it('rejects with every problem, each by the name of its source', async () => {
    const error = await loadConfig({ cwd: tmpdir(), env: { PORT: 'x', HOST: ' ' } }).catch(
      (reason: unknown) => reason,
    )
    expect((error as ConfigError).problems).toEqual([
      expect.stringMatching(/^PORT is "x"/),
      expect.stringMatching(/^HOST is " "/),
    ])
  })
})

function thrownBy(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  return undefined
}

/** The error message of a refused WebSocket. */
async function refusalOf(upgrade: Gateway['upgrade'], path: string): Promise<string> {
  const server = createServer().on('upgrade', upgrade)
  const url = await listening(server)
  const socket = new WebSocket(`${url.replace('http', 'ws')}${path}`, 'graphql-transport-ws')
  const [error] = (await once(socket, 'error')) as [Error]
  server.close()
  return error.message
}

async function listening(server: ReturnType<typeof createServer>): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
