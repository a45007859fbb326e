// A proxy between gateways and an upstream. It delays, loses and damages requests, replies and downloads, so that a process
// may also die before, while and after the upstream charges.
import { createServer, request as send, type IncomingMessage, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { listen } from '../providers/upstreams/listen.ts'
import type { Random } from '../support/random.ts'
import type { Evidence } from './evidence.ts'
import type { FaultTally } from './faults.ts'
import { createLinkFaults } from './link-faults.ts'
import { createReplyFaults, type Reply } from './reply-faults.ts'
import { createRequestFaults } from './request-faults.ts'

const MAX_MS = { request: 100, response: 500 }

export interface FaultyProxy {
  /** The base URL for a process, by which the proxy knows where replies arrive. */
  urlFor(process: number): string
  /** The number of requests whose reply has not ended; a gateway may wait for more of it. */
  inFlight(): number
  close(): Promise<void>
}

export interface ProxyOptions {
  random: Random
  tally: FaultTally
  evidence: Evidence
}

export async function startFaultyProxy(to: string, options: ProxyOptions): Promise<FaultyProxy> {
  const { random, evidence } = options
  const { origin, pathname } = new URL(to)
  /** The attempt of each remote id. */
  const attempts = new Map<string, string>()
  const links = createLinkFaults(options, (path) => fetchImage(origin + path))
  const requestFault = createRequestFaults(options)
  const replyFault = createReplyFaults(options, (image) => links.host(image))

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(incoming)
    const [, process, path = ''] = /^(?:\/process-(\d+))?(\/.*)$/.exec(incoming.url ?? '') ?? []
    if (process === undefined) return links.serve(path, response)
    await pause(random.between(0, MAX_MS.request))
    const submitted = submittedAttempt(incoming, path)
    if (submitted !== undefined && requestFault(response, submitted)) return
    if (submitted !== undefined) evidence.sent(submitted)
    const reply = await forward(incoming, `${origin}${path}`, body)
    const attempt = submitted ?? attempts.get(remoteIdOf(path, body)) ?? ''
    if (submitted !== undefined) remember(reply, submitted)
    await pause(random.between(0, MAX_MS.response))
    const ownLinks = { ...reply, text: reply.text.replaceAll(origin, own) }
    replyFault(response, {
      ...ownLinks,
      attempt,
      process: Number(process),
      isLookup: submitted === undefined && isByOwnId(body),
    })
  }

  function remember({ text }: Reply, attempt: string): void {
    const remoteId = /"task_id":"([^"]+)"/.exec(text)?.[1]
    if (remoteId !== undefined) attempts.set(remoteId, attempt)
    attempts.set(attempt, attempt)
  }

  let inFlight = 0
  const server = createServer((incoming, response) => {
    inFlight++
    response.on('close', () => inFlight--)
    serve(incoming, response).catch(() => response.destroy())
  })
  server.on('connection', (socket) => socket.on('error', () => undefined))
  const own = await listen(server)
  return {
    urlFor: (process) => `${own}/process-${process}${pathname}`,
    inFlight: () => inFlight,
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

/** The attempt of a request that may be charged. Checks have none. */
function submittedAttempt({ method, headers }: IncomingMessage, path: string): string | undefined {
  const ref = headers['x-client-request-id'] ?? headers['idempotency-key']
  return method === 'POST' && !path.endsWith('/tasks') && typeof ref === 'string' ? ref : undefined
}

/** A check by our id instead of the remote one. */
function isByOwnId(body: Buffer): boolean {
  return /"trace_id":"/.test(body.toString())
}

/** Of a check: jimmy has it in the path, acedata in the body, where it may also be our id. */
function remoteIdOf(path: string, body: Buffer): string {
  const inPath = /\/images\/([^/?]+)$/.exec(path)?.[1]
  const inBody = /"(?:id|trace_id)":"([^"]+)"/.exec(body.toString())?.[1]
  return inPath ?? inBody ?? ''
}

function forward({ method, headers }: IncomingMessage, url: string, body: Buffer): Promise<Reply> {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>()
  const onward = send(url, { method, headers }, (reply) => {
    const { statusCode: status = 502, headers: replyHeaders } = reply
    buffer(reply).then(
      (bytes) =>
        resolve({ status, type: replyHeaders['content-type'] ?? '', text: bytes.toString(), replyHeaders }),
      reject,
    )
  })
  onward.on('error', reject).end(body)
  return promise
}

async function fetchImage(url: string): Promise<Buffer> {
  const reply = await fetch(url)
  return Buffer.from(await reply.arrayBuffer())
}
