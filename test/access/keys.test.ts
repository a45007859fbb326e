import BetterSqlite3 from 'better-sqlite3'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { containsKey, newKeyText, readKeyText } from '../../src/engine/access/key-text.ts'
import { createLog } from '../../src/log.ts'
import { createClient } from '../support/client.ts'
import { DATABASES } from '../support/database.ts'
import { openGateway } from '../support/gateway.ts'
import { ADMIN_KEY, bearer, openKeyed, type Keyed } from './keyed.ts'

const TYPENAME = JSON.stringify({ query: '{ __typename }' })

/** The whole answer to `{ __typename }`, asked with these headers. */
async function ask(url: string, headers: Record<string, string>) {
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
  it('has 256 random bits, a handle, and a checksum that finds every wrong or swapped character', () => {
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

  it('is never the same twice, and always as long', () => {
    const texts = Array.from({ length: 1000 }, () => newKeyText())
    expect(new Set(texts.map(({ secret }) => secret)).size).toBe(1000)
    expect(new Set(texts.map(({ handle }) => handle)).size).toBe(1000)
    expect(texts.every(({ text }) => readKeyText(text) !== undefined)).toBe(true)
  })

  it('is found wherever it stands in an address', () => {
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

describe.each(DATABASES)('on %s', (database) => {
  let keyed: Keyed
  beforeAll(async () => {
    keyed = await openKeyed({ database })
  })
  afterAll(() => keyed[Symbol.asyncDispose]())

  it('a key asks for its project, by its scopes, and is told nowhere again', async () => {
    const project = await keyed.newProject(`shop of ${database}`)
    const { key, id } = await keyed.newKey({ project, scopes: ['READ', 'GENERATE'] })
    const client = keyed.as(key)
    await client.ended(await client.generate({ prompt: 'a red fox' }))
    const query =
      '{ project { id name keys { id name prefix scopes expiresAt revokedAt project { id } } } tasks { nodes { id } } }'
    const { project: found, tasks } = await client.get<{
      project: { id: string; keys: Record<string, unknown>[] }
      tasks: { nodes: unknown[] }
    }>(query)
    expect(found).toMatchObject({ id: project, name: `shop of ${database}` })
    expect(found.keys).toEqual([
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

  it('B71: without a key, or with what is none, the answer is 401 with a challenge', async () => {
    for (const [headers, challenge] of [
      [{}, 'Bearer realm="darkroom"'],
      [{ authorization: '' }, 'Bearer realm="darkroom"'],
      [{ authorization: 'Basic YTpi' }, 'Bearer realm="darkroom", error="invalid_token"'],
      [{ authorization: 'Bearer' }, 'Bearer realm="darkroom", error="invalid_token"'],
      [{ authorization: 'Bearer two words' }, 'Bearer realm="darkroom", error="invalid_token"'],
      [bearer('garbled'), 'Bearer realm="darkroom", error="invalid_token"'],
      [bearer(`${ADMIN_KEY}x`), 'Bearer realm="darkroom", error="invalid_token"'],
    ] as const)
      expect(await ask(keyed.url, { ...headers })).toMatchObject({
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
    expect(await ask(keyed.url, bearer(revoked.key))).toMatchObject({ status: 200 })
    expect(await ask(keyed.url, bearer(expired.key))).toMatchObject({ status: 200 })
    await keyed.operator().get('mutation ($id: ID!) { revokeApiKey(id: $id) { revokedAt } }', revoked)
    // The same handle with another secret, as somebody would guess it who has seen the list of keys.
    const handle = good.key.slice(8, 18)
    const guess = withHandle(handle)
    const unknown = newKeyText().text
    const answers = {
      mistyped: await ask(keyed.url, bearer(`${good.key.slice(0, -1)}${good.key.endsWith('a') ? 'b' : 'a'}`)),
      unknown: await ask(keyed.url, bearer(unknown)),
      wrong: await ask(keyed.url, bearer(guess)),
      revoked: await ask(keyed.url, bearer(revoked.key)),
    }
    for (const answer of Object.values(answers))
      expect(answer).toMatchObject({ status: 401, code: 'UNAUTHENTICATED', data: undefined })
    expect(answers.wrong.message).toBe(answers.unknown.message)
    expect(answers.revoked.message).toBe('This API key was revoked.')
    await expect
      .poll(() => ask(keyed.url, bearer(expired.key)), { timeout: 5000 })
      .toMatchObject({
        status: 401,
        message: `This API key expired at ${expiresAt}.`,
      })
  })

  it('a key is made of a good name, a scope and a time to come', async () => {
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
        .ask('mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { key } }', { input })
      expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field } }])
    }
  })

  it('a key works on its own project alone, the operator on the one it names', async () => {
    const project = await keyed.newProject(`second of ${database}`)
    const { key } = await keyed.newKey()
    const named = { 'darkroom-project': project }
    expect(await ask(keyed.url, { ...bearer(key), ...named })).toMatchObject({
      status: 403,
      code: 'FORBIDDEN',
    })
    const absent = { ...bearer(key), 'darkroom-project': 'prj_NONE' }
    expect(await ask(keyed.url, absent)).toMatchObject({ status: 403, code: 'FORBIDDEN' })
    expect(await ask(keyed.url, { ...bearer(ADMIN_KEY), ...named })).toMatchObject({ status: 200 })
    const none = { ...bearer(ADMIN_KEY), 'darkroom-project': 'prj_NONE' }
    expect(await ask(keyed.url, none)).toMatchObject({ status: 404, code: 'NOT_FOUND' })
    expect((await keyed.operator(project).get<{ project: unknown }>('{ project { id } }')).project).toEqual({
      id: project,
    })
  })

  it('the use of a key is noted to the minute, and who decided about it', async () => {
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
    await expect.poll(lastUse, { timeout: 5000, interval: 200 }).toBeDefined()
    const used = (await lastUse())!
    expect(used % 60_000).toBe(0)
    expect(Math.abs(used - before)).toBeLessThan(61_000)
    // A key may end itself, and that is on record.
    await keyed.as(key).get('mutation ($id: ID!) { revokeApiKey(id: $id) { id } }', { id })
    expect(await ask(keyed.url, bearer(key))).toMatchObject({ status: 401 })
  })

  it('two projects never have one name', async () => {
    await keyed.newProject(`twin of ${database}`)
    const { errors } = await keyed
      .operator()
      .ask('mutation ($name: String!) { createProject(name: $name) { id } }', { name: `twin of ${database}` })
    expect(errors).toMatchObject([{ extensions: { code: 'CONFLICT', field: 'name' } }])
  })
})

it('puts every decision about keys and projects on record, with who took it', async () => {
  await using keyed = await openKeyed()
  const project = await keyed.newProject('shop')
  const admin = await keyed.newKey({ project, scopes: ['ADMIN'] })
  const { createApiKey } = await keyed
    .as(admin.key)
    .get<{ createApiKey: { key: string; apiKey: { id: string } } }>(
      'mutation { createApiKey(input: { name: "second" }) { key apiKey { id } } }',
    )
  await keyed.operator().get('mutation ($id: ID!) { revokeApiKey(id: $id) { id } }', createApiKey.apiKey)
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

it('B73: a key in an address is refused with 400, wherever it stands, and stands in no log', async () => {
  const lines: string[] = []
  const log = createLog('trace', { write: (line) => void lines.push(line) })
  await using keyed = await openKeyed({ log })
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
    expect(JSON.parse(text)).toMatchObject({ error: { code: 'KEY_IN_URL' } })
    expect(text).not.toContain(key.slice(19))
  }
  expect(lines.join('')).not.toMatch(new RegExp(`${key.slice(19)}|${ADMIN_KEY}`))
})

it('a page of an allowed origin may send a key, and may read why it is refused', async () => {
  await using keyed = await openKeyed({ corsOrigins: ['https://app.example'] })
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

describe('while no key was ever made', () => {
  it('everybody on this machine is the operator, until the first key is made', async () => {
    await using server = await openGateway()
    const id = await server.generate({ prompt: 'a red fox' })
    const { createApiKey } = await server.get<{ createApiKey: { key: string; apiKey: { id: string } } }>(
      'mutation { createApiKey(input: { name: "first", scopes: [READ, ADMIN] }) { key apiKey { id } } }',
    )
    expect(await ask(server.url, {})).toMatchObject({ status: 401, code: 'UNAUTHENTICATED' })
    const client = createClient(server.url, bearer(createApiKey.key))
    expect(
      (await client.get<{ task: unknown }>('query ($id: ID!) { task(id: $id) { id } }', { id })).task,
    ).toEqual({
      id,
    })
    // Not even the end of all keys opens it again.
    await client.get('mutation ($id: ID!) { revokeApiKey(id: $id) { id } }', createApiKey.apiKey)
    expect(await ask(server.url, {})).toMatchObject({ status: 401 })
  })

  it('addresses of images need no signature, and from the first key on they do', async () => {
    await using server = await openGateway()
    const id = await server.generate({ prompt: 'a red fox' })
    await server.ended(id)
    const query = 'query ($id: ID!) { task(id: $id) { images { url(width: 64) } } }'
    const urlOf = async (client: Pick<typeof server, 'get'>) =>
      (await client.get<{ task: { images: { url: string }[] } }>(query, { id })).task.images[0]!.url
    const open = await urlOf(server)
    expect(new URL(open).search).toBe('?width=64')
    expect((await fetch(open)).headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    const { createApiKey } = await server.get<{ createApiKey: { key: string } }>(
      'mutation { createApiKey(input: { name: "first" }) { key } }',
    )
    expect((await fetch(open)).status).toBe(403)
    const signed = await urlOf(createClient(server.url, bearer(createApiKey.key)))
    expect(signed).toMatch(/\?width=64&expires=\d+&signature=[\w-]{43}$/)
    const answer = await fetch(signed)
    expect([answer.status, answer.headers.get('cache-control')?.split(',')[0]]).toEqual([200, 'private'])
  })
})

/** A key that nobody made, with a handle that exists and a checksum that is right. */
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
