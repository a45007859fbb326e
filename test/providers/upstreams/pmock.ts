// pmock's asynchronous images (docs.pmock.com, "openai generate async") on a real socket. It creates tasks,
// verifies signatures by its own clock, refuses what is not on the page, and records charges by task id. The path of
// checks is from docs.mountsea.ai, whose pages are similar.
import { createHmac } from 'node:crypto'
import { startFake, type CannedReply, type Backend, type FakeUpstream, type ReceivedRequest } from './fake.ts'
import { pmockTokens } from './tariff.ts'

export interface PmockUpstream extends FakeUpstream {
  /** The form of the following results; `images` by default. */
  give(form: ResultForm): void
  /** The statuses of the next tasks before they complete, one per check. */
  delay(...statuses: string[]): void
}

export type ResultForm = 'images' | 'list' | 'text' | 'text of a list' | 'link'

export interface PmockAccount {
  accessKey: string
  secretKey: string
  auth?: 'hmac' | 'bearer'
  headerPrefix?: string
  /** In ms since 1970. */
  now: () => number
}

const BASE = '/api/ai/openai'

export async function startPmockUpstream(account: PmockAccount): Promise<PmockUpstream> {
  const tasks = new Map<string, { statuses: string[]; result: unknown }>()
  let form: ResultForm = 'images'
  let delays: string[] = []

  async function submit(
    { parameters }: ReceivedRequest,
    { charge, makeImage }: Backend,
  ): Promise<CannedReply> {
    const problem = problemWith(parameters)
    if (problem) return pmockReply(400, null, problem)
    const { bytes, url } = await makeImage({ output_format: parameters.outputFormat })
    const taskId = `task/${tasks.size + 1} é`
    const data = [form === 'link' ? { url } : { b64_json: bytes.toString('base64') }]
    tasks.set(taskId, { statuses: [...delays], result: shape(form, data) })
    charge(taskId, pmockTokens({ textIn: USAGE.input_tokens, imageOut: USAGE.output_tokens }))
    return pmockReply(200, { taskId })
  }

  function query(id: string | null): CannedReply {
    const task = tasks.get(id ?? '')
    if (!task) return pmockReply(404, null, 'task not found')
    const status = task.statuses.shift()
    if (status) return taskReply({ taskId: id, status, result: null })
    return taskReply({ taskId: id, status: 'completed', result: task.result })
  }

  const fake = await startFake({
    basePath: BASE,
    empty: pmockReply(200, {}),
    async answer(request, backend) {
      const url = new URL(request.path, 'http://pmock')
      if (!isSigned(request, account)) return pmockReply(401, null, 'invalid access token')
      if (request.method === 'GET' && url.pathname === `${BASE}/tasks`)
        return query(url.searchParams.get('taskId'))
      if (request.method === 'POST' && request.path === `${BASE}/images/generate`)
        return submit(request, backend)
      return { status: 404, body: { status: 404, error: 'Not Found', path: request.path } }
    },
  })
  return {
    ...fake,
    give: (next) => void (form = next),
    delay: (...statuses) => void (delays = statuses),
  }
}

/** A reply in the page's wrapper, with the content type of the page. */
export function pmockReply(code: number | string, data: unknown, message = 'success'): CannedReply {
  return {
    status: 200,
    headers: { 'content-type': '*/*' },
    body: { code, message, data, traceId: 'trace-9f3a' },
  }
}

/** A task's record, with the fields that every record has. */
export function taskReply(record: object): CannedReply {
  return pmockReply(200, { errorCode: null, errorMessage: null, finishedAt: null, ...record })
}

const USAGE = {
  input_tokens: 21,
  output_tokens: 1372,
  total_tokens: 1393,
  input_tokens_details: { text_tokens: 21, image_tokens: 0 },
}

function shape(form: ResultForm, data: object[]): unknown {
  const images = { created: 1_780_000_123, size: '1024x1536', quality: 'medium', data, usage: USAGE }
  if (form === 'list') return data
  if (form === 'text') return JSON.stringify(images)
  if (form === 'text of a list') return JSON.stringify(data)
  return images
}

function isSigned({ headers }: ReceivedRequest, account: PmockAccount): boolean {
  const { accessKey, secretKey, auth = 'hmac', headerPrefix = 'pmock', now } = account
  if (auth === 'bearer') return headers.authorization === `Bearer ${accessKey}`
  const minute = now() - (now() % 60_000)
  const token = createHmac('sha256', secretKey)
    .update(`${accessKey}:${minute / 1000}`)
    .digest('base64')
  return (
    headers[`${headerPrefix}-access-key`] === accessKey && headers[`${headerPrefix}-access-token`] === token
  )
}

const ENUMS: Readonly<Record<string, readonly unknown[]>> = {
  model: ['gpt-image-2'],
  size: ['auto', '1024x1024', '1024x1536', '1536x1024'],
  n: [1],
  quality: ['auto', 'low', 'medium', 'high', 'standard'],
  background: ['transparent', 'opaque', 'auto'],
  outputFormat: ['png', 'jpeg', 'webp'],
  moderation: ['auto', 'low'],
  responseFormat: ['url', 'b64_json'],
  inputFidelity: ['high', 'low'],
}
const OTHERS = new Set(['prompt', 'outputCompression', 'image', 'mask'])

function problemWith({ ...parameters }: Record<string, unknown>): string | undefined {
  if (typeof parameters.prompt !== 'string' || parameters.prompt === '') return 'prompt must not be empty'
  if (parameters.model === undefined) return 'model must not be null'
  const wrong = Object.entries(parameters).find(([name, value]) =>
    ENUMS[name] ? !ENUMS[name].includes(value) : !OTHERS.has(name),
  )
  if (wrong) return `${wrong[0]} is not valid`
  if ((parameters.mask ?? parameters.inputFidelity) !== undefined && !parameters.image) return 'not an edit'
  return undefined
}
