// Many concurrent requests with one idempotency key, over persistent connections to every gateway.
import { Pool } from 'undici'
import { startFaultyUpstream } from '../faults/upstream.ts'
import { findUnrecordedCharges } from '../faults/consistency.ts'
import { readFinalState } from '../support/final-state.ts'
import type { Place } from '../support/database.ts'
import { startGateway } from '../support/gateway-process.ts'

export interface Load {
  place: Place
  /** Number of gateways; 1 for SQLite. */
  processes: number
  requests: number
  /** Over all gateways; each carries one request at a time. */
  connections: number
}

export interface OneKeyResult {
  /** Returned ids with their counts. */
  ids: Map<string, number>
  /** Other responses with their counts. */
  refusals: Map<string, number>
  /** Stored tasks. */
  tasks: number
  /** Requests to the upstream. */
  calls: number
  /** The final status of the task. */
  status: string
  /** For all requests together. */
  ms: number
  /** Violated invariants, and charges that no attempt records. */
  discrepancies: string[]
}

const BODY = JSON.stringify({
  query: 'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { task { id } } }',
  variables: { input: { prompt: 'a lamp', idempotencyKey: 'one-and-the-same' } },
})

export async function sendWithOneKey({
  place,
  processes,
  requests,
  connections,
}: Load): Promise<OneKeyResult> {
  await using upstream = await startFaultyUpstream()
  const settings = { providers: [upstream.entry] }
  const gateways = await Promise.all(Array.from({ length: processes }, () => startGateway(place, settings)))
  const pools = gateways.map(
    ({ url }) => new Pool(url, { connections: connections / processes, pipelining: 1 }),
  )
  const ids = new Map<string, number>()
  const refusals = new Map<string, number>()
  let sent = 0

  async function client(pool: Pool): Promise<void> {
    const headers = { 'content-type': 'application/json', accept: 'application/json' }
    while (sent++ < requests) {
      const { body } = await pool.request({ method: 'POST', path: '/graphql', headers, body: BODY })
      const text = await body.text()
      const id = /"id":"(\w+)"/.exec(text)?.[1]
      const [counts, what] = id === undefined ? [refusals, text] : [ids, id]
      counts.set(what, (counts.get(what) ?? 0) + 1)
    }
  }

  const at = performance.now()
  await Promise.all(
    pools.flatMap((pool) => Array.from({ length: connections / processes }, () => client(pool))),
  )
  const ms = performance.now() - at
  const [first] = ids.keys()
  const [gateway] = gateways
  const status = first && gateway ? (await gateway.ended(first)).status : 'none'
  await Promise.all(pools.map((pool) => pool.close()))
  await Promise.all(gateways.map((one) => one[Symbol.asyncDispose]()))
  const { tasks, attempts, violated } = await readFinalState(place)
  const unrecorded = findUnrecordedCharges(attempts, upstream.charges).map(
    (ref) => `${ref} has an unrecorded charge`,
  )
  const discrepancies = [...violated, ...unrecorded]
  return { ids, refusals, tasks: tasks.length, calls: upstream.calls.length, status, ms, discrepancies }
}
