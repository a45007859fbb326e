// Plants secrets of every kind through real requests at a real process while everything fails, then searches all output for
// them. test/secrets.test.ts does the same for what each dialect may repeat.
import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from 'pg'
import sharp from 'sharp'
import { expect, inject, it, onTestFinished } from 'vitest'
import { darkroom } from '../cli/darkroom.ts'
import { startFleet, type Keys } from '../providers/fleet.ts'
import type { Echo, Scenario } from '../providers/upstreams/fake.ts'
import { newPlace, type Place } from '../support/database.ts'
import { endCooldownsEarly } from '../support/end-cooldowns.ts'
import { openReceiver } from '../support/receiver.ts'
import { openCollector } from './collector.ts'
import { withCompileCache } from '../support/compile-cache.ts'

/** Matches no known pattern: it must be redacted as a known secret, or never written. */
function canary(kind: string): string {
  return `canary${kind}${randomBytes(12).toString('hex')}`
}

const KEYS: Keys = {
  openai: canary('Openai'),
  basic: canary('Basic'),
  pmockAccess: canary('Access'),
  pmockSecret: canary('Signing'),
  jimmy: canary('Jimmy'),
  acedata: canary('Acedata'),
}
const ADMIN_KEY = `dk_admin_${canary('Admin')}${canary('More')}`
const WORLD = {
  databasePassword: canary('Database'),
  proxyPassword: canary('Proxy'),
  collectorToken: canary('Collector'),
  environmentToken: canary('Environment'),
  cookie: canary('Cookie'),
  basicLogin: Buffer.from(`someone:${canary('Login')}`).toString('base64'),
  foreignBearer: canary('Bearer'),
  guessedCallback: canary('Callback').padEnd(43, 'x').slice(0, 43),
  queryToken: canary('Query'),
  pathToken: canary('Path'),
  tracestate: canary('State'),
  malformedKey: canary('Malformed'),
}
/** Stored with the request, and written nowhere else. */
const PRIVATE = {
  prompt: `a heron ${canary('Prompt')}`,
  user: canary('User'),
  label: canary('Label'),
  callbackToken: canary('Token'),
  imageSignature: canary('Image'),
}

/** Repeats the request in every field that a dialect reads an error from. */
function echo(status: number): Echo {
  return ({ headers, body }) => {
    const text = `${Object.values(headers).join(' ')} ${body.toString('latin1').slice(0, 3000)}`
    const error = { message: text, type: text, code: 'echo', param: text }
    return {
      status,
      headers: { 'x-request-id': text.slice(0, 200).replaceAll(/[^ -~]/g, '') },
      body: { code: status, msg: text, message: text, error },
    }
  }
}
const STATUSES = [400, 401, 429, 500]
const SCENARIOS: Scenario[] = [...STATUSES.map(echo), 'reset-after-request', 'truncated', 'ok']

interface Running {
  url: string
  /** stdout and stderr. */
  output: () => string
  stop(): Promise<void>
}

async function start(place: Place, settings: object, env: Record<string, string>): Promise<Running> {
  const file = join(place.dataDir, 'darkroom.config.json')
  await writeFile(file, JSON.stringify({ port: 0, dataDir: join(place.dataDir, 'data'), ...settings }))
  const child = fork(join(import.meta.dirname, 'traced-child.ts'), {
    env: withCompileCache({ DARKROOM_CONFIG: file, ...env }),
    execArgv: [],
    silent: true,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (output += chunk))
  const ended = once(child, 'exit')
  const [url] = await Promise.race([once(child, 'message'), ended.then(() => expect.fail(output))])
  return {
    url: String(url),
    output: () => output,
    async stop() {
      if (child.connected) child.disconnect()
      await ended
    },
  }
}

/** A database, and a role with a canary as password. */
async function newDatabase(): Promise<{ place: Place; url: string; away(): Promise<void> }> {
  const place = await newPlace('postgresql')
  const role = `canary_${randomBytes(6).toString('hex')}`
  const admin = new Client({ connectionString: inject('postgresqlUrl') })
  await admin.connect()
  await admin.query(`create role ${role} superuser login password '${WORLD.databasePassword}'`)
  const url = new URL(place.databaseUrl!)
  url.username = role
  url.password = WORLD.databasePassword
  const name = url.pathname.slice(1)
  onTestFinished(async () => {
    await place.remove()
    await admin.query(`drop role ${role}`)
    await admin.end()
  })
  return {
    place,
    url: url.href,
    /** Closes all connections and refuses new ones. */
    async away() {
      await admin.query(`alter database ${name} allow_connections false`)
      await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name])
    },
  }
}

async function dump(url: string): Promise<[where: string, text: string][]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  const tables = await client.query<{ name: string }>(
    `select table_name as name from information_schema.tables where table_schema = 'public'`,
  )
  const found: [string, string][] = []
  for (const { name } of tables.rows) {
    const rows = await client.query<{ text: string }>(`select row_to_json(t)::text as text from "${name}" t`)
    for (const { text } of rows.rows) found.push([`table ${name}`, text])
  }
  await client.end()
  return found
}

async function filesUnder(folder: string): Promise<[where: string, text: string][]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return Promise.all(
    files.map(async (file): Promise<[string, string]> => [`file ${file}`, await readFile(file, 'latin1')]),
  )
}

/** A GraphQL request with a key. */
function post(key: string, query: string, variables: object = {}, more: object = {}): RequestInit {
  return {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}`, ...more },
    body: JSON.stringify({ query, variables }),
  }
}

it('no secret appears in any output for any failure', async () => {
  const fleet = await startFleet({ keys: KEYS, timeoutMs: 1500 })
  onTestFinished(() => fleet.close())
  await using collector = await openCollector()
  await using receiver = await openReceiver((reply, nth) => void reply.writeHead(nth % 2 ? 500 : 204).end())
  const database = await newDatabase()
  const env = {
    DATABASE_URL: database.url,
    DARKROOM_ADMIN_KEY: ADMIN_KEY,
    HTTPS_PROXY: `http://someone:${WORLD.proxyPassword}@127.0.0.1:9`,
    SOME_TOKEN: WORLD.environmentToken,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer ${WORLD.collectorToken}`,
    OTEL_BSP_SCHEDULE_DELAY: '20',
  }
  const settings = {
    logLevel: 'trace',
    providers: fleet.entries.map((entry) => ({
      ...entry,
      ...(entry['dialect'] === 'acedata' && { mode: 'callback' }),
    })),
    engine: { pollMs: 20, maxAttempts: 2 },
  }
  const server = await start(database.place, settings, env)
  onTestFinished(() => server.stop())
  /** All responses except those that show a secret to its owner. */
  const responses: string[] = []

  async function send(path: string, init: RequestInit = {}): Promise<string> {
    const response = await fetch(`${server.url}${path}`, init)
    return `${response.status} ${JSON.stringify([...response.headers])} ${await response.text()}`
  }
  async function record(path: string, init: RequestInit = {}): Promise<void> {
    responses.push(await send(path, init))
  }

  // Secrets that are shown once.
  const createdKey = await send(
    '/graphql',
    post(ADMIN_KEY, 'mutation { createApiKey(input: { name: "app" }) { key } }'),
  )
  const [apiKey = ''] = /dk_live_\w+/.exec(createdKey) ?? []
  const createdWebhook = await send(
    '/graphql',
    post(ADMIN_KEY, `mutation { createWebhook(input: { url: "${receiver.url}/in" }) { secret } }`),
  )
  const [webhookSecret = ''] = /whsec_[\w+/=]+/.exec(createdWebhook) ?? []
  expect([apiKey.length, webhookSecret.length]).toEqual([68, 50])

  // Tasks at every provider, at upstreams that repeat the request.
  const photo = await sharp({
    create: {
      width: 64,
      height: 64,
      channels: 3,
      background: '#8899aa',
      noise: { type: 'gaussian', mean: 128, sigma: 30 },
    },
  })
    .png()
    .toBuffer()
  const dataUrl = `data:image/png;base64,${photo.toString('base64')}`
  const names = ['openai', 'basic', 'pmock', 'jimmy', 'acedata'] as const
  const create = 'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { task { id } } }'
  for (const name of names) fleet[name].script(...SCENARIOS)
  const over = new AbortController()
  const cooldownsEnded = endCooldownsEarly({ ...database.place, databaseUrl: database.url }, over.signal)
  await Promise.all(
    names.flatMap((name) =>
      SCENARIOS.map((_, nth) => {
        const images = nth === 0 && name === 'openai' ? [{ dataUrl }] : undefined
        const labels = [{ key: 'label', value: PRIVATE.label }]
        const input = {
          prompt: PRIVATE.prompt,
          user: PRIVATE.user,
          metadata: labels,
          providers: [name],
          images,
        }
        return record('/graphql', post(apiKey, create, { input }, { cookie: `sid=${WORLD.cookie}` }))
      }),
    ),
  )
  const signed = `https://photos.example/a.png?X-Amz-Signature=${PRIVATE.imageSignature}`
  const callbackUrl = `${receiver.url}/task?token=${PRIVATE.callbackToken}`
  const fetched = { prompt: PRIVATE.prompt, images: [{ url: signed }], callbackUrl, providers: ['openai'] }
  await record('/graphql', post(apiKey, create, { input: fetched }))

  // Requests with secrets in all wrong places.
  const nothing = '{ providers { name } }'
  await record('/graphql', post(WORLD.foreignBearer, nothing))
  await record('/graphql', post(`${apiKey.slice(0, -1)}_`, nothing))
  await record('/graphql', {
    ...post(apiKey, nothing),
    headers: { authorization: `Basic ${WORLD.basicLogin}` },
  })
  await record(`/graphql?key=${apiKey}`, post(apiKey, nothing))
  await record(`/graphql?access_token=${ADMIN_KEY}`)
  await record(`/nowhere/${apiKey}`)
  await record(`/graphql?token=${WORLD.queryToken}`, post(apiKey, nothing))
  await record('/livez', { headers: { authorization: `Bearer ${WORLD.pathToken}`, cookie: WORLD.cookie } })
  await record(`/callbacks/${WORLD.guessedCallback}`, { method: 'POST', body: KEYS.acedata })
  await record(
    '/graphql',
    post(apiKey, '{ task(id: "x") { nonsense } }', {}, { tracestate: WORLD.tracestate }),
  )
  await record(
    '/graphql',
    post(apiKey, create, { input: { prompt: PRIVATE.prompt, size: PRIVATE.user, n: 99 } }),
  )
  await record('/graphql', { ...post(apiKey, ''), body: `{"query": "${PRIVATE.prompt}` })

  // Read the results as owner and as operator. Signed URLs are for the owner, so they are not recorded.
  const listTasks = `{ tasks(first: 100) { nodes { id status error { code message } warnings { message }
    attempts { state remoteId providerRequestId error { message } } images { id } } } }`
  await expect
    .poll(async () => /"(?:QUEUED|RUNNING)"/.test(await send('/graphql', post(apiKey, listTasks))))
    .toBe(false)
  over.abort()
  await cooldownsEnded
  await record('/graphql', post(apiKey, listTasks))
  const imageUrls = await send('/graphql', post(apiKey, '{ tasks(first: 100) { nodes { images { url } } } }'))
  const signatures = [...imageUrls.matchAll(/[?&](?:sig|signature|s)=([\w-]{16,})/g)].map(
    ([, signature = '']) => signature,
  )
  expect(signatures.length).toBeGreaterThan(0)
  const [imageUrl = ''] = /http[^"]+\/assets\/[^"]+/.exec(imageUrls) ?? []
  expect((await fetch(imageUrl.replaceAll('\\u0026', '&'))).status).toBe(200)
  await record(`/assets/nothing.png?sig=${signatures[0]}`)
  await record('/metrics')
  await record('/metrics', {
    headers: { 'x-forwarded-for': '203.0.113.9', authorization: `Bearer ${apiKey}` },
  })

  const rows = await dump(database.url)
  const doctor = await darkroom(['doctor', '--json'], { cwd: database.place.dataDir, env })
  await mkdir(join(database.place.dataDir, 'bad'))
  const bad = {
    providers: [{ name: 'x', dialect: 'openai', apiKey: WORLD.malformedKey, apiKy: 1 }],
    databaseUrl: `mysql://u:${WORLD.malformedKey}@x/y`,
  }
  const malformed = []
  for (const text of [JSON.stringify(bad), `${JSON.stringify(bad, null, 1).slice(0, -4)} oops`]) {
    await writeFile(join(database.place.dataDir, 'bad', 'darkroom.config.json'), text)
    malformed.push(
      await darkroom(['serve'], {
        cwd: join(database.place.dataDir, 'bad'),
        env: { ...env, DATABASE_URL: '' },
      }),
    )
  }

  // The database fails.
  await database.away()
  for (const key of [apiKey, ADMIN_KEY]) {
    const input = { prompt: PRIVATE.prompt, user: PRIVATE.user }
    await record('/graphql', post(key, create, { input }))
    await record('/graphql', post(key, listTasks))
  }
  await record('/readyz')
  await record('/metrics')
  const options = { cwd: database.place.dataDir, env: { ...env, LOG_LEVEL: 'debug' } }
  const away = await darkroom(['doctor', '--json'], options)
  const starting = await darkroom(['serve', '--port', '0'], options)
  await server.stop()

  const callbackTokens = fleet.acedata.requests.flatMap(({ parameters: { callback_url: url } }) =>
    typeof url === 'string' ? [url.slice(url.lastIndexOf('/') + 1)] : [],
  )
  const pmockTokens = fleet.pmock.requests.map(({ headers }) => String(headers['pmock-access-token']))
  const never = [
    ...Object.values(KEYS),
    ...Object.values(WORLD),
    ADMIN_KEY,
    apiKey,
    // Its handle is not a secret.
    apiKey.slice(19),
    ...new Set(callbackTokens),
    ...new Set(pmockTokens),
    dataUrl.slice(60, 160),
  ]
  const privates = [...Object.values(PRIVATE), PRIVATE.prompt.slice(8)]
  const outside: [string, string][] = [
    ...server
      .output()
      .split('\n')
      .map((line): [string, string] => ['the log', line]),
    ...collector.bodies.map((body): [string, string] => ['a trace', body]),
    ...[doctor, away, starting, ...malformed].map(({ stdout, stderr }): [string, string] => [
      'a command',
      stdout + stderr,
    ]),
  ]
  const clientTexts = responses.map((text): [string, string] => ['a response', text])
  const stored = [...rows, ...(await filesUnder(join(database.place.dataDir, 'data')))]

  expect(hits(never, [...outside, ...clientTexts, ...stored])).toEqual([])
  expect(hits([webhookSecret, ...signatures], [...outside, ...clientTexts])).toEqual([])
  expect(hits([webhookSecret], stored).map(({ where }) => where)).toEqual(['table webhook_endpoints'])
  // At debug and trace, an error of an upstream may repeat a prompt.
  const aboveDebug = outside.filter(
    ([where, line]) => where !== 'the log' || !/"level":"(?:debug|trace)"/.test(line),
  )
  expect(hits(privates, aboveDebug)).toEqual([])
  const privateTables = new Set(
    'tasks task_labels task_words attempts assets webhook_deliveries task_events provider_cooldowns'.split(
      ' ',
    ),
  )
  const elsewhere = stored.filter(([where]) => !privateTables.has(where.replace('table ', '')))
  expect(hits(privates, elsewhere)).toEqual([])

  // The run covered all cases.
  expect(doctor.exitCode).toBe(0)
  expect(malformed.map(({ exitCode }) => exitCode)).toEqual([78, 78])
  expect([away.exitCode, starting.exitCode]).not.toContain(0)
  expect(callbackTokens.length).toBeGreaterThan(0)
  expect(outside.length).toBeGreaterThan(100)
  expect(collector.spans.length).toBeGreaterThan(50)
  expect(rows.length).toBeGreaterThan(100)
  expect(responses.join('')).toMatch(/\[redacted\]/)
  expect(responses.join('')).toMatch(/Unexpected error|unavailable/)
})

function hits(secrets: string[], texts: [where: string, text: string][]) {
  const forms = secrets.flatMap((secret) => [
    ...new Set([secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]),
  ])
  return texts.flatMap(([where, text]) =>
    forms
      .filter((secret) => text.includes(secret))
      .map((secret) => {
        const at = text.indexOf(secret)
        return { where, secret, around: text.slice(Math.max(0, at - 120), at + secret.length + 20) }
      }),
  )
}
