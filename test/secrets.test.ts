// Every credential is a canary. All dialects run into all failures, at upstreams that repeat the request wherever they can.
// Then no output and no stored data may contain a credential.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { expect, it, onTestFinished } from 'vitest'
import { createLog } from '../src/log.ts'
import { startFleet, type Fleet, type Keys } from './providers/fleet.ts'
import type { AcedataUpstream } from './providers/upstreams/acedata.ts'
import type { CannedReply, Echo, Scenario } from './providers/upstreams/fake.ts'
import { newPlace, type Place } from './support/database.ts'
import { openGateway, type TestGateway } from './support/gateway.ts'
import { endCooldownsEarly } from './support/end-cooldowns.ts'

// Match no known pattern: they must be redacted as known secrets.
const KEYS: Keys = {
  openai: 'canary0penai5f1c77a2',
  basic: 'canaryBasic81d0e4c9',
  pmockAccess: 'canaryAccess3b9a60f7',
  pmockSecret: 'canarySigning7e21d85b',
  jimmy: 'canaryJimmy94c3f0a1',
  acedata: 'canaryAcedata6d58b2e3',
}

/** The headers with the credentials, and the body with the callback URL. */
function requestText({ headers, body }: Parameters<Echo>[0]): string {
  return `${Object.values(headers).join(' ')} ${body.toString('latin1').slice(0, 2000)}`
}

/** Repeats the request in every field that a dialect reads an error from. */
function echo(status: number, more: Record<string, string> = {}): Echo {
  return (request) => {
    const text = requestText(request)
    const { 'pmock-access-key': accessKey, authorization = '' } = request.headers
    const key = String(accessKey ?? authorization.slice('Bearer '.length))
    const error = { message: `Bad: ${text}`, type: text, code: key, param: key }
    const envelope = { code: status, msg: text, message: text, traceId: key, trace_id: key, task_id: null }
    return {
      status,
      headers: { 'x-request-id': key, 'x-trace': key, ...more },
      body: { ...envelope, success: false, error },
    }
  }
}

/** With an error code, for dialects that read one. */
function echoOf(code: string | number, status: number): Echo {
  return (request) => {
    const text = requestText(request)
    return { status, body: { code, msg: text, message: text, data: null, error: { code, message: text } } }
  }
}

const asText =
  (status: number, type: string): Echo =>
  (request): CannedReply => ({
    status,
    headers: { 'content-type': type },
    body: `<p>${requestText(request)}</p>`,
  })

const toElsewhere: Echo = (request) => ({
  status: 302,
  headers: { location: `http://127.0.0.1:1/?${request.headers.authorization?.slice(7) ?? 'x'}` },
  body: requestText(request),
})

const ECHOES: Scenario[] = [
  ...[400, 401, 402, 403, 404, 409, 422, 500, 503].map((status) => echo(status)),
  echo(429, { 'retry-after': '0' }),
  ...['bad_request', 'invalid_token', 'used_up', 'forbidden', 'api_error'].map((code) => echoOf(code, 403)),
  ...[400, 20001, 20002, -1, 55555].map((code) => echoOf(code, 200)),
  asText(200, 'text/html'),
  asText(502, 'text/plain'),
  toElsewhere,
]
const FAILURES: Scenario[] = [
  'truncated',
  'html',
  'empty-data',
  'reset-at-accept',
  'reset-after-request',
  'hang',
]

const TASK = `
  id status prompt allowedProviders idempotencyKey metadata { key value } user
  images { id url b64Json: sha256 revisedPrompt }
  error { code message providerRequestId }
  warnings { code field message }
  attempts {
    id state remoteId providerRequestId httpStatus error { code message providerRequestId }
    provider { name dialect models { name providerModelName price { version } } }
  }
  resolvedSettings { size quality background outputFormat }
  events { nodes { __typename cursor at } }`

async function runOne(
  gateway: TestGateway,
  provider: string,
  responses: string[],
  input: object = {},
): Promise<void> {
  const id = await gateway.generate({ prompt: 'a red fox', providers: [provider], ...input })
  const watching = gateway.watch<{ taskEvents: { task: { status: string } } }>(
    'SSE',
    `subscription ($taskId: ID!) { taskEvents(taskId: $taskId) { __typename cursor task { ${TASK} } } }`,
    { taskId: id },
  )
  for await (const event of watching) {
    responses.push(JSON.stringify(event))
    const status = event.data?.taskEvents.task.status ?? ''
    if (!['QUEUED', 'RUNNING'].includes(status)) break
  }
  responses.push(
    JSON.stringify(await gateway.execute(`query ($id: ID!) { task(id: $id) { ${TASK} } }`, { id })),
  )
}

const ASYNCHRONOUS = new Set(['pmock', 'jimmy', 'acedata'])

/** Runs one task per failure scenario of a submit or a check, for every provider. */
async function runAll(gateway: TestGateway, fleet: Fleet, responses: string[]): Promise<void> {
  const names = ['openai', 'basic', 'pmock', 'jimmy', 'acedata'] as const
  const runs = names.flatMap((name) => {
    const scenarios = [...ECHOES, ...FAILURES]
    const count = ASYNCHRONOUS.has(name) ? 2 * scenarios.length : scenarios.length
    fleet[name].script(...scenarios, ...scenarios.map((): Scenario => 'ok'), ...scenarios)
    return Array.from({ length: count }, (_, index) =>
      runOne(gateway, name, responses, name === 'jimmy' && index % 4 === 0 ? { quality: 'HIGH' } : {}),
    )
  })
  await Promise.all(runs)
}

/** Sends callbacks that repeat the callback URL and the key, valid and invalid. */
async function callBack(upstream: AcedataUpstream): Promise<void> {
  for (const address of addressesOf(upstream).slice(0, 5)) {
    const text = `${address} ${KEYS.acedata}`
    const echoed = { task_id: 'task-x', error: { code: KEYS.acedata, message: text } }
    await fetch(address, { method: 'POST', body: JSON.stringify(echoed) })
    await fetch(address, { method: 'POST', body: text })
  }
}

function addressesOf({ requests }: AcedataUpstream): string[] {
  return requests.flatMap(({ parameters: { callback_url: url } }) => (typeof url === 'string' ? [url] : []))
}

const CONFIG = 'darkroom.config.json'

/** Every file under a folder and every row of the database, as text. */
async function contentsOf({ dataDir }: Place): Promise<[where: string, text: string][]> {
  const found: [string, string][] = []
  for (const entry of await readdir(dataDir, { recursive: true, withFileTypes: true })) {
    // The configuration has the credentials.
    if (!entry.isFile() || entry.name === CONFIG) continue
    const path = join(entry.parentPath, entry.name)
    found.push([path, await readFile(path, 'latin1')])
  }
  const db = new BetterSqlite3(join(dataDir, 'darkroom.db'), { readonly: true })
  const tables = db.prepare<[], { name: string }>("select name from sqlite_master where type = 'table'").all()
  for (const { name } of tables) {
    for (const row of db.prepare(`select * from "${name}"`).all())
      found.push([`table ${name}`, JSON.stringify(row)])
  }
  db.close()
  return found
}

it('no credential is in any log, response, event, row or file of a run where everything fails', async () => {
  const fleet = await startFleet({ keys: KEYS, timeoutMs: 300 })
  const place = await newPlace('sqlite')
  onTestFinished(async () => {
    await fleet.close()
    await place.remove()
  })
  const lines: string[] = []
  const log = createLog('trace', { write: (line) => void lines.push(line) })
  const gateway = await openGateway({ place, providers: fleet.entries, engine: { pollMs: 20 }, log })
  const responses: string[] = []
  const over = new AbortController()
  const hastened = endCooldownsEarly(place, over.signal)
  try {
    await runAll(gateway, fleet, responses)
    await callBack(fleet.acedata)
    responses.push(
      JSON.stringify(
        await gateway.execute('{ providers { name dialect models { name providerModelName } } }'),
      ),
    )
  } finally {
    over.abort()
    await hastened
    await gateway[Symbol.asyncDispose]()
  }

  const callbackSecrets = addressesOf(fleet.acedata).map((url) => url.slice(url.lastIndexOf('/') + 1))
  const tokens = fleet.pmock.requests.map(({ headers }) => String(headers['pmock-access-token']))
  const secrets = [...Object.values(KEYS), ...new Set(callbackSecrets), ...new Set(tokens)]
  const texts = [
    ...lines.map((line): [string, string] => ['the log', line]),
    ...responses.map((text): [string, string] => ['a response', text]),
    ...(await contentsOf(place)),
  ]
  const hits = texts.flatMap(([where, text]) =>
    secrets
      .filter((secret) => text.includes(secret))
      .map((secret) => `${where}: ${secret} in ${around(text, secret)}`),
  )
  expect(hits).toEqual([])
  // Secrets were sent and repeated, and failures were reported.
  expect(callbackSecrets.length).toBeGreaterThan(10)
  expect(lines.length).toBeGreaterThan(100)
  expect(responses.join('')).toMatch(/\[redacted\]/)
})

function around(text: string, secret: string): string {
  const at = text.indexOf(secret)
  return text.slice(Math.max(0, at - 80), at + secret.length + 20)
}
