import type { CannedReply } from './upstreams/fake.ts'
import { testProvider, type WireSubject } from './contract.ts'
import { openai } from './openai-call.ts'
import { startOpenaiUpstream } from './upstreams/openai.ts'

const apiKey = 'canary-openai-7f3a9c'

function error(status: number, code: string | null, message = 'No.'): CannedReply {
  return { status, body: { error: { message, type: 'x', param: null, code } } }
}

async function open(mode: 'sync' | 'stream') {
  const upstream = await startOpenaiUpstream({ apiKey })
  const options = openai.options.parse({ baseUrl: upstream.url, apiKey, mode, models: ['gpt-image-2'] })
  return { provider: openai.create('openai', options), upstream }
}

const subject: Omit<WireSubject, 'open' | 'plain' | 'wrongBase64'> = {
  secrets: [apiKey],
  busy: error(429, 'rate_limit_exceeded'),
  rejection: (message) => error(400, 'invalid_value', message),
  // The whole table, from recorded replies, is in openai-failures.test.ts.
  failures: [
    ['a wrong key', 'refused', 'PROVIDER_MISCONFIGURED', 'NO', error(401, 'invalid_api_key')],
    ['an empty account', 'refused', 'PROVIDER_QUOTA', 'NO', error(429, 'insufficient_quota')],
    ['a blocked image', 'rejected', 'MODERATION_BLOCKED', 'UNKNOWN', error(400, 'moderation_blocked')],
    ['a server’s failure', 'lost', 'OUTCOME_UNKNOWN', 'UNKNOWN', error(500, 'server_error')],
  ],
}

const path = '/v1/images/generations'
const body = { model: 'gpt-image-2', prompt: 'a red fox in the snow', n: 1 }

testProvider('openai', {
  ...subject,
  open: () => open('sync'),
  plain: { path, body },
  wrongBase64: { status: 200, body: { data: [{ b64_json: '%%%%' }] } },
})

testProvider('openai in a stream', {
  ...subject,
  open: () => open('stream'),
  plain: { path, body: { ...body, stream: true } },
  wrongBase64: {
    status: 200,
    headers: { 'content-type': 'text/event-stream' },
    body: 'event: image_generation.completed\ndata: {"b64_json":"%%%%"}\n\n',
  },
})
