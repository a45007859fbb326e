import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { buffer, text } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import { parse, validate } from 'graphql'
import { describe, expect, it } from 'vitest'
import { exampleTabs } from '../../src/http/graphql/graphiql-examples.ts'
import { createLog } from '../../src/log.ts'
import { schema } from '../../src/schema/index.ts'
import { newPlace } from '../support/database.ts'
import { openGateway, type TestGateway } from '../support/gateway.ts'

const page = { headers: { accept: 'text/html' } }

describe('the routes', () => {
  it('report liveness and readiness', async () => {
    await using server = await openGateway()
    for (const path of ['/livez', '/readyz']) {
      const response = await fetch(server.url + path)
      expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }])
    }
  })

  it('report a draining process as live and not ready', async () => {
    const place = await newPlace('sqlite')
    const server = await openGateway({ place })
    const taskId = await server.generate({ prompt: 'a fox [sandbox:stall]' })
    await expect.poll(() => statusOf(server, taskId)).toBe('RUNNING')
    const stopped = server.gateway.stop({ deadlineMs: 500 })
    const ready = await fetch(`${server.url}/readyz`)
    expect([ready.status, await ready.json()]).toEqual([
      503,
      { status: 'unavailable', problem: 'shutting down' },
    ])
    expect(ready.headers.get('retry-after')).toBe('5')
    expect((await fetch(`${server.url}/livez`)).status).toBe(200)
    const { errors } = await server.execute(
      'mutation { generateImage(input: { prompt: "x" }) { task { id } } }',
    )
    expect(errors?.[0]?.extensions?.['code']).toBe('SHUTTING_DOWN')
    await stopped
    await place.remove()
  })

  it('respond to an unknown path with 404 and the path of GraphQL', async () => {
    await using server = await openGateway()
    for (const path of ['/nothing/here', '/graphql/', '/livez/x', '//', '/%2e%2e/etc/passwd']) {
      const response = await fetch(server.url + path)
      expect({ path, status: response.status }).toEqual({ path, status: 404 })
      expect(await response.json()).toMatchObject({
        error: { code: 'NOT_FOUND', message: expect.stringContaining('GraphQL is at /graphql') },
      })
    }
  })

  it('redirect / to GraphiQL', async () => {
    await using server = await openGateway()
    const response = await fetch(server.url, { redirect: 'manual' })
    expect([response.status, response.headers.get('location')]).toEqual([302, '/graphql'])
  })

  it('refuse an invalid Host header with 400', async () => {
    await using server = await openGateway()
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
    await once(socket, 'connect')
    socket.write('GET /livez HTTP/1.1\r\nhost: a[b\r\nconnection: close\r\n\r\n')
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 400 /)
  })
})

describe('GraphiQL', () => {
  it('loads nothing from other servers', async () => {
    await using server = await openGateway()
    const response = await fetch(`${server.url}/graphql`, page)
    expect(response.headers.get('content-type')).toMatch(/^text\/html/)
    const html = await response.text()
    const [tags] = [html.match(/<(?:script|link|img|iframe|style)\b[^>]*>/g) ?? []]
    expect(tags.length).toBeGreaterThan(0)
    expect(tags.filter((tag) => /(?:src|href)\s*=\s*["']?(?:https?:)?\/\//i.test(tag))).toEqual([])
    expect(html).not.toMatch(/@import\s|unpkg\.com\/[^"']*\.(?:js|css)["']\s*(?:crossorigin|\/?>)/)
  })

  it('opens with valid example operations', async () => {
    await using server = await openGateway()
    const html = await (await fetch(`${server.url}/graphql`, page)).text()
    const tabs = exampleTabs(2026)
    expect(tabs).toHaveLength(5)
    for (const { query } of tabs) {
      // The editor cuts longer lines.
      expect(query.split('\n').filter((line) => line.startsWith('#') && line.length > 48)).toEqual([])
      expect(validate(schema, parse(query))).toEqual([])
      // As JSON in a script of the page.
      const [firstLine] = JSON.stringify(query.split('\n')[0]).slice(1, -1).split("'")
      expect(html).toContain(firstLine)
    }
  })

  it('has examples that work in order', async () => {
    await using server = await openGateway()
    const tabs = exampleTabs(new Date().getUTCFullYear())
    const [first, watch, resume, look, usage] = tabs.map(({ query }) => query)
    const { generateImage } = await server.get<{ generateImage: { task: { id: string } } }>(first!)
    const results: string[] = []
    for await (const { data } of server.watch('WebSocket', watch!, {
      task: generateImage.task.id,
    })) {
      results.push(JSON.stringify(data))
    }
    expect(results.filter((data) => data.includes('PartialImageReceived'))).toHaveLength(3)
    const cursors = results.map((data) => /"cursor":"([\w-]+)"/.exec(data)![1]!)
    const from = { task: generateImage.task.id, after: cursors[2]! }
    const { task } = await server.get<{ task: { events: { nodes: { cursor: string }[] } } }>(resume!, from)
    expect(task.events.nodes.map(({ cursor }) => cursor)).toEqual(cursors.slice(3))
    const { tasks } = await server.get<{ tasks: { nodes: object[] } }>(look!)
    expect(tasks.nodes).toMatchObject([{ id: generateImage.task.id, status: 'SUCCEEDED', charged: 'YES' }])
    const period = JSON.parse(tabs[4]?.variables ?? '') as Record<string, unknown>
    const report = await server.get<{ usage: { rows: object[] } }>(usage!, period)
    expect(report.usage.rows).toMatchObject([{ model: 'gpt-image-2', tasks: 1, images: 1 }])
  })

  it('is compressed, and sent again only after a change', async () => {
    await using server = await openGateway()
    const response = await get(server, { accept: 'text/html', 'accept-encoding': 'gzip, br' })
    expect(response.headers['content-encoding']).toBe('gzip')
    expect(response.body.byteLength).toBeLessThan(3_000_000)
    const { etag = '', 'content-security-policy': policy } = response.headers
    const plain = await get(server, { accept: 'text/html', 'accept-encoding': 'gzip;q=0' })
    expect(plain.headers).toMatchObject({ etag, 'content-length': String(plain.body.byteLength) })
    expect(gunzipSync(response.body).equals(plain.body)).toBe(true)
    const again = await get(server, { accept: 'text/html', 'if-none-match': etag })
    expect([again.status, again.body.byteLength]).toEqual([304, 0])
    expect(again.headers['content-security-policy']).toBe(policy)
  })
})

describe('CORS', () => {
  it('allows no origin by default', async () => {
    await using server = await openGateway()
    for (const response of [
      await preflight(server, 'https://app.example'),
      await requestTypename(server, 'https://app.example'),
    ]) {
      expect([...response.headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([])
    }
  })

  it('allows only the configured origins', async () => {
    await using server = await openGateway({ corsOrigins: ['https://app.example', 'https://admin.example'] })
    for (const send of [preflight, requestTypename]) {
      const allowed = await send(server, 'https://admin.example')
      expect(allowed.headers.get('access-control-allow-origin')).toBe('https://admin.example')
      expect(allowed.headers.get('vary')).toMatch(/origin/i)
      const refused = await send(server, 'https://evil.example')
      expect(refused.headers.get('access-control-allow-origin')).not.toBe('https://evil.example')
      expect(refused.headers.get('access-control-allow-origin')).not.toBe('*')
    }
  })

  it('says how to allow an origin, in the response and once in the log', async () => {
    const lines: string[] = []
    const log = createLog('warn', { write: (line: string) => void lines.push(line) })
    await using server = await openGateway({ log })
    for (const origin of ['http://localhost:3000', 'http://localhost:3000', 'https://app.example']) {
      const response = await preflight(server, origin)
      expect(response.status).toBe(403)
      expect(await response.json()).toEqual({
        errors: [
          {
            message: `Pages of ${origin} may not call this server. Add the origin to CORS_ORIGINS or corsOrigins, and restart.`,
            extensions: { code: 'ORIGIN_NOT_ALLOWED' },
          },
        ],
      })
    }
    // Readable for a page of any origin, unlike results.
    const probe = await fetch(`${server.url}/graphql`, { headers: { origin: 'https://other.example' } })
    expect([probe.status, probe.headers.get('access-control-allow-origin')]).toEqual([403, '*'])
    expect(await probe.json()).toMatchObject({ errors: [{ extensions: { code: 'ORIGIN_NOT_ALLOWED' } }] })
    const query = await fetch(`${server.url}/graphql?query={__typename}`, {
      headers: { origin: 'https://other.example' },
    })
    expect([query.status, query.headers.get('access-control-allow-origin')]).toEqual([200, null])
    const origins = lines.map((line) => (JSON.parse(line) as { origin: string }).origin)
    expect(origins).toEqual(['http://localhost:3000', 'https://app.example'])
  })
})

/** Without the decoding of fetch. */
async function get({ url }: TestGateway, headers: Record<string, string>) {
  const sent = request(`${url}/graphql`, { headers }).end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  return { status: response.statusCode, headers: response.headers, body: await buffer(response) }
}

async function statusOf(server: TestGateway, id: string): Promise<string> {
  const { task } = await server.get<{ task: { status: string } }>(
    'query ($id: ID!) { task(id: $id) { status } }',
    { id },
  )
  return task.status
}

function preflight(server: TestGateway, origin: string): Promise<Response> {
  return fetch(`${server.url}/graphql`, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type',
    },
  })
}

function requestTypename(server: TestGateway, origin: string): Promise<Response> {
  return fetch(`${server.url}/graphql?query={__typename}`, {
    headers: { origin, accept: 'application/json' },
  })
}
