import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/config.ts'
import { createLog } from '../../src/log.ts'
import { openGateway } from '../support/gateway.ts'
import { openEngine } from '../support/engine.ts'
import { newPlace } from '../support/database.ts'
import { done, scripted } from '../support/scripted.ts'

function memory(level: string, options: Parameters<typeof createLog>[2] = {}) {
  const lines: string[] = []
  return { lines, log: createLog(level, { write: (line) => void lines.push(line) }, options) }
}

const RANDOM = 'Zk3v9QxT7mLp2RbN8cWs4HyJ6dFg1AeU5oIiKq0ZtXvBnM'

/** Secrets in a text, and the part that must be redacted. */
const SECRETS: [kind: string, text: string, secret: string][] = [
  ['an API key', `it said dk_live_0123456789_${RANDOM} to me`, RANDOM],
  ['an operator key', `"dk_admin_${RANDOM}"`, RANDOM],
  ['an OpenAI key', `Incorrect API key provided: sk-proj-${RANDOM}.`, RANDOM],
  ['a webhook secret', 'signed by whsec_AbC+dEf/1234567890abcdefGHIJKL==', 'AbC+dEf/1234567890'],
  ['a bearer token', `authorization: bearer ${RANDOM}`, RANDOM],
  ['basic credentials', 'Authorization: Basic dXNlcjpwYXNzd29yZA==', 'dXNlcjpwYXNzd29yZA'],
  ['a callback URL', `POST /callbacks/${RANDOM.slice(0, 43)}`, RANDOM.slice(0, 43)],
  ['a password in a URL', 'postgres://darkroom:hunter2hunter2@db.example/x', 'hunter2hunter2'],
  ['a proxy with its credentials', 'http://proxyuser:swordfish99@10.0.0.1:3128', 'swordfish99'],
  ['a signature', `https://x.example/a.png?X-Amz-Signature=${RANDOM}&v=1`, RANDOM],
  ['a token in a URL', `https://x.example/path?access_token=${RANDOM}`, RANDOM],
  ['an image', `data:image/png;base64,${'iVBORw0KGgo'.repeat(40)}`, 'iVBORw0KGgo'],
  ['an image without a prefix', `"${'iVBORw0KGgo'.repeat(40)}"`, 'iVBORw0KGgo'],
]

describe('a log line', () => {
  it.each(SECRETS)('does not contain %s', (_, text, secret) => {
    const { lines, log } = memory('trace')
    log.info({ text, deep: { er: [text] } }, text)
    log.error({ err: new Error(text, { cause: new Error(text) }) }, 'it failed')
    expect(lines).toHaveLength(2)
    expect(lines.join('')).not.toContain(secret)
    for (const line of lines) expect(JSON.parse(line)).toMatchObject({ msg: expect.any(String) })
  })

  it('does not contain a configured secret in any encoding', async () => {
    const place = await newPlace('sqlite')
    const odd = 'p"q\\rs/t%u+v'
    const config = await loadConfig({ env: { OPENAI_API_KEY: odd }, cwd: place.dataDir })
    const { lines, log } = memory('trace', { redact: config.redact })
    log.info({ key: odd }, `${odd} and ${encodeURIComponent(odd)}`)
    await Promise.all(config.providers.map((provider) => provider.close()))
    await place.remove()
    const { key, msg } = JSON.parse(lines[0]!) as { key: string; msg: string }
    expect({ key, msg }).toEqual({ key: '[redacted]', msg: '[redacted] and [redacted]' })
  })

  it('keeps other text', () => {
    const { lines, log } = memory('info')
    const text =
      'task_01K9ABCDEFGHJKMNPQRSTVWXYZ at https://api.example/v1/images?size=1024x1024: basic answered 200, sha256 ' +
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
    log.info({ attempt: 'att_01K9ABCDEFGHJKMNPQRSTVWXYZ' }, text)
    expect(JSON.parse(lines[0]!)).toMatchObject({ msg: text, attempt: 'att_01K9ABCDEFGHJKMNPQRSTVWXYZ' })
  })

  it('has only type, message, code and causes of an error', () => {
    const { lines, log } = memory('info')
    const cause = Object.assign(new RangeError('too far'), { code: 'E_FAR', detail: 'Key (prompt)=(heron)' })
    const query = 'insert into "tasks" ("request") values ($1)'
    const error = Object.assign(new Error(`Failed query: ${query}\nparams: a heron,\nand more`, { cause }), {
      params: ['a heron'],
    })
    log.error({ err: error }, 'it failed')
    const { err } = JSON.parse(lines[0]!) as { err: { stack: string } }
    expect(err).toMatchObject({
      type: 'Error',
      message: `Failed query: ${query}`,
      cause: { type: 'RangeError', message: 'too far', code: 'E_FAR' },
    })
    expect(err.stack).toContain('logs.test.ts')
    expect(lines[0]).not.toContain('heron')
  })
})

describe('a request', () => {
  it('has one line with its id and operation, and without its URL', async () => {
    const { lines, log } = memory('debug')
    await using server = await openGateway({ log })
    const response = await fetch(`${server.url}/graphql?noise=secret-noise`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-request-id': 'mine-1' },
      body: JSON.stringify({ query: 'query Health { providers { name } }' }),
    })
    await response.text()
    expect(response.headers.get('x-request-id')).toBe('mine-1')
    const entries = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    const mine = entries.filter(({ msg }) => msg === 'request handled')
    expect(mine).toMatchObject([
      {
        level: 'info',
        requestId: 'mine-1',
        method: 'POST',
        route: 'graphql',
        status: 200,
        operation: 'Health',
      },
    ])
    expect(mine[0]!['ms']).toBeGreaterThanOrEqual(0)
    expect(lines.join('')).not.toContain('secret-noise')
  })

  it('gets an id if the client sends none or an invalid one', async () => {
    await using server = await openGateway()
    for (const given of [undefined, 'two words', 'x'.repeat(200)]) {
      const response = await fetch(`${server.url}/readyz`, {
        headers: given === undefined ? {} : { 'x-request-id': given },
      })
      expect(response.headers.get('x-request-id')).toMatch(/^[\da-f]{8}-[\da-f-]{27}$/)
    }
  })

  it('for health, metrics or an image is logged at debug, without its path', async () => {
    const { lines, log } = memory('debug')
    await using server = await openGateway({ log })
    for (const path of ['/readyz', '/metrics', '/assets/nothing.png', '/secret-path-of-a-client'])
      await (await fetch(`${server.url}${path}`)).text()
    const entries = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(
      entries.filter(({ msg }) => msg === 'request handled').map(({ level, route }) => [level, route]),
    ).toEqual([
      ['debug', 'health'],
      ['debug', 'metrics'],
      ['debug', 'assets'],
      ['info', 'other'],
    ])
    expect(lines.join('')).not.toContain('secret-path')
  })
})

it('a transaction keeps its async context when several share a commit', async () => {
  const { AsyncLocalStorage } = await import('node:async_hooks')
  await using one = await openEngine({ providers: [scripted((sent) => done(sent))], start: false })
  const who = new AsyncLocalStorage<number>()
  const seen = await Promise.all(
    [1, 2, 3].map((number) =>
      who.run(number, () => one.db.tx(async () => [number, who.getStore()] as const)),
    ),
  )
  expect(seen).toEqual([
    [1, 1],
    [2, 2],
    [3, 3],
  ])
})

it.each(['sqlite', 'postgresql'] as const)('counts nothing that was rolled back on %s', async (database) => {
  await using one = await openEngine({ database, providers: [scripted((sent) => done(sent))], start: false })
  const committed: string[] = []
  const tx = (name: string, fails: boolean) =>
    one.db
      .tx(async (q) => {
        q.afterCommit(() => committed.push(name))
        await one.db.read.sql.select().from(q.tables.projects)
        if (fails) throw new Error('no')
      })
      .catch(() => {})
  await Promise.all([tx('first', false), tx('second', true), tx('third', false)])
  expect(committed.toSorted()).toEqual(['first', 'third'])
})
