// Jimmy AI as docs.jimmyai.cn describes it: synchronous images, or tasks that are polled. It refuses what is not
// on its pages, charges a task once at its creation, and a synchronous image once when it is sent.
import { startFake, type CannedReply, type Backend, type FakeUpstream, type ReceivedRequest } from './fake.ts'
import { formOf, toStrings } from './form.ts'
import { JIMMY_IMAGE_MICROS } from './tariff.ts'

export interface JimmyOptions {
  apiKey?: string
  /** The name of a task's size field: `size` on the page, `ratio` in newer clients, which also send the quality. */
  taskFields?: 'size' | 'ratio'
}

interface Task {
  id: string
  checks: number
  /** Set on completion. */
  url: string | undefined
}

/** Starts the upstream on a free loopback port. */
export function startJimmyUpstream({
  apiKey = 'jimmy-test-key',
  taskFields = 'size',
}: JimmyOptions = {}): Promise<FakeUpstream> {
  const tasks = new Map<string, Task>()

  async function answer(request: ReceivedRequest, backend: Backend): Promise<CannedReply> {
    const { method, headers, parameters } = request
    const path = request.path.slice(BASE.length)
    if (headers.authorization !== `Bearer ${apiKey}`) return failed(401, 20001, 'invalid api key')
    const taskId = /^\/images\/([^/]+)$/.exec(path)?.[1]
    if (method === 'GET' && taskId) return check(tasks.get(decodeURIComponent(taskId)), backend)
    if (path === '/images/generations') return generate(parameters, problemWith(parameters), backend)
    if (path === '/images/edits') {
      const { fields, files } = await formOf(request)
      return generate(fields, problemWith(fields) ?? problemWithFiles(files), backend)
    }
    if (path !== '/images') return failed(404, 20002, 'no such path')
    const problem = problemWithTask(parameters, taskFields)
    if (problem) return failed(200, 20002, problem)
    const task: Task = { id: `img_${tasks.size + 1}`, checks: 0, url: undefined }
    tasks.set(task.id, task)
    backend.charge(task.id, JIMMY_IMAGE_MICROS)
    // This page shows no envelope.
    const created = { task_id: task.id, status: 'queued', model: parameters.model, created_at: 1_780_001_000 }
    return { status: 200, body: created }
  }

  return startFake({
    basePath: BASE,
    answer,
    empty: { status: 200, body: { code: 20000, msg: 'ok', data: {} } },
  })
}

/** The tokens of an image. */
export const JIMMY_USAGE = {
  input_tokens: 18,
  output_tokens: 196,
  total_tokens: 214,
  input_tokens_details: { image_tokens: 0, text_tokens: 18 },
  output_tokens_details: { image_tokens: 196, text_tokens: 0 },
}

const BASE = '/api/open-api/v1'

async function generate(
  parameters: Record<string, unknown>,
  problem: string | undefined,
  backend: Backend,
): Promise<CannedReply> {
  // A failure has status 200, like a success.
  if (problem) return failed(200, 20002, problem)
  const { bytes } = await backend.makeImage(parameters)
  backend.charge(String(parameters.prompt), JIMMY_IMAGE_MICROS)
  const data = [
    { b64_json: bytes.toString('base64'), revised_prompt: `${String(parameters.prompt)}, revised` },
  ]
  return done(20000, { created: 1_780_000_789, data, model: parameters.model, usage: JIMMY_USAGE })
}

/** The first check finds it queued, the second processing, the third completed. */
async function check(task: Task | undefined, backend: Backend): Promise<CannedReply> {
  if (!task) return failed(404, 20002, 'task not found')
  const { id: task_id } = task
  task.checks += 1
  if (task.checks === 1) return done('20000', { task_id, status: 'queued', progress: 0, result: null })
  if (task.checks === 2) return done('20000', { task_id, status: 'processing', progress: 40, result: null })
  task.url ??= (await backend.makeImage()).url
  return done('20000', {
    task_id,
    status: 'completed',
    progress: 100,
    created_at: 1_780_001_000,
    completed_at: 1_780_001_055,
    result: { image_url: task.url, video_url: null },
    error_message: null,
  })
}

function done(code: number | string, data: object): CannedReply {
  return { status: 200, body: { code, msg: 'ok', data } }
}

function failed(status: number, code: number, msg: string): CannedReply {
  return { status, body: { code, msg, data: null } }
}

const SYNC_FIELDS = new Set(['model', 'prompt', 'size', 'n', 'quality', 'background', 'output_format'])
const VALUES: Record<string, string[]> = {
  quality: ['low', 'medium', 'high', 'auto'],
  background: ['transparent', 'opaque', 'auto'],
  output_format: ['png', 'jpeg', 'webp'],
}
const RATIOS = 'auto 1:1 3:2 2:3 4:3 3:4 5:4 4:5 16:9 9:16 2:1 1:2 3:1 1:3 21:9 9:21'.split(' ')

function problemWith(sent: Record<string, unknown>): string | undefined {
  const parameters = toStrings(sent)
  const unknown = Object.keys(parameters).find((name) => !SYNC_FIELDS.has(name))
  if (unknown) return `unknown field ${unknown}`
  if (!parameters.prompt) return 'prompt is required'
  if (Number(parameters.n ?? 1) !== 1) return 'n must be 1'
  if (!/^\d+x\d+$/.test(parameters.size ?? '1024x1024')) return 'size must be WIDTHxHEIGHT'
  const wrong = Object.entries(VALUES).find(
    ([name, values]) => parameters[name] !== undefined && !values.includes(parameters[name] ?? ''),
  )
  return wrong && `${wrong[0]} must be one of ${wrong[1].join(', ')}`
}

function problemWithFiles(files: { field: string; type: string }[]): string | undefined {
  const images = files.filter(({ field }) => field === 'image')
  if (images.length === 0 || images.length > 16) return 'image must be 1 to 16 files'
  const odd = files.find(({ field }) => field !== 'image' && field !== 'mask')
  if (odd) return `unknown file ${odd.field}`
  return files.every(({ type }) => type.startsWith('image/')) ? undefined : 'files must be images'
}

function problemWithTask(sent: Record<string, unknown>, taskFields: 'size' | 'ratio'): string | undefined {
  const parameters = toStrings(sent)
  const allowed = ['model', 'prompt', 'images', 'resolution', taskFields]
  if (taskFields === 'ratio') allowed.push('quality')
  const unknown = Object.keys(parameters).find((name) => !allowed.includes(name))
  if (unknown) return `unknown field ${unknown}`
  if (!parameters.prompt || !parameters.model) return 'model and prompt are required'
  if (!RATIOS.includes(parameters[taskFields] ?? 'auto')) return `${taskFields} must be a ratio`
  if (!['1k', '2k', '4k'].includes(parameters.resolution ?? '1k')) return 'resolution must be 1k, 2k or 4k'
  const images: unknown[] = Array.isArray(sent.images) ? sent.images : []
  const odd = images.find((image) => !/^(data:image\/\w+;base64,|https?:\/\/)/.test(String(image)))
  return odd === undefined ? undefined : 'images must be URLs or base64'
}
