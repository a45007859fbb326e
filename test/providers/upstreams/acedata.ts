// Ace Data Cloud as docs.acedata.cloud describes it: synchronous images, or tasks on record that are polled or call back.
// Its callbacks are real POSTs to the address that it was given, and go wrong in every way that callbacks do.
import { setTimeout } from 'node:timers/promises'
import { problemWithEdit, problemWithGeneration } from './acedata-rules.ts'
import {
  startFake,
  type CannedReply,
  type Counter,
  type FakeUpstream,
  type PictureSize,
  type ReceivedRequest,
} from './fake.ts'
import { formOf } from './form.ts'
import { acedataPicture } from './tariff.ts'

/**
 * How a request with a callback URL is called back. `nested` and `flat` are the two documented shapes, `twice` sends the
 * same again, `early` comes before the reply to the submit, `late` on `deliver`, `never` not at all, `forged` reports a
 * task that is not done, and `failing` one that failed. All but `forged`, `late` and `never` end the task.
 */
export type CallbackScenario = 'nested' | 'flat' | 'twice' | 'early' | 'late' | 'never' | 'forged' | 'failing'

export interface Delivery {
  url: string
  body: string
  /** Null when there was no answer. */
  status: number | null
}

export interface AcedataUpstream extends FakeUpstream {
  /** The scenarios of the next callbacks; `nested` when the list has run out. */
  scriptCallbacks(...scenarios: CallbackScenario[]): void
  /** Every callback in order, once it was answered. */
  deliveries: Delivery[]
  /** Sends the callbacks that are late. */
  deliver(): Promise<void>
  /** Whether a request with this trace id is on record. */
  knows(trace: string): boolean
}

export interface AcedataAccount {
  apiKey?: string
  pictures?: PictureSize | undefined
  /** False where records are kept by the upstream's own ids alone; true by default. */
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

/** Starts one on a free port of the loopback address. */
export async function startAcedataUpstream({
  apiKey = 'ace-test-key',
  pictures,
  keepsTraces = true,
}: AcedataAccount = {}): Promise<AcedataUpstream> {
  const tasks = new Map<string, Task>()
  const scenarios: CallbackScenario[] = []
  const deliveries: Delivery[] = []
  const late: (() => Promise<void>)[] = []
  const closed = new AbortController()
  let submits = 0

  async function answer(request: ReceivedRequest, counter: Counter): Promise<CannedReply> {
    if (request.headers.authorization !== `Bearer ${apiKey}`)
      return refused(401, 'invalid_token', 'token is invalid')
    if (request.path === `${BASE}/tasks`) return tell(recordOf(request.parameters), counter)
    const isEdit = request.path === `${BASE}/images/edits`
    if (!isEdit && request.path !== `${BASE}/images/generations`) return refused(404, 'no_api', 'no such api')
    const form = isEdit ? await formOf(request) : undefined
    const parameters = form?.fields ?? request.parameters
    const problem = form ? problemWithEdit(form) : problemWithGeneration(parameters)
    if (problem) return refused(400, 'bad_request', problem)

    submits += 1
    const task: Task = { id: `task-${submits}`, parameters, checks: 0, response: null }
    const address = parameters.callback_url
    if (typeof address === 'string') return submitWithCallback(task, address, counter)
    if (String(parameters.async) === 'true') return submit(task, counter)
    counter.charge(task.id, billOf(task))
    return { status: 200, body: await finish(task, counter) }
  }

  function recordOf(query: Record<string, unknown>): Task | undefined {
    const trace = query.trace_id
    return typeof trace === 'string' ? byTrace(trace) : tasks.get(String(query.id))
  }

  function byTrace(trace: string): Task | undefined {
    return keepsTraces ? [...tasks.values()].find((task) => traceOf(task) === trace) : undefined
  }

  function submit(task: Task, counter: Counter): CannedReply {
    tasks.set(task.id, task)
    counter.charge(task.id, billOf(task))
    return { status: 200, body: { success: true, task_id: task.id, trace_id: traceOf(task) } }
  }

  async function submitWithCallback(task: Task, address: string, counter: Counter): Promise<CannedReply> {
    const scenario = scenarios.shift() ?? 'nested'
    if (scenario === 'failing') task.response = failureOf(task, 'api_error', 'fetch failed')
    const reply = scenario === 'failing' ? { status: 200, body: { task_id: task.id } } : submit(task, counter)
    tasks.set(task.id, task)
    if (scenario === 'early') await tellBack(task, address, scenario, counter)
    if (scenario === 'late') late.push(() => tellBack(task, address, scenario, counter))
    if (scenario === 'early' || scenario === 'late' || scenario === 'never') return reply
    // The answer is on its way by then.
    void setTimeout(20, undefined, { signal: closed.signal })
      .then(() => tellBack(task, address, scenario, counter))
      .catch(() => undefined)
    return reply
  }

  async function tellBack(
    task: Task,
    url: string,
    scenario: CallbackScenario,
    counter: Counter,
  ): Promise<void> {
    const response = scenario === 'forged' ? forgedFor(task) : (task.response ??= await finish(task, counter))
    const body = JSON.stringify(scenario === 'flat' || !response.success ? response : nest(response))
    for (let times = scenario === 'twice' ? 2 : 1; times > 0; times--) deliveries.push(await post(url, body))
  }

  const fake = await startFake({
    pictures,
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

/** What a picture costs there, in tokens. */
export const ACEDATA_USAGE = { input_tokens: 775, output_tokens: 1372, total_tokens: 2147 }

const BASE = '/openai'

async function post(url: string, body: string): Promise<Delivery> {
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body }
  const reply = await fetch(url, init).catch(() => undefined)
  await reply?.body?.cancel()
  return { url, body, status: reply?.status ?? null }
}

/** A record has no status; the first check comes too early. */
async function tell(task: Task | undefined, counter: Counter): Promise<CannedReply> {
  if (!task) return { status: 200, body: {} }
  task.checks += 1
  if (task.checks > 1) task.response ??= await finish(task, counter)
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

async function finish(task: Task, counter: Counter): Promise<Response> {
  const { n = 1, response_format, model } = task.parameters
  const data: object[] = []
  for (let index = 0; index < Number(n); index++) {
    const { bytes, url } = await counter.paint(task.parameters)
    data.push(
      response_format === 'b64_json' && Number(n) === 1 ? { b64_json: bytes.toString('base64') } : { url },
    )
  }
  const ids = { task_id: task.id, trace_id: traceOf(task) }
  return { success: true, ...ids, created: 1_780_002_060, model, data, usage: ACEDATA_USAGE }
}

function billOf({ parameters: { n = 1, quality } }: Task): number {
  return Number(n) * acedataPicture(quality)
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

/** The one that was sent with the request, else one of its own. */
function traceOf({ id, parameters }: Task): string {
  return typeof parameters.trace_id === 'string' ? parameters.trace_id : `trace-${id}`
}

function refused(status: number, code: string, message: string): CannedReply {
  return { status, body: { success: false, error: { code, message }, trace_id: `trace-${code}` } }
}
