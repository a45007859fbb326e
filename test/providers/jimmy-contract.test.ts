import { jimmy } from '../../src/providers/jimmy/jimmy.ts'
import { testProvider, type FailureRow, type StatusRow, type WireSubject } from './contract.ts'
import type { CannedReply } from './upstreams/fake.ts'
import type { ResultImage } from './receiving/damaged-replies.ts'
import { JIMMY_USAGE, startJimmyUpstream } from './upstreams/jimmy.ts'

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
  [
    'an empty balance in words',
    'broken',
    'PROVIDER_BROKEN',
    'UNKNOWN',
    failed(40001, 'Insufficient balance'),
  ],
  ['an empty balance in Chinese', 'rejected', 'PROVIDER_REJECTED', 'NO', failed(20002, '账户余额不足')],
  [
    'a used-up quota in words',
    'broken',
    'PROVIDER_BROKEN',
    'UNKNOWN',
    failed(40001, 'API key quota exceeded'),
  ],
  ['payment required', 'refused', 'PROVIDER_QUOTA', 'NO', failed(40001, 'no', 402)],
  ['a blocked prompt', 'rejected', 'PROVIDER_REJECTED', 'NO', failed(20002, 'content policy violation')],
  ['a blocked prompt in Chinese', 'broken', 'PROVIDER_BROKEN', 'UNKNOWN', failed(-1, '内容违规')],
  ['too many requests in words', 'broken', 'PROVIDER_BROKEN', 'UNKNOWN', failed(40001, 'Too many requests')],
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
  ['a status on no page, with an image', 'DONE', task({ status: 'succeed', ...inline })],
  ['failed, with an image', 'DONE', task({ status: 'failed', ...inline })],
  ['no status, with an image', 'DONE', task(inline)],
  ['another task, with an image', 'lost', task({ task_id: 'img_other', status: 'completed', ...inline })],
  [
    'processing, with an image that may be a partial one',
    'PENDING',
    task({ status: 'processing', ...inline }),
  ],
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
  ['completed without an image', 'unproven', task({ status: 'completed', result: null })],
  [
    'completed with an image at a private address, which the engine refuses to download',
    'DONE',
    task({ status: 'completed', result: { image_url: 'http://10.0.0.1/i.png' } }),
  ],
  ['failed', 'broken', task({ status: 'failed', result: null, error_message: 'canvas tore' })],
  ['failed without a message', 'broken', task({ status: 'failed' })],
  ['failed for its content', 'broken', task({ status: 'failed', error_message: 'content policy' })],
  [
    'failed for its content, with the field of the FAQ',
    'broken',
    task({ status: 'failed', error_msg: 'content policy' }),
  ],
  ['failed for this reason', 'broken', task({ status: 'failed', reason: '审核未通过' })],
  ['canceled', 'broken', task({ status: 'cancelled' })],
  ['no such task in words', 'lost', failed(20002, 'task not found')],
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
  results({ b64_json, url }) {
    const facts = { created: 1_780_000_789, model: 'gpt-image-2', usage: JIMMY_USAGE }
    const reply = (data: object[]) => ({ json: { code: 20000, msg: 'ok', data: { data, ...facts } } })
    return [reply([{ b64_json, revised_prompt: 'A fox.' }]), reply([{ url }])]
  },
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
  results({ b64_json, url }: ResultImage, task_id: string) {
    const ended = {
      task_id,
      status: 'completed',
      progress: 100,
      created_at: 1_780_001_000,
      error_message: null,
    }
    const record = (result: object) => ({ json: { code: '20000', msg: 'ok', data: { ...ended, result } } })
    return [record({ image_url: url, video_url: null }), record({ b64_json, image_url: null })]
  },
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
