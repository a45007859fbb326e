import BetterSqlite3 from 'better-sqlite3'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { containsKey, newKeyText, readKeyText } from '../../src/engine/access/key-text.ts'
import { createLog } from '../../src/log.ts'
import { createClient } from '../support/client.ts'
import { DATABASES, newPlace } from '../support/database.ts'
import { openGateway } from '../support/gateway.ts'
import {
  ADMIN_KEY,
  bearer,
  createFirstKey,
  openGatewayWithKeys,
  type GatewayWithKeys,
} from './gateway-with-keys.ts'

const TYPENAME = JSON.stringify({ query: '{ __typename }' })

/** Requests `{ __typename }` with these headers. */
async function requestTypename(url: string, headers: Record<string, string>) {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: TYPENAME,
  })
  const { data, errors } = await response.json()
  return {
    status: response.status,
    code: errors?.[0]?.extensions?.code,
    message: errors?.[0]?.message,
    challenge: response.headers.get('www-authenticate'),
    data,
  }
}

describe('the text of a key', () => {
  it('has 256 random bits, a handle, and a checksum that detects every wrong or swapped character', () => {
    const { text, handle, secret } = newKeyText()
    expect(text).toMatch(/^dk_live_[0-9A-Za-z]{10}_[0-9A-Za-z]{49}$/)
    expect(readKeyText(text)).toEqual({ handle, secret })
    for (let i = 8; i < text.length; i++) {
      const other = text[i] === 'x' ? 'y' : 'x'
      expect(readKeyText(text.slice(0, i) + other + text.slice(i + 1))).toBeUndefined()
      const swapped = text.slice(0, i - 1) + text[i] + text[i - 1] + text.slice(i + 1)
      expect(swapped === text || readKeyText(swapped) === undefined).toBe(true)
    }
  })

  it('is unique and has a fixed length', () => {
    const texts = Array.from({ length: 1000 }, () => newKeyText())
    expect(new Set(texts.map(({ secret }) => secret)).size).toBe(1000)
    expect(new Set(texts.map(({ handle }) => handle)).size).toBe(1000)
    expect(texts.every(({ text }) => readKeyText(text) !== undefined)).toBe(true)
  })

  it('is found anywhere in a URL', () => {
    const { text } = newKeyText()
    for (const url of [
      `/graphql?key=${text}`,
      `/${text}`,
      `/x?a=${text.replaceAll('_', '%5F')}`,
      `/#${text}`,
    ])
      expect(containsKey(url)).toBe(true)
    expect(containsKey('/assets/img_01K00000000000000000000000.png?signature=dk_live')).toBe(false)
  })
})

describe.each(DATABASES)('API keys on %s', (database) => {
  let keyed: GatewayWithKeys
  beforeAll(async () => {
    keyed = await openGatewayWithKeys({ database })
  })
  afterAll(() => keyed[Symbol.asyncDispose]())

  it('give access to their project, and are shown only at creation', async () => {
    const project = await keyed.newProject(`shop of ${database}`)
    const { key, id } = await keyed.newKey({ project, scopes: ['READ', 'GENERATE'] })
    const client = keyed.as(key)
    await client.ended(await client.generate({ prompt: 'a red fox' }))
    const query =
      '{ project { id name keys { nodes { id name prefix scopes expiresAt revokedAt project { id } } } } tasks { nodes { id } } }'
    const { project: found, tasks } = await client.get<{
      project: { id: string; keys: { nodes: Record<string, unknown>[] } }
      tasks: { nodes: unknown[] }
    }>(query)
    expect(found).toMatchObject({ id: project, name: `shop of ${database}` })
    expect(found.keys.nodes).toEqual([
      {
        id,
        name: 'of a test',
        prefix: key.slice(0, 18),
        scopes: ['READ', 'GENERATE'],
        expiresAt: null,
        revokedAt: null,
        project: { id: project },
      },
    ])
    expect(tasks.nodes).toHaveLength(1)
    const own = await keyed.operator().get<{ tasks: { nodes: unknown[] } }>('{ tasks { nodes { id } } }')
    expect(own.tasks.nodes).toEqual([])
    const its = await keyed.operator(project).get<{ tasks: unknown }>('{ tasks { nodes { id } } }')
    expect(its.tasks).toEqual(tasks)
  })

  it('B71: a request without a key or with a malformed one is refused with 401 and a challenge', async () => {
    for (const [headers, challenge] of [
      [{}, 'Bearer realm="darkroom"'],
      [{ authorization: '' }, 'Bearer realm="darkroom"'],
      [{ authorization: 'Basic YTpi' }, 'Bearer realm="darkroom", error="invalid_token"'],
      [{ authorization: 'Bearer' }, 'Bearer realm="darkroom", error="invalid_token"'],
      [{ authorization: 'Bearer two words' }, 'Bearer realm="darkroom", error="invalid_token"'],
      [bearer('garbled'), 'Bearer realm="darkroom", error="invalid_token"'],
      [bearer(`${ADMIN_KEY}x`), 'Bearer realm="darkroom", error="invalid_token"'],
    ] as const)
      expect(await requestTypename(keyed.url, { ...headers })).toMatchObject({
        status: 401,
        code: 'UNAUTHENTICATED',
        challenge,
        data: undefined,
      })
  })

  it('B72: a mistyped, unknown, wrong, revoked or expired key is refused with 401', async () => {
    const good = await keyed.newKey()
    const revoked = await keyed.newKey()
    const expiresAt = new Date(Date.now() + 1500).toISOString()
    const expired = await keyed.newKey({ expiresAt })
    expect(await requestTypename(keyed.url, bearer(revoked.key))).toMatchObject({ status: 200 })
    expect(await requestTypename(keyed.url, bearer(expired.key))).toMatchObject({ status: 200 })
    await keyed
      .operator()
      .get('mutation ($id: ID!) { revokeApiKey(input: { id: $id }) { apiKey { revokedAt } } }', revoked)
    // The same handle with another secret: the list of keys shows handles.
    const handle = good.key.slice(8, 18)
    const guess = withHandle(handle)
    const unknown = newKeyText().text
    const responses = {
      mistyped: await requestTypename(
        keyed.url,
        bearer(`${good.key.slice(0, -1)}${good.key.endsWith('a') ? 'b' : 'a'}`),
      ),
      unknown: await requestTypename(keyed.url, bearer(unknown)),
      wrong: await requestTypename(keyed.url, bearer(guess)),
      revoked: await requestTypename(keyed.url, bearer(revoked.key)),
    }
    for (const response of Object.values(responses))
      expect(response).toMatchObject({ status: 401, code: 'UNAUTHENTICATED', data: undefined })
    expect(responses.wrong.message).toBe(responses.unknown.message)
    expect(responses.revoked.message).toBe('This API key was revoked.')
    await expect
      .poll(() => requestTypename(keyed.url, bearer(expired.key)))
      .toMatchObject({
        status: 401,
        message: `This API key expired at ${expiresAt}.`,
      })
  })

  it('require a valid name, at least one scope and a future expiry', async () => {
    for (const [input, field] of [
      [{ name: '' }, 'name'],
      [{ name: ' x' }, 'name'],
      [{ name: 'x'.repeat(101) }, 'name'],
      [{ name: 'a\nb' }, 'name'],
      [{ name: 'x', scopes: [] }, 'scopes'],
      [{ name: 'x', expiresAt: '2020-01-01T00:00:00Z' }, 'expiresAt'],
    ] as const) {
      const { errors } = await keyed
        .operator()
        .execute('mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { key } }', { input })
      expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field } }])
    }
  })

  it('are valid for their own project only, while the operator may name any project', async () => {
    const project = await keyed.newProject(`second of ${database}`)
    const { key } = await keyed.newKey()
    const named = { 'darkroom-project': project }
    expect(await requestTypename(keyed.url, { ...bearer(key), ...named })).toMatchObject({
      status: 403,
      code: 'FORBIDDEN',
    })
    const absent = { ...bearer(key), 'darkroom-project': 'prj_NONE' }
    expect(await requestTypename(keyed.url, absent)).toMatchObject({ status: 403, code: 'FORBIDDEN' })
    expect(await requestTypename(keyed.url, { ...bearer(ADMIN_KEY), ...named })).toMatchObject({
      status: 200,
    })
    const none = { ...bearer(ADMIN_KEY), 'darkroom-project': 'prj_NONE' }
    expect(await requestTypename(keyed.url, none)).toMatchObject({ status: 404, code: 'NOT_FOUND' })
    expect((await keyed.operator(project).get<{ project: unknown }>('{ project { id } }')).project).toEqual({
      id: project,
    })
  })

  it('have the minute of their last use, and may revoke themselves', async () => {
    const { key, id } = await keyed.newKey({ scopes: ['READ', 'ADMIN'] })
    const before = Date.now()
    await keyed.as(key).get('{ project { id } }')
    const lastUse = async () => {
      const { node } = await keyed
        .as(key)
        .get<{ node: { lastUsedAt: string | null } }>(
          'query ($id: ID!) { node(id: $id) { ... on ApiKey { lastUsedAt } } }',
          { id },
        )
      return node.lastUsedAt === null ? undefined : Date.parse(node.lastUsedAt)
    }
    await expect.poll(lastUse, { interval: 200 }).toBeDefined()
    const used = (await lastUse())!
    expect(used % 60_000).toBe(0)
    expect(Math.abs(used - before)).toBeLessThan(61_000)
    // A key may revoke itself.
    await keyed
      .as(key)
      .get('mutation ($id: ID!) { revokeApiKey(input: { id: $id }) { apiKey { id } } }', { id })
    expect(await requestTypename(keyed.url, bearer(key))).toMatchObject({ status: 401 })
  })

  it('belong to projects with unique names', async () => {
    await keyed.newProject(`twin of ${database}`)
    const { errors } = await keyed
      .operator()
      .execute('mutation ($name: String!) { createProject(input: { name: $name }) { project { id } } }', {
        name: `twin of ${database}`,
      })
    expect(errors).toMatchObject([{ extensions: { code: 'CONFLICT', field: 'name' } }])
  })
})

it('records every change to keys and projects with its author in the audit log', async () => {
  await using keyed = await openGatewayWithKeys()
  const project = await keyed.newProject('shop')
  const admin = await keyed.newKey({ project, scopes: ['ADMIN'] })
  const { createApiKey } = await keyed
    .as(admin.key)
    .get<{ createApiKey: { key: string; apiKey: { id: string } } }>(
      'mutation { createApiKey(input: { name: "second" }) { key apiKey { id } } }',
    )
  await keyed
    .operator()
    .get('mutation ($id: ID!) { revokeApiKey(input: { id: $id }) { apiKey { id } } }', createApiKey.apiKey)
  const db = new BetterSqlite3(join(keyed.server.place.dataDir, 'darkroom.db'), { readonly: true })
  const rows = db.prepare('select project_id, action, subject, detail from audit_log order by rowid').all()
  const everything = db
    .prepare(
      'select group_concat(quote(secret_sha256) || quote(handle) || quote(name)) as text from api_keys',
    )
    .get() as { text: string }
  db.close()
  const { id } = createApiKey.apiKey
  expect(rows).toEqual([
    {
      project_id: project,
      action: 'createProject',
      subject: project,
      detail: '{"name":"shop","by":"operator"}',
    },
    {
      project_id: project,
      action: 'createApiKey',
      subject: admin.id,
      detail: '{"name":"of a test","scopes":"ADMIN","by":"operator"}',
    },
    {
      project_id: project,
      action: 'createApiKey',
      subject: id,
      detail: `{"name":"second","scopes":"GENERATE READ","by":"${admin.id}"}`,
    },
    { project_id: project, action: 'revokeApiKey', subject: id, detail: '{"name":"second","by":"operator"}' },
  ])
  for (const key of [admin.key, createApiKey.key]) expect(everything.text).not.toContain(key.slice(19, 62))
})

it('B73: a key anywhere in a URL is refused with 400 and is not logged', async () => {
  const lines: string[] = []
  const log = createLog('trace', { write: (line) => void lines.push(line) })
  await using keyed = await openGatewayWithKeys({ log })
  const { key } = await keyed.newKey()
  const query = encodeURIComponent('{ __typename }')
  for (const path of [
    `/graphql?query=${query}&authorization=${key}`,
    `/graphql?query=${query}&key=${ADMIN_KEY}`,
    `/graphql?query=${encodeURIComponent(`{ task(id: "${key}") { id } }`)}`,
    `/graphql/${key}`,
    `/assets/img_01K00000000000000000000000.png?key=${key}`,
    `/${key.replaceAll('_', '%5f')}`,
    `/callbacks/${key}`,
  ]) {
    const response = await fetch(keyed.url + path, { headers: bearer(key) })
    expect([path, response.status]).toEqual([path, 400])
    const text = await response.text()
    const { error, errors } = JSON.parse(text) as {
      error?: { code: string }
      errors?: { extensions: { code: string } }[]
    }
    expect([path, (errors?.[0]?.extensions ?? error)?.code]).toEqual([path, 'KEY_IN_URL'])
    expect(text).not.toContain(key.slice(19))
  }
  expect(lines.join('')).not.toMatch(new RegExp(`${key.slice(19)}|${ADMIN_KEY}`))
})

it('CORS lets a page of an allowed origin send a key and read a refusal', async () => {
  await using keyed = await openGatewayWithKeys({ corsOrigins: ['https://app.example'] })
  const origin = 'https://app.example'
  const preflight = await fetch(`${keyed.url}/graphql`, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type',
    },
  })
  expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([204, origin])
  expect(preflight.headers.get('access-control-allow-headers')).toContain('authorization')
  const refused = await fetch(`${keyed.url}/graphql?query={__typename}`, { headers: { origin } })
  expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([401, origin])
})

describe('before the first API key is created', () => {
  it('every local client is the operator, until the first key is created', async () => {
    const place = await newPlace('postgresql')
    onTestFinished(() => place.remove())
    await using server = await openGateway({ place })
    const id = await server.generate({ prompt: 'a red fox' })
    const first = await createFirstKey(place, ['READ', 'ADMIN'])
    // Connections without a key are closed.
    await expect
      .poll(() => requestTypename(server.url, {}).catch(() => undefined))
      .toMatchObject({ status: 401, code: 'UNAUTHENTICATED' })
    const client = createClient(server.url, bearer(first.key))
    expect(
      (await client.get<{ task: unknown }>('query ($id: ID!) { task(id: $id) { id } }', { id })).task,
    ).toEqual({
      id,
    })
    // Authentication stays on after every key is revoked.
    await client.get('mutation ($id: ID!) { revokeApiKey(input: { id: $id }) { apiKey { id } } }', first)
    expect(await requestTypename(server.url, {})).toMatchObject({ status: 401 })
  })

  it('a running server refuses to create it without an operator key, and stays open', async () => {
    await using server = await openGateway()
    const { data, errors } = await server.execute(
      'mutation { createApiKey(input: { name: "first", scopes: [ADMIN] }) { key } }',
    )
    expect([data, errors?.[0]?.extensions?.['code']]).toEqual([{ createApiKey: null }, 'CONFLICT'])
    expect(errors?.[0]?.message).toMatch(
      /Nothing was created\. Either set DARKROOM_ADMIN_KEY, .+, or stop the server/,
    )
    expect(await server.get('{ viewer { isOpen } project { keys { totalCount } } }')).toEqual({
      viewer: { isOpen: true },
      project: { keys: { totalCount: 0 } },
    })
  })

  it('image URLs need no signature, and need one after the first key is created', async () => {
    const place = await newPlace('postgresql')
    onTestFinished(() => place.remove())
    await using server = await openGateway({ place })
    const id = await server.generate({ prompt: 'a red fox' })
    await server.ended(id)
    const query = 'query ($id: ID!) { task(id: $id) { images { url(width: 64) } } }'
    const urlOf = async (client: Pick<typeof server, 'get'>) =>
      (await client.get<{ task: { images: { url: string }[] } }>(query, { id })).task.images[0]!.url
    const open = await urlOf(server)
    expect(new URL(open).search).toBe('?width=64')
    expect((await fetch(open)).headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    const first = await createFirstKey(place)
    await expect
      .poll(() =>
        fetch(open).then(
          ({ status }) => status,
          () => 0,
        ),
      )
      .toBe(403)
    const signed = await urlOf(createClient(server.url, bearer(first.key)))
    expect(signed).toMatch(/\?width=64&expires=\d+&signature=[\w-]{43}$/)
    const response = await fetch(signed)
    expect([response.status, response.headers.get('cache-control')?.split(',')[0]]).toEqual([200, 'private'])
  })
})

/** A key that was never created, with an existing handle and a valid checksum. */
function withHandle(handle: string): string {
  const { secret } = newKeyText()
  const front = `dk_live_${handle}_${secret}`
  return front + checksumOf(front)
}

function checksumOf(front: string): string {
  const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
  let rest = crc32(front)
  let text = ''
  for (; text.length < 6; rest = Math.floor(rest / 62)) text = digits[rest % 62] + text
  return text
}
