// Sends random requests to a gateway process, and checks its responses, charges and memory.
import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { schema } from '../../src/schema/index.ts'
import { unknownCodes } from '../http/paid-server.ts'
import { startOpenaiUpstream } from '../providers/upstreams/openai.ts'
import { createRandom, type Random } from '../support/random.ts'
import { findDiscrepancies } from '../storm/discrepancies.ts'
import { readFinalState } from '../support/final-state.ts'
import type { Place } from '../support/database.ts'
import { startGateway } from '../support/gateway-process.ts'
import { maxTasksOf, randomRequest, type FuzzRequest } from './requests.ts'
import { exchange } from './sockets.ts'

export interface FuzzOptions {
  place: Place
  seed: number
  /** Ends after this number of requests, or this time. */
  until: { requests: number } | { ms: number }
  /** Concurrent clients; 6 by default. */
  clients?: number
}

export interface FuzzResult {
  requests: number
  sockets: number
  /** The number of responses by HTTP status or close code. */
  responses: Record<string, number>
  /** Requests whose connection was closed instead. */
  aborted: number
  tasks: number
  charges: number
  /** The memory of the gateway at the end, above that after the first quarter, in bytes. */
  grownBytes: number
  /** Its memory after each twentieth of the run, in MB. */
  heldMb: number[]
  /** Sentences, each with the request. */
  problems: string[]
}

/** Keeps access after the fuzzer created the first API key. */
const ADMIN_KEY = 'the-key-of-the-fuzzer-0123456789abcdef'

/** The part of a run before memory is measured: code is compiled, and caches fill. */
const WARM_UP = 0.25

export async function fuzz({ place, seed, until, clients = 6 }: FuzzOptions): Promise<FuzzResult> {
  const upstream = await startOpenaiUpstream()
  const provider = { name: 'paid', dialect: 'openai', baseUrl: upstream.url, apiKey: 'sk-test-key' }
  const gateway = await startGateway(place, { providers: [provider], settings: { adminKey: ADMIN_KEY } })
  const found: FuzzResult = {
    requests: 0,
    sockets: 0,
    responses: {},
    aborted: 0,
    tasks: 0,
    charges: 0,
    grownBytes: 0,
    heldMb: [],
    problems: [],
  }
  // Loaded on the first request: 9 MB.
  await fetch(`${gateway.url}/graphql`, { headers: { accept: 'text/html' } }).then((page) => page.text())
  const startedAt = Date.now()
  const endsAt = 'ms' in until ? startedAt + until.ms : Infinity
  const maxRequests = 'requests' in until ? until.requests : Infinity
  const permitted = { tasks: 0 }
  let before: number | undefined

  /** 0 to 1. */
  function partDone(): number {
    return 'ms' in until ? (Date.now() - startedAt) / until.ms : found.requests / until.requests
  }

  async function client(random: Random): Promise<void> {
    while (Date.now() < endsAt && found.requests < maxRequests && found.problems.length < 20) {
      found.requests++
      if (partDone() > WARM_UP) before ??= residentBytes(gateway.pid)
      if (partDone() * 20 > found.heldMb.length)
        found.heldMb.push(Math.round(residentBytes(gateway.pid) / 1e6))
      await (random.next() < 0.05 ? socket(random) : send(withKey(random, randomRequest(random, schema))))
    }
  }

  async function send(request: FuzzRequest): Promise<void> {
    permitted.tasks += maxTasksOf(request.path + (request.body ?? ''))
    try {
      const { method, headers, body } = request
      const response = await fetch(gateway.url + request.path, {
        method,
        headers,
        ...(body === undefined || method === 'GET' || method === 'HEAD' ? {} : { body }),
        redirect: 'manual',
        signal: AbortSignal.timeout(60_000),
      })
      count(String(response.status))
      const isStream = /event-stream|multipart|html/.test(response.headers.get('content-type') ?? '')
      const text = isStream ? '' : await response.text()
      if (isStream) await response.body?.cancel()
      if (response.status >= 500) report(`had the status ${response.status}: ${text}`, request)
      check(text, request)
    } catch (error) {
      if (error instanceof Error && error.name === 'TimeoutError')
        report('had no response within 60 s', request)
      found.aborted++
    }
  }

  async function socket(random: Random): Promise<void> {
    found.sockets++
    const { sent, received, closed } = await exchange(random, schema, { url: gateway.url, key: ADMIN_KEY })
    permitted.tasks += sent.reduce((sum, message) => sum + maxTasksOf(message), 0)
    if (closed !== null) count(`closed ${closed}`)
    if (closed === 4500 || closed === 1011) report(`was closed with ${closed}`, sent)
    check(received.join('\n'), sent)
  }

  function check(text: string, request: unknown): void {
    if (text.includes('INTERNAL_SERVER_ERROR')) report(`had an unexpected error: ${text}`, request)
    for (const code of unknownCodes(text)) report(`had the unknown code ${code}`, request)
  }

  function count(response: string): void {
    found.responses[response] = (found.responses[response] ?? 0) + 1
  }

  function report(what: string, request: unknown): void {
    found.problems.push(`${JSON.stringify(request).slice(0, 2000)} ${what.slice(0, 1000)}`)
  }

  const random = createRandom(seed)
  await Promise.all(
    Array.from({ length: clients }, () => client(createRandom(Math.floor(random.next() * 2 ** 32)))),
  )
  if (!(await isReady(gateway.url))) found.problems.push('The gateway does not become ready.')
  found.grownBytes = residentBytes(gateway.pid) - (before ?? 0)
  await gateway[Symbol.asyncDispose]()
  await upstream.close()

  const after = await readFinalState(place)
  const paid = [...upstream.charges].flatMap(([id, times]) => Array.from({ length: times }, () => id))
  const listed = after.attempts.filter(({ state }) => state === 'UNKNOWN').map(({ id }) => id)
  // It was stopped during calls, whose outcome is rightly unknown.
  found.problems.push(...findDiscrepancies(after, { ids: [], charges: paid, received: [], listed }))
  found.tasks = after.tasks.length
  found.charges = paid.length
  if (found.tasks > permitted.tasks)
    found.problems.push(`${permitted.tasks} tasks were requested at most, and there are ${found.tasks}.`)
  return found
}

/** Nine of ten requests have the key of the operator; the others have none. */
function withKey(random: Random, request: FuzzRequest): FuzzRequest {
  if (random.next() < 0.1) return request
  return { ...request, headers: { ...request.headers, authorization: `Bearer ${ADMIN_KEY}` } }
}

/** Asks for up to a minute: on a busy machine the database may be slow for a moment. */
async function isReady(url: string): Promise<boolean> {
  for (let nth = 0; nth < 60; nth++) {
    if ((await fetch(`${url}/readyz`)).ok) return true
    await setTimeout(1000)
  }
  return false
}

/** The resident memory of a process, in bytes. */
function residentBytes(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kilobytes) * 1024
}
