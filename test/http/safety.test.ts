// Protection from pages of other sites, DNS rebinding and untrusted proxies.
import { once } from 'node:events'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { getIntrospectionQuery } from 'graphql'
import { createClientReader } from '../../src/http/security/client.ts'
import { openGatewayWithKeys } from '../access/gateway-with-keys.ts'
import { openGateway, type TestGateway } from '../support/gateway.ts'
import { refusalIn } from './paid-server.ts'

/** Sends a request with any headers, including Host. */
async function send(
  url: string,
  headers: Record<string, string>,
  body?: string,
): Promise<{ status: number; body: string }> {
  const outgoing = request(url, { method: body === undefined ? 'GET' : 'POST', headers })
  outgoing.end(body)
  const [response] = await once(outgoing, 'response')
  return { status: response.statusCode, body: await text(response) }
}

const JSON_TYPE = { 'content-type': 'application/json' }
const TYPENAME = JSON.stringify({ query: '{ __typename }' })

describe('every response', () => {
  let server: TestGateway
  beforeAll(async () => {
    server = await openGateway()
  })
  afterAll(() => server[Symbol.asyncDispose]())

  it.each([
    ['GET', '/graphql?query={__typename}'],
    ['GET', '/graphql'],
    ['POST', '/graphql'],
    ['GET', '/livez'],
    ['GET', '/readyz'],
    ['GET', '/'],
    ['GET', '/nothing'],
    ['GET', '/assets/img_01K00000000000000000000000'],
    ['POST', '/callbacks/none'],
  ])('to %s %s forbids content sniffing, framing and loading', async (method, path) => {
    const { headers } = await fetch(server.url + path, { method, redirect: 'manual' })
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(headers.get('content-security-policy')).toMatch(/default-src 'none'/)
    expect(headers.get('x-frame-options')).toBe('DENY')
    expect(headers.get('x-powered-by')).toBeNull()
  })

  it('with GraphiQL allows only the scripts of the page', async () => {
    const page = await fetch(`${server.url}/graphql`, { headers: { accept: 'text/html' } })
    const policy = page.headers.get('content-security-policy') ?? ''
    expect(policy).toMatch(/script-src ('sha256-[\w+/=]{44}' ?)+;/)
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).toContain(`connect-src 'self' ws://${new URL(server.url).host}`)
  })
})

describe('a form', () => {
  it.each([
    ['x-darkroom-csrf', 'application/x-www-form-urlencoded'],
    ['graphql-require-preflight', 'application/x-www-form-urlencoded'],
    ['apollo-require-preflight', 'application/x-www-form-urlencoded; charset=utf-8'],
  ])('with the header %s is accepted', async (name, type) => {
    await using server = await openGateway()
    const answer = await send(
      `${server.url}/graphql`,
      { 'content-type': type, [name]: '1' },
      'query=%7B__typename%7D',
    )
    expect(answer).toEqual({ status: 200, body: '{"data":{"__typename":"Query"}}' })
  })
})

describe('the Host header', () => {
  let server: TestGateway
  beforeAll(async () => {
    server = await openGateway({ settings: { publicUrl: 'https://paint.example/' } })
  })
  afterAll(() => server[Symbol.asyncDispose]())

  it.each([
    'localhost',
    'localhost:4000',
    'app.localhost',
    '127.0.0.1:1',
    '[::1]:4000',
    'darkroom',
    '192.168.1.2',
    'paint.example',
  ])('may be %s', async (host) => {
    expect(await send(`${server.url}/graphql`, { ...JSON_TYPE, host }, TYPENAME)).toMatchObject({
      status: 200,
    })
  })

  it.each([
    'evil.example',
    'paint.example.evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'paint.example:81',
  ])('may not be %s', async (host) => {
    const { status, body } = await send(`${server.url}/graphql`, { ...JSON_TYPE, host }, TYPENAME)
    expect([status, refusalIn(body).code]).toEqual([403, 'HOST_NOT_ALLOWED'])
  })
})

describe('the schema', () => {
  it.each([
    { settings: {}, isAvailable: true },
    { settings: { introspection: 'off' }, isAvailable: false },
    { settings: { publicUrl: 'https://paint.example' }, isAvailable: false },
    { settings: { publicUrl: 'https://paint.example', introspection: 'on' }, isAvailable: true },
  ])('is available with $settings: $isAvailable', async ({ settings, isAvailable }) => {
    await using server = await openGateway({ settings })
    const answer = JSON.stringify(await server.execute(getIntrospectionQuery()))
    expect(answer).toMatch(
      isAvailable
        ? /^\{"data":\{"__schema"/
        : /"message":"__schema is not available.*"code":"INTROSPECTION_DISABLED"/,
    )
    const type = await server.execute('{ __type(name: "Task") { name } __typename }')
    expect(type.errors === undefined).toBe(isAvailable)
  })
})

describe('the schema of a server on a network', () => {
  it.each([
    { introspection: 'auto', operator: true },
    { introspection: 'off', operator: false },
  ])(
    'is available to the operator only, with introspection $introspection: $operator',
    async ({ introspection, operator }) => {
      const settings = { publicUrl: 'https://paint.example', introspection }
      await using keyed = await openGatewayWithKeys({ settings })
      const { key } = await keyed.newKey()
      const query = getIntrospectionQuery()
      const answers = await Promise.all([keyed.operator().execute(query), keyed.as(key).execute(query)])
      expect(answers.map(({ data }) => data != null)).toEqual([operator, false])
      expect(JSON.stringify(answers[1])).toContain('"code":"INTROSPECTION_DISABLED"')
    },
  )
})

describe('the client', () => {
  const TRUSTED = ['10.0.0.0/8', '::1/128']
  const read = createClientReader(TRUSTED)
  const from = (remoteAddress: string | undefined, headers: Record<string, string> = {}) =>
    read(new Request('http://localhost:4000', { headers }), remoteAddress)

  it.each([
    {
      who: 'no connection',
      address: undefined,
      headers: { 'x-forwarded-for': '1.2.3.4' },
      is: null,
    },
    {
      who: 'a client that claims another address',
      address: '1.1.1.1',
      headers: { 'x-forwarded-for': '1.2.3.4' },
      is: '1.1.1.1',
    },
    {
      who: 'a client behind a trusted proxy',
      address: '10.0.0.1',
      headers: { 'x-forwarded-for': '1.2.3.4' },
      is: '1.2.3.4',
    },
    {
      who: 'a client that sends X-Forwarded-For to a trusted proxy',
      address: '10.0.0.1',
      headers: { 'x-forwarded-for': '9.9.9.9, 1.2.3.4' },
      is: '1.2.3.4',
    },
    {
      who: 'a client behind two trusted proxies',
      address: '10.0.0.1',
      headers: { 'x-forwarded-for': '9.9.9.9, 1.2.3.4, 10.2.2.2' },
      is: '1.2.3.4',
    },
    {
      who: 'a trusted proxy with an invalid X-Forwarded-For',
      address: '10.0.0.1',
      headers: { 'x-forwarded-for': 'unknown' },
      is: '10.0.0.1',
    },
    {
      who: 'an IPv4-mapped IPv6 address',
      address: '::ffff:10.0.0.1',
      headers: { 'x-forwarded-for': '1.2.3.4' },
      is: '1.2.3.4',
    },
    {
      who: 'a proxy over IPv6',
      address: '::1',
      headers: { 'x-forwarded-for': '2001:db8::1' },
      is: '2001:db8::1',
    },
  ])('has the right address: $who', ({ address, headers, is }) => {
    expect(from(address, headers).address).toBe(is)
  })

  it.each([
    {
      what: 'the headers of a trusted proxy',
      address: '10.0.0.1',
      proto: 'https',
      host: 'paint.example',
      is: 'https://paint.example',
    },
    {
      what: 'a scheme other than http and https',
      address: '10.0.0.1',
      proto: 'javascript',
      host: 'paint.example',
      is: 'http://paint.example',
    },
    {
      what: 'an invalid host',
      address: '10.0.0.1',
      proto: 'https',
      host: 'a b',
      is: 'http://localhost:4000',
    },
    {
      what: 'the headers of an untrusted proxy',
      address: '1.1.1.1',
      proto: 'https',
      host: 'evil.example',
      is: 'http://localhost:4000',
    },
  ])('has the right origin: $what', ({ address, proto, host, is }) => {
    expect(from(address, { 'x-forwarded-proto': proto, 'x-forwarded-host': host }).origin).toBe(is)
  })

  it('gets image URLs with the origin of trusted proxies only', async () => {
    const WATCHED = { ...JSON_TYPE, 'x-forwarded-proto': 'https', 'x-forwarded-host': 'localhost:9999' }
    const query = JSON.stringify({ query: '{ tasks { nodes { images { url } } } }' })
    for (const [trustedProxies, origin] of [
      [[], 'http://127.0.0.1'],
      [['127.0.0.1/32'], 'https://localhost:9999/'],
    ] as const) {
      await using server = await openGateway({ settings: { trustedProxies } })
      await server.ended(await server.generate({ prompt: 'a red fox' }))
      const { body } = await send(`${server.url}/graphql`, WATCHED, query)
      expect(body).toContain(`"url":"${origin}`)
    }
  })
})
