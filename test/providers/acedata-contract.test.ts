import { acedata } from '../../src/providers/acedata/acedata.ts'
import { testProvider, type FailureRow, type StatusRow, type WireSubject } from './contract.ts'
import { ACEDATA_USAGE, startAcedataUpstream } from './upstreams/acedata.ts'
import type { CannedReply } from './upstreams/fake.ts'

const apiKey = 'canary-acedata-90be7d'

function subject(entry: object): Pick<WireSubject, 'open' | 'secrets'> {
  return {
    async open() {
      const upstream = await startAcedataUpstream({ apiKey })
      const options = acedata.options.parse({ baseUrl: upstream.url, apiKey, ...entry })
      return { provider: acedata.create('acedata', options), upstream }
    },
    secrets: [apiKey],
  }
}

function failed(status: number, code: string, message = 'No.'): CannedReply {
  return { status, body: { success: false, error: { code, message }, trace_id: 'trace-1' } }
}

function record(response: unknown, fields: object = {}): CannedReply {
  const finished_at = response === null ? null : 1_780_002_061.9
  return { status: 200, body: { id: 'task-1', trace_id: 'trace-1', finished_at, response, ...fields } }
}

const failure = (error: unknown) => record({ success: false, task_id: 'task-1', trace_id: 'trace-1', error })

const FAILURES: FailureRow[] = [
  ['a bad parameter', 'rejected', 'PROVIDER_REJECTED', 'NO', failed(400, 'bad_request')],
  ['no token', 'refused', 'PROVIDER_MISCONFIGURED', 'NO', failed(400, 'no_token')],
  ['an API not there yet', 'refused', 'PROVIDER_MISCONFIGURED', 'NO', failed(400, 'api_not_implemented')],
  ['a wrong token', 'refused', 'PROVIDER_MISCONFIGURED', 'NO', failed(401, 'invalid_token')],
  ['an expired token', 'refused', 'PROVIDER_MISCONFIGURED', 'NO', failed(401, 'token_expired')],
  ['another API’s token', 'refused', 'PROVIDER_MISCONFIGURED', 'NO', failed(401, 'token_mismatched')],
  [
    'another API’s token, with 400',
    'refused',
    'PROVIDER_MISCONFIGURED',
    'NO',
    failed(400, 'token_mismatched'),
  ],
  ['a disabled account', 'refused', 'PROVIDER_MISCONFIGURED', 'NO', failed(403, 'disabled')],
  ['an empty balance', 'refused', 'PROVIDER_QUOTA', 'NO', failed(403, 'used_up', 'balance is not enough')],
  ['a blocked prompt', 'rejected', 'MODERATION_BLOCKED', 'UNKNOWN', failed(403, 'forbidden')],
  ['an API that is none', 'refused', 'PROVIDER_MISCONFIGURED', 'NO', failed(404, 'no_api')],
  ['too many requests', 'busy', 'PROVIDER_RATE_LIMITED', 'NO', failed(429, 'too_many_requests')],
  ['a failure of the API', 'broken', 'PROVIDER_BROKEN', 'UNKNOWN', failed(500, 'api_error', 'fetch failed')],
  ['a timeout', 'lost', 'OUTCOME_UNKNOWN', 'UNKNOWN', failed(504, 'timeout')],
  ['a code on no page', 'rejected', 'PROVIDER_REJECTED', 'NO', failed(422, 'odd')],
  ['a code that JavaScript knows', 'rejected', 'PROVIDER_REJECTED', 'NO', failed(400, 'constructor')],
  [
    'an error without success: false',
    'refused',
    'PROVIDER_QUOTA',
    'NO',
    { status: 403, body: { error: { code: 'used_up' } } },
  ],
  ['an error of one word', 'rejected', 'PROVIDER_REJECTED', 'NO', { status: 400, body: { error: 'No.' } }],
  ['an error in a success', 'broken', 'PROVIDER_BROKEN', 'UNKNOWN', failed(200, 'api_error')],
  [
    'an error of one word in a success',
    'broken',
    'PROVIDER_BROKEN',
    'UNKNOWN',
    { status: 200, body: { success: false, error: 'No.' } },
  ],
  [
    'a failure without an error',
    'broken',
    'PROVIDER_BROKEN',
    'UNKNOWN',
    { status: 200, body: { success: false } },
  ],
  ['a proxy’s failure', 'lost', 'OUTCOME_UNKNOWN', 'UNKNOWN', { status: 502, body: '<h1>502</h1>' }],
  ['some other server', 'refused', 'PROVIDER_MISCONFIGURED', 'NO', { status: 404, body: '<h1>404</h1>' }],
]

const data = [{ b64_json: Buffer.from('image').toString('base64') }]

const STATUSES: StatusRow[] = [
  ['no response', 'PENDING', record(null)],
  ['no response, but finished', 'PENDING', record(null, { finished_at: 1_780_002_061 })],
  ['no response, started at a written date', 'PENDING', record(null, { started_at: '2026-11-20T08:00:00Z' })],
  ['a flat response', 'DONE', record({ success: true, created: 1, data })],
  ['a nested response', 'DONE', record({ success: true, data: { created: 1, data } })],
  ['a response without success: true', 'DONE', record({ data })],
  ['a response with an error that is empty', 'DONE', record({ success: true, error: '', data })],
  ['an empty record', 'MISSING', { status: 200, body: {} }],
  ['a response without an image', 'unproven', record({ success: true, data: [] })],
  [
    'an image at a private address, which the engine refuses to download',
    'DONE',
    record({ data: [{ url: 'http://10.0.0.1/i.png' }] }),
  ],
  ['a failure of the API', 'broken', failure({ code: 'api_error', message: 'fetch failed' })],
  ['a failure of one word', 'broken', failure('fetch failed')],
  ['a timeout of the model', 'broken', failure({ code: 'timeout', message: 'No.' })],
  ['a blocked image', 'rejected', failure({ code: 'forbidden', message: 'No.' })],
  ['a bad parameter', 'rejected', failure({ code: 'bad_request', message: 'No.' })],
  ['an empty balance', 'broken', failure({ code: 'used_up', message: 'No.' })],
  ['too many requests of the task', 'broken', failure({ code: 'too_many_requests', message: 'No.' })],
  ['another task', 'lost', record(null, { id: 'task-2' })],
  ['a wrong token', 'refused', failed(401, 'invalid_token')],
  ['a bad check', 'lost', failed(400, 'bad_request')],
  ['a failure of the check', 'lost', failed(500, 'api_error')],
  ['too many checks', 'busy', failed(429, 'too_many_requests')],
]

const path = '/openai/images/generations'
const body = {
  prompt: 'a red fox in the snow',
  model: 'gpt-image-2',
  background: 'auto',
  moderation: 'auto',
  n: 1,
  output_compression: 100,
  output_format: 'png',
  partial_images: 0,
  size: 'auto',
  quality: 'auto',
  response_format: 'url',
}
const common = {
  busy: failed(429, 'too_many_requests'),
  rejection: (message: string) => failed(400, 'bad_request', message),
  failures: FAILURES,
}
const task = { task_id: 'task-1', trace_id: 'trace-1' }

function images(entries: object[]) {
  const facts = { created: 1_780_002_000, model: 'gpt-image-2', usage: ACEDATA_USAGE }
  return { success: true, ...task, ...facts, data: entries }
}

testProvider('acedata, sync', {
  ...subject({ mode: 'sync' }),
  ...common,
  plain: { path, body },
  results: ({ b64_json, url }) => [{ json: images([{ url }]) }, { json: images([{ b64_json }]) }],
  wrongBase64: { status: 200, body: { success: true, data: [{ b64_json: '%%%%' }] } },
})

testProvider('acedata, sync in base64', {
  ...subject({ mode: 'sync', responseFormat: 'b64_json', models: ['gpt-image-2', 'dall-e-2'] }),
  ...common,
  plain: { path, body: { ...body, response_format: 'b64_json' } },
  results: ({ b64_json }) => [{ json: images([{ b64_json, revised_prompt: 'A fox.' }]) }],
  wrongBase64: { status: 200, body: { success: true, data: { data: [{ b64_json: '%%%%' }] } } },
})

testProvider('acedata, auto without a public address', {
  ...subject({ mode: 'auto' }),
  ...common,
  plain: { path, body: { ...body, async: true, trace_id: 'att_1' } },
  results: ({ b64_json, url }, id) => [
    { json: Object(record(images([{ url }]), { id }).body) },
    {
      json: Object(
        record({ success: true, ...task, data: { created: 1, data: [{ b64_json }] } }, { id }).body,
      ),
    },
  ],
  wrongBase64: record({ success: true, data: [{ b64_json: '%%%%' }] }),
  polling: { statuses: STATUSES },
  callbacks: [
    { body: JSON.stringify({ success: true, ...task, data: { created: 1, data } }), remoteId: 'task-1' },
    { body: JSON.stringify({ success: true, ...task, created: 1, data }), remoteId: 'task-1' },
    { body: JSON.stringify({ success: false, ...task, error: { code: 'api_error' } }), remoteId: 'task-1' },
    { body: JSON.stringify({ success: false, ...task, error: 'fetch failed' }), remoteId: 'task-1' },
    { body: `\uFEFF${JSON.stringify({ success: true, ...task, data })}`, remoteId: 'task-1' },
    { body: JSON.stringify({ success: true, data }), remoteId: null },
    { body: JSON.stringify({ task_id: 7 }), remoteId: null },
    { body: '{}', remoteId: null },
  ],
})
