import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { parse, validate } from 'graphql'
import { describe, expect, it } from 'vitest'
import { graphiql } from '../../src/http/graphql/graphiql.ts'
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
    expect(graphiql.defaultTabs).toHaveLength(4)
    for (const { query } of graphiql.defaultTabs) {
      expect(validate(schema, parse(query))).toEqual([])
      // As JSON in a script of the page.
      const [firstLine] = JSON.stringify(query.split('\n')[0]).slice(1, -1).split("'")
      expect(html).toContain(firstLine)
    }
  })

  it('has examples that work in order', async () => {
    await using server = await openGateway()
    const [first, watch, resume, look] = graphiql.defaultTabs.map(({ query }) => query)
    const { generateImage } = await server.get<{ generateImage: { task: { id: string } } }>(first!)
    const results: string[] = []
    for await (const { data } of server.watch('WebSocket', watch!, {
      task: generateImage.task.id,
    })) {
      results.push(JSON.stringify(data))
    }
    expect(results.filter((data) => data.includes('PartialImageReceived'))).toHaveLength(3)
    const cursors = results.map((data) => /"cursor":"([\w-]+)"/.exec(data)![1]!)
    const rest: string[] = []
    const from = { task: generateImage.task.id, after: cursors[2]! }
    for await (const { data } of server.watch('SSE', resume!, from)) rest.push(JSON.stringify(data))
    const resumed = rest.map((data) => /"cursor":"([\w-]+)"/.exec(data)![1]!)
    expect(resumed.slice(1)).toEqual(cursors.slice(3))
    const { tasks } = await server.get<{ tasks: { nodes: object[] } }>(look!)
    expect(tasks.nodes).toMatchObject([{ id: generateImage.task.id, status: 'SUCCEEDED', charged: 'YES' }])
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
})

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
