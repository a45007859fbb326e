import { createPmock, pmock } from '../../src/providers/pmock/pmock.ts'
import { testProvider, type FailureRow, type StatusRow } from './contract.ts'
import { pmockReply, startPmockUpstream, taskReply } from './upstreams/pmock.ts'

const accessKey = 'canary-access-5b1e77'
const secretKey = 'canary-secret-c09d42'
const now = () => 1_779_999_975_000

const failed = (code: number | string, status = 200) => ({ ...pmockReply(code, null, 'No.'), status })

const FAILURES: FailureRow[] = [
  ['an invalid token', 'refused', 'PROVIDER_MISCONFIGURED', 'NO', failed(401)],
  ['an invalid token as a text', 'refused', 'PROVIDER_MISCONFIGURED', 'NO', failed('401')],
  ['an invalid token with its status', 'refused', 'PROVIDER_MISCONFIGURED', 'NO', failed(401, 401)],
  ['an account without rights', 'refused', 'PROVIDER_MISCONFIGURED', 'NO', failed(403)],
  ['an empty balance', 'refused', 'PROVIDER_QUOTA', 'NO', failed(402)],
  ['a bad parameter', 'rejected', 'PROVIDER_REJECTED', 'NO', failed(400)],
  [
    'a blocked prompt',
    'rejected',
    'PROVIDER_REJECTED',
    'NO',
    pmockReply(400, null, 'Your request was rejected by the safety system.'),
  ],
  ['too many requests with status 200', 'busy', 'PROVIDER_RATE_LIMITED', 'NO', failed(429)],
  ['a server’s failure', 'lost', 'OUTCOME_UNKNOWN', 'UNKNOWN', failed(500)],
  ['a server’s failure with the code of a refusal', 'lost', 'OUTCOME_UNKNOWN', 'UNKNOWN', failed(400, 500)],
  ['a refusal with the code of a server’s failure', 'lost', 'OUTCOME_UNKNOWN', 'UNKNOWN', failed(500, 400)],
  ['an undocumented code', 'broken', 'PROVIDER_BROKEN', 'UNKNOWN', failed(10_023)],
  ['a code of zero', 'broken', 'PROVIDER_BROKEN', 'UNKNOWN', failed(0)],
  ['a success without a task id', 'broken', 'PROVIDER_BROKEN', 'UNKNOWN', pmockReply(200, { taskId: '' })],
  [
    'a base URL that leads elsewhere',
    'refused',
    'PROVIDER_MISCONFIGURED',
    'NO',
    { status: 404, body: 'No.' },
  ],
]

const finished = (result: unknown) => taskReply({ status: 'completed', result })
const image = { b64_json: 'AAAA' }

const STATUSES: StatusRow[] = [
  ...['pending', 'ready', 'assigned', 'processing', 'queued', 'RUNNING', 'not-on-file', ''].map(
    (status): StatusRow => [`a task that is ${status || 'nothing'}`, 'PENDING', taskReply({ status })],
  ),
  ...['completed', 'COMPLETED', 'Succeeded', 'success', 'done'].map((status): StatusRow => {
    return [`a task that is ${status}`, 'DONE', taskReply({ status, result: { data: [image] } })]
  }),
  ...['failed', 'FAILED', 'cancelled', 'canceled', 'timeout', 'timed_out', 'error', 'expired'].map(
    (status): StatusRow => [`a task that is ${status}`, 'broken', taskReply({ status })],
  ),
  [
    'a task that is finished, by a word that is not on file',
    'DONE',
    taskReply({ status: 'finished', result: [image] }),
  ],
  ['a task that is running, with an image', 'PENDING', taskReply({ status: 'processing', result: [image] })],
  ['a task that failed by its request', 'rejected', taskReply({ status: 'failed', errorCode: 400 })],
  ['a task that failed by rate', 'broken', taskReply({ status: 'failed', errorCode: '429' })],
  [
    'a task that was blocked',
    'broken',
    taskReply({ status: 'failed', errorCode: null, errorMessage: 'Rejected by the safety system.' }),
  ],
  ['a result as a text', 'DONE', finished(JSON.stringify({ data: [image] }))],
  ['a result as a text in a text', 'DONE', finished(JSON.stringify(JSON.stringify([image])))],
  ['a result as a text that is none', 'unproven', finished('{"data":')],
  ['a finished task without a result', 'unproven', finished(null)],
  ['a finished task without an image', 'unproven', finished({ data: [{}] })],
  ['a record without its wrapper', 'DONE', { status: 200, body: { status: 'completed', result: [image] } }],
  ['a code as a text', 'PENDING', pmockReply('200', { status: 'processing' })],
  ['an id that is not on record', 'MISSING', pmockReply(200, null)],
  ['an id that is unknown by code', 'MISSING', pmockReply('404', null, 'No.')],
  ['an id that is unknown by the message', 'lost', pmockReply(500, null, 'Task does not exist')],
  ['an id that is unknown by status', 'MISSING', { status: 404, body: 'Not Found' }],
  ['an invalid token', 'refused', failed(401)],
  ['too many checks', 'busy', failed(429, 429)],
  ['a check that was rejected', 'lost', failed(400)],
  ['a check that failed', 'lost', failed(500)],
  ['a record that is none', 'lost', pmockReply(200, 'soon')],
]

testProvider('pmock', {
  async open() {
    const upstream = await startPmockUpstream({ accessKey, secretKey, now })
    const options = pmock.options.parse({ baseUrl: upstream.url, accessKey, secretKey })
    return { provider: createPmock('pmock', options, { now }), upstream }
  },
  secrets: [accessKey, secretKey],
  plain: {
    path: '/api/ai/openai/images/generate',
    body: {
      prompt: 'a red fox in the snow',
      model: 'gpt-image-2',
      size: 'auto',
      n: 1,
      quality: 'auto',
      background: 'auto',
      outputFormat: 'png',
      moderation: 'auto',
      responseFormat: 'b64_json',
    },
  },
  busy: failed(429, 429),
  rejection: (message) => pmockReply(400, null, message),
  wrongBase64: finished({ data: [{ b64_json: '%%%%' }] }),
  results({ b64_json, url }, taskId) {
    const usage = { input_tokens: 21, output_tokens: 1372, total_tokens: 1393 }
    const images = { created: 1_780_000_123, data: [{ b64_json, url: '' }], usage }
    const ended = { taskId, status: 'completed', finishedAt: '2026-11-20T08:00:52.000Z', errorCode: null }
    const record = (result: unknown) => ({ json: Object(taskReply({ ...ended, result }).body) })
    return [record(images), record([{ url }])]
  },
  failures: FAILURES,
  polling: { statuses: STATUSES },
})
