import { jimmy } from '../../src/providers/jimmy/jimmy.ts'
import { testProvider, type FailureRow, type StatusRow, type WireSubject } from './contract.ts'
import type { CannedReply } from './upstreams/fake.ts'
import { startJimmyUpstream } from './upstreams/jimmy.ts'

const apiKey = 'canary-jimmy-c81f04'

function subject(entry: {
  mode?: string
  taskFields?: 'size' | 'ratio'
}): Pick<WireSubject, 'open' | 'secrets'> {
  return {
    async open() {
      const upstream = await startJimmyUpstream({ apiKey, ...entry })
      const options = jimmy.options.parse({ baseUrl: upstream.url, apiKey, ...entry })
      return { provider: jimmy.create('jimmy', options), upstream }
    },
    secrets: [apiKey],
  }
}

function failed(code: number | string, msg: string, status = 200): CannedReply {
  return { status, body: { code, msg, data: null } }
}

function task(fields: object, code: number | string = '20000'): CannedReply {
  return { status: 200, body: { code, msg: 'ok', data: { progress: 0, ...fields } } }
}

const FAILURES: FailureRow[] = [
  ['a wrong key', 'refused', 'PROVIDER_MISCONFIGURED', 'NO', failed(20001, 'auth failure')],
  [
    'a wrong key by its status',
    'refused',
    'PROVIDER_MISCONFIGURED',
    'NO',
    failed(20001, 'auth failure', 401),
  ],
  ['a bad parameter', 'rejected', 'PROVIDER_REJECTED', 'NO', failed(20002, 'bad request')],
  ['a code as text', 'rejected', 'PROVIDER_REJECTED', 'NO', failed('20002', 'bad request')],
  ['a bad parameter by its status', 'rejected', 'PROVIDER_REJECTED', 'NO', failed(40001, 'size', 422)],
  ['an empty balance', 'refused', 'PROVIDER_QUOTA', 'NO', failed(40001, 'Insufficient balance')],
  ['an empty balance in Chinese', 'refused', 'PROVIDER_QUOTA', 'NO', failed(20002, '账户余额不足')],
  ['a used-up quota', 'refused', 'PROVIDER_QUOTA', 'NO', failed(40001, 'API key quota exceeded')],
  ['payment required', 'refused', 'PROVIDER_QUOTA', 'NO', failed(40001, 'no', 402)],
  [
    'a blocked prompt',
    'rejected',
    'MODERATION_BLOCKED',
    'UNKNOWN',
    failed(20002, 'content policy violation'),
  ],
  ['a blocked prompt in Chinese', 'rejected', 'MODERATION_BLOCKED', 'UNKNOWN', failed(-1, '内容违规')],
  [
    'too many requests in a success',
    'busy',
    'PROVIDER_RATE_LIMITED',
    'NO',
    failed(40001, 'Too many requests'),
  ],
  ['a failure of the server', 'broken', 'PROVIDER_BROKEN', 'UNKNOWN', failed(-1, 'server error')],
  ['the server’s quota elsewhere', 'broken', 'PROVIDER_BROKEN', 'UNKNOWN', failed(-1, 'quota exceeded')],
  ['a code on no page', 'broken', 'PROVIDER_BROKEN', 'UNKNOWN', failed(55555, 'odd')],
  ['a code that JavaScript knows', 'broken', 'PROVIDER_BROKEN', 'UNKNOWN', failed('constructor', 'odd')],
  [
    'an error in the form of OpenAI',
    'broken',
    'PROVIDER_BROKEN',
    'UNKNOWN',
    { status: 200, body: { error: { message: 'odd' } } },
  ],
  ['a status of 500', 'lost', 'OUTCOME_UNKNOWN', 'UNKNOWN', failed(-1, 'Insufficient balance', 500)],
  ['a proxy’s timeout', 'lost', 'OUTCOME_UNKNOWN', 'UNKNOWN', { status: 504, body: '<h1>504</h1>' }],
  ['some other server', 'refused', 'PROVIDER_MISCONFIGURED', 'NO', { status: 404, body: '<h1>404</h1>' }],
]

const inline = { result: { b64_json: Buffer.from('image').toString('base64'), image_url: null } }

const STATUSES: StatusRow[] = [
  ['queued', 'PENDING', task({ status: 'queued' })],
  ['pending', 'PENDING', task({ status: 'pending' })],
  ['submitted', 'PENDING', task({ status: 'submitted' })],
  ['processing', 'PENDING', task({ status: 'processing', progress: 40 })],
  ['a status on no page', 'PENDING', task({ status: 'upscaling' })],
  ['completed', 'DONE', task({ status: 'completed', ...inline })],
  ['completed, with a code that is a number', 'DONE', task({ status: 'completed', ...inline }, 20000)],
  ['COMPLETED', 'DONE', task({ status: 'COMPLETED', ...inline })],
  [
    'completed with an error that is empty',
    'DONE',
    { status: 200, body: { status: 'completed', error: '', ...inline } },
  ],
  ['success', 'DONE', task({ status: 'success', ...inline })],
  ['completed, without an envelope', 'DONE', { status: 200, body: { status: 'completed', ...inline } }],
  ['completed without an image', 'broken', task({ status: 'completed', result: null })],
  [
    'completed with an image at a private address, which the engine refuses to download',
    'DONE',
    task({ status: 'completed', result: { image_url: 'http://10.0.0.1/i.png' } }),
  ],
  ['failed', 'broken', task({ status: 'failed', result: null, error_message: 'canvas tore' })],
  ['failed without a message', 'broken', task({ status: 'failed' })],
  ['failed for its content', 'rejected', task({ status: 'failed', error_message: 'content policy' })],
  [
    'failed for its content, with the field of the FAQ',
    'rejected',
    task({ status: 'failed', error_msg: 'content policy' }),
  ],
  ['failed for this reason', 'rejected', task({ status: 'failed', reason: '审核未通过' })],
  ['canceled', 'broken', task({ status: 'cancelled' })],
  ['no such task', 'MISSING', failed(20002, 'task not found')],
  ['no such task by its status', 'MISSING', failed(20002, 'no', 404)],
  ['no such page, of a server that is down', 'lost', failed(-1, 'not found', 503)],
  ['a wrong key', 'refused', failed(20001, 'auth failure')],
  ['a bad check', 'lost', failed(20002, 'bad request')],
  ['too many checks', 'busy', failed(-1, 'slow', 429)],
  ['another task', 'lost', task({ status: 'failed', task_id: 'img_other' })],
  ['no status', 'lost', task({})],
  ['some other server', 'refused', { status: 404, body: '<h1>404</h1>' }],
]

const common = {
  givesNoRequestId: true as const,
  busy: failed(-1, 'slow down', 429),
  rejection: (message: string) => failed(20002, message),
  failures: FAILURES,
}

testProvider('jimmy, sync', {
  ...subject({ mode: 'sync' }),
  ...common,
  plain: {
    path: '/api/open-api/v1/images/generations',
    body: { model: 'gpt-image-2', prompt: 'a red fox in the snow', size: '1024x1024', n: 1, quality: 'low' },
  },
  wrongBase64: { status: 200, body: { code: 20000, data: { data: [{ b64_json: '%%%%' }] } } },
})

const asTask = {
  ...common,
  wrongBase64: task({ status: 'completed', result: { b64_json: '%%%%' } }),
  polling: { statuses: STATUSES },
}

testProvider('jimmy, auto', {
  ...subject({ mode: 'auto' }),
  ...asTask,
  plain: {
    path: '/api/open-api/v1/images',
    body: { model: 'gpt-image-2', prompt: 'a red fox in the snow', size: 'auto', resolution: '1k' },
  },
})

testProvider('jimmy, async with newer field names', {
  ...subject({ mode: 'async', taskFields: 'ratio' }),
  ...asTask,
  plain: {
    path: '/api/open-api/v1/images',
    body: {
      model: 'gpt-image-2',
      prompt: 'a red fox in the snow',
      ratio: 'auto',
      resolution: '1k',
      quality: 'low',
    },
  },
})
