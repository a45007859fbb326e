// Throws everything at a gateway in a process of its own, and looks what it did: answered, paid, grew, or broke.
import { readFileSync } from 'node:fs'
import { schema } from '../../src/schema/index.ts'
import { unknownCodes } from '../http/untouched.ts'
import { startOpenaiUpstream } from '../providers/upstreams/openai.ts'
import { createRandom, type Random } from '../support/random.ts'
import { findDiscrepancies } from '../storm/discrepancies.ts'
import { readFinalState } from '../support/final-state.ts'
import type { Place } from '../support/database.ts'
import { startGateway } from '../support/gateway-process.ts'
import { anyShot, mayPay, type Shot } from './requests.ts'
import { talk } from './sockets.ts'

export interface Fuzzing {
  place: Place
  seed: number
  /** Ends after so many requests, or after so long. */
  until: { requests: number } | { ms: number }
  /** How many clients at a time. */
  clients?: number
}

export interface Findings {
  requests: number
  sockets: number
  /** How often each status, or close code, was answered. */
  answers: Record<string, number>
  /** Requests whose connection was cut instead. */
  cut: number
  tasks: number
  charges: number
  /** How much more memory the gateway held at the end than after the first quarter, in bytes. */
  grownBytes: number
  /** How much it held after each twentieth of the time, in MB. */
  heldMb: number[]
  /** What should not be, in sentences; each with what was sent. */
  wrong: string[]
}

/** So that making keys, which the fuzzer may, does not lock it out. */
const ADMIN_KEY = 'the-key-of-the-fuzzer-0123456789abcdef'

/** The part of a run that goes by before memory is measured: until then code is compiled and caches fill. */
const WARM_UP = 0.25

export async function fuzz({ place, seed, until, clients = 6 }: Fuzzing): Promise<Findings> {
  const upstream = await startOpenaiUpstream()
  const provider = { name: 'paid', dialect: 'openai', baseUrl: upstream.url, apiKey: 'sk-test-key' }
  const gateway = await startGateway(place, { providers: [provider], settings: { adminKey: ADMIN_KEY } })
  const found: Findings = {
    requests: 0,
    sockets: 0,
    answers: {},
    cut: 0,
    tasks: 0,
    charges: 0,
    grownBytes: 0,
    heldMb: [],
    wrong: [],
  }
  const begunAt = Date.now()
  const endsAt = 'ms' in until ? begunAt + until.ms : Infinity
  const most = 'requests' in until ? until.requests : Infinity
  const permitted = { tasks: 0 }
  let before: number | undefined

  /** 0 to 1. */
  function partDone(): number {
    return 'ms' in until ? (Date.now() - begunAt) / until.ms : found.requests / until.requests
  }

  async function client(random: Random): Promise<void> {
    while (Date.now() < endsAt && found.requests < most && found.wrong.length < 20) {
      found.requests++
      if (partDone() > WARM_UP) before ??= residentBytes(gateway.pid)
      if (partDone() * 20 > found.heldMb.length)
        found.heldMb.push(Math.round(residentBytes(gateway.pid) / 1e6))
      await (random.next() < 0.05 ? socket(random) : shoot(withKey(random, anyShot(random, schema))))
    }
  }

  async function shoot(shot: Shot): Promise<void> {
    if (mayPay(shot)) permitted.tasks++
    try {
      const { method, headers, body } = shot
      const response = await fetch(gateway.url + shot.path, {
        method,
        headers,
        ...(body === undefined || method === 'GET' || method === 'HEAD' ? {} : { body }),
        redirect: 'manual',
        signal: AbortSignal.timeout(30_000),
      })
      count(String(response.status))
      const isStream = /event-stream|multipart|html/.test(response.headers.get('content-type') ?? '')
      const text = isStream ? '' : await response.text()
      if (isStream) await response.body?.cancel()
      if (response.status >= 500) wrong(`answered with ${response.status}: ${text}`, shot)
      judge(text, shot)
    } catch (error) {
      if (error instanceof Error && error.name === 'TimeoutError') wrong('was not answered within 30 s', shot)
      found.cut++
    }
  }

  async function socket(random: Random): Promise<void> {
    found.sockets++
    const { sent, heard, closed } = await talk(random, schema, { url: gateway.url, key: ADMIN_KEY })
    permitted.tasks += sent.filter((message) => /generateImage|retryTask/.test(message)).length
    if (closed !== null) count(`closed ${closed}`)
    if (closed === 4500 || closed === 1011) wrong(`was closed with ${closed}`, sent)
    judge(heard.join('\n'), sent)
  }

  function judge(text: string, asked: unknown): void {
    if (text.includes('INTERNAL_SERVER_ERROR')) wrong(`met an unexpected error: ${text}`, asked)
    for (const code of unknownCodes(text)) wrong(`was answered with the unknown code ${code}`, asked)
  }

  function count(answer: string): void {
    found.answers[answer] = (found.answers[answer] ?? 0) + 1
  }

  function wrong(what: string, asked: unknown): void {
    found.wrong.push(`${JSON.stringify(asked).slice(0, 2000)} ${what.slice(0, 1000)}`)
  }

  const random = createRandom(seed)
  await Promise.all(
    Array.from({ length: clients }, () => client(createRandom(Math.floor(random.next() * 2 ** 32)))),
  )
  const { ok } = await fetch(`${gateway.url}/readyz`)
  if (!ok) found.wrong.push('The gateway does not answer any more.')
  found.grownBytes = residentBytes(gateway.pid) - (before ?? 0)
  await gateway[Symbol.asyncDispose]()
  await upstream.close()

  const after = await readFinalState(place)
  const paid = [...upstream.charges].flatMap(([id, times]) => Array.from({ length: times }, () => id))
  const listed = after.attempts.filter(({ state }) => state === 'UNKNOWN').map(({ id }) => id)
  // It was stopped in the middle of calls: those are in doubt, and that is right.
  found.wrong.push(...findDiscrepancies(after, { ids: [], charges: paid, received: [], listed }))
  found.tasks = after.tasks.length
  found.charges = paid.length
  if (found.tasks > permitted.tasks)
    found.wrong.push(`${permitted.tasks} tasks were asked for at most, and there are ${found.tasks}.`)
  return found
}

/** Most requests may do everything; the rest nothing. */
function withKey(random: Random, shot: Shot): Shot {
  if (random.next() < 0.1) return shot
  return { ...shot, headers: { ...shot.headers, authorization: `Bearer ${ADMIN_KEY}` } }
}

/** What the system has given a process, in bytes. */
function residentBytes(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kilobytes) * 1024
}
