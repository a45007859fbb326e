// Ace Data Cloud as docs.acedata.cloud describes it: synchronous images, or tasks on record that are polled or call back.
// Its callbacks are real POST requests to the given URL, with every failure that callbacks have.
import { setTimeout } from 'node:timers/promises'
import { problemWithEdit, problemWithGeneration } from './acedata-rules.ts'
import {
  startFake,
  type CannedReply,
  type Backend,
  type FakeUpstream,
  type ImageSize,
  type ReceivedRequest,
} from './fake.ts'
import { formOf } from './form.ts'
import { acedataImageMicros } from './tariff.ts'

/**
 * The callback of a request. `nested` and `flat` are the two documented forms, `twice` repeats it, `early` sends it before
 * the reply to the submit, `late` on `deliver`, `never` not at all, `forged` reports a running task as done, and
 * `failing` a failed task. All but `forged`, `late` and `never` end the task.
 */
export type CallbackScenario = 'nested' | 'flat' | 'twice' | 'early' | 'late' | 'never' | 'forged' | 'failing'

export interface Delivery {
  url: string
  body: string
  /** Null without a response. */
  status: number | null
}

export interface AcedataUpstream extends FakeUpstream {
  /** The scenarios of the next callbacks; `nested` after the last one. */
  scriptCallbacks(...scenarios: CallbackScenario[]): void
  /** Every callback in order, added after its response. */
  deliveries: Delivery[]
  /** Sends the `late` callbacks. */
  deliver(): Promise<void>
  /** Whether the upstream has a record with this trace id. */
  knows(trace: string): boolean
}

export interface AcedataAccount {
  apiKey?: string
  imageSize?: ImageSize | undefined
  /** False if records are found only by the upstream's ids; true by default. */
  keepsTraces?: boolean
}

interface Task {
  id: string
  parameters: Record<string, unknown>
  checks: number
  /** Null while it runs. */
  response: Response | null
}

type Response = { success: boolean; task_id: string; trace_id: string } & Record<string, unknown>

/** Starts the upstream on a free loopback port. */
export async function startAcedataUpstream({
  apiKey = 'ace-test-key',
  imageSize,
  keepsTraces = true,
}: AcedataAccount = {}): Promise<AcedataUpstream> {
  const tasks = new Map<string, Task>()
  const scenarios: CallbackScenario[] = []
  const deliveries: Delivery[] = []
  const late: (() => Promise<void>)[] = []
  const closed = new AbortController()
  let submits = 0

  async function answer(request: ReceivedRequest, backend: Backend): Promise<CannedReply> {
    if (request.headers.authorization !== `Bearer ${apiKey}`)
      return refused(401, 'invalid_token', 'token is invalid')
    if (request.path === `${BASE}/tasks`) return recordReply(recordOf(request.parameters), backend)
    const isEdit = request.path === `${BASE}/images/edits`
    if (!isEdit && request.path !== `${BASE}/images/generations`) return refused(404, 'no_api', 'no such api')
    const form = isEdit ? await formOf(request) : undefined
    const parameters = form?.fields ?? request.parameters
    const problem = form ? problemWithEdit(form) : problemWithGeneration(parameters)
    if (problem) return refused(400, 'bad_request', problem)

    submits += 1
    const task: Task = { id: `task-${submits}`, parameters, checks: 0, response: null }
    const address = parameters.callback_url
    if (typeof address === 'string') return submitWithCallback(task, address, backend)
    if (String(parameters.async) === 'true') return submit(task, backend)
    backend.charge(task.id, billOf(task))
    return { status: 200, body: await finish(task, backend) }
  }

  function recordOf(query: Record<string, unknown>): Task | undefined {
    const trace = query.trace_id
    return typeof trace === 'string' ? byTrace(trace) : tasks.get(String(query.id))
  }

  function byTrace(trace: string): Task | undefined {
    return keepsTraces ? [...tasks.values()].find((task) => traceOf(task) === trace) : undefined
  }

  function submit(task: Task, backend: Backend): CannedReply {
    tasks.set(task.id, task)
    backend.charge(task.id, billOf(task))
    return { status: 200, body: { success: true, task_id: task.id, trace_id: traceOf(task) } }
  }

  async function submitWithCallback(task: Task, address: string, backend: Backend): Promise<CannedReply> {
    const scenario = scenarios.shift() ?? 'nested'
    if (scenario === 'failing') task.response = failureOf(task, 'api_error', 'fetch failed')
    const reply = scenario === 'failing' ? { status: 200, body: { task_id: task.id } } : submit(task, backend)
    tasks.set(task.id, task)
    if (scenario === 'early') await callBack(task, address, scenario, backend)
    if (scenario === 'late') late.push(() => callBack(task, address, scenario, backend))
    if (scenario === 'early' || scenario === 'late' || scenario === 'never') return reply
    // After the reply to the submit.
    void setTimeout(20, undefined, { signal: closed.signal })
      .then(() => callBack(task, address, scenario, backend))
      .catch(() => undefined)
    return reply
  }

  async function callBack(
    task: Task,
    url: string,
    scenario: CallbackScenario,
    backend: Backend,
  ): Promise<void> {
    const response = scenario === 'forged' ? forgedFor(task) : (task.response ??= await finish(task, backend))
    const body = JSON.stringify(scenario === 'flat' || !response.success ? response : nest(response))
    for (let times = scenario === 'twice' ? 2 : 1; times > 0; times--) deliveries.push(await post(url, body))
  }

  const fake = await startFake({
    imageSize,
    basePath: BASE,
    answer,
    empty: { status: 200, body: { success: true, created: 1, data: [] } },
  })
  return {
    ...fake,
    deliveries,
    scriptCallbacks: (...next) => void scenarios.push(...next),
    knows: (trace) => byTrace(trace) !== undefined,
    deliver: async () => void (await Promise.all(late.splice(0).map((send) => send()))),
    close() {
      closed.abort()
      return fake.close()
    },
  }
}

/** The tokens of an image. */
export const ACEDATA_USAGE = { input_tokens: 775, output_tokens: 1372, total_tokens: 2147 }

const BASE = '/openai'

async function post(url: string, body: string): Promise<Delivery> {
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body }
  const reply = await fetch(url, init).catch(() => undefined)
  await reply?.body?.cancel()
  return { url, body, status: reply?.status ?? null }
}

/** A record has no status. The first check is before the end of the task. */
async function recordReply(task: Task | undefined, backend: Backend): Promise<CannedReply> {
  if (!task) return { status: 200, body: {} }
  task.checks += 1
  if (task.checks > 1) task.response ??= await finish(task, backend)
  const { id, response } = task
  const times = {
    created_at: 1_780_002_000.12,
    started_at: 1_780_002_000.4,
    finished_at: response && 1_780_002_061.9,
  }
  const request = { model: task.parameters.model, prompt: task.parameters.prompt }
  const record = {
    _id: `66${id}`,
    id,
    trace_id: traceOf(task),
    type: 'images_generations',
    ...times,
    request,
    response,
  }
  return { status: 200, body: record }
}

async function finish(task: Task, backend: Backend): Promise<Response> {
  const { n = 1, response_format, model } = task.parameters
  const data: object[] = []
  for (let index = 0; index < Number(n); index++) {
    const { bytes, url } = await backend.makeImage(task.parameters)
    data.push(
      response_format === 'b64_json' && Number(n) === 1 ? { b64_json: bytes.toString('base64') } : { url },
    )
  }
  const ids = { task_id: task.id, trace_id: traceOf(task) }
  return { success: true, ...ids, created: 1_780_002_060, model, data, usage: ACEDATA_USAGE }
}

function billOf({ parameters: { n = 1, quality } }: Task): number {
  return Number(n) * acedataImageMicros(quality)
}

function nest({ success, task_id, trace_id, ...data }: Response): Response {
  return { success, task_id, trace_id, data }
}

function forgedFor(task: Task): Response {
  const data = [{ url: 'http://169.254.169.254/latest/meta-data' }]
  return { success: true, task_id: task.id, trace_id: 'forged', created: 1, data }
}

function failureOf(task: Task, code: string, message: string): Response {
  return { success: false, task_id: task.id, trace_id: traceOf(task), error: { code, message } }
}

/** The trace id of the request, or a generated one. */
function traceOf({ id, parameters }: Task): string {
  return typeof parameters.trace_id === 'string' ? parameters.trace_id : `trace-${id}`
}

function refused(status: number, code: string, message: string): CannedReply {
  return { status, body: { success: false, error: { code, message }, trace_id: `trace-${code}` } }
}
