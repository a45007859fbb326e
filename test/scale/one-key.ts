// A crowd that asks with one idempotency key, over kept connections to every gateway at once.
import { Pool } from 'undici'
import { startFaultyUpstream } from '../faults/upstream.ts'
import { darkCharges } from '../faults/aftermath.ts'
import { readFinalState } from '../support/final-state.ts'
import type { Place } from '../support/database.ts'
import { startGateway } from '../support/gateway-process.ts'

export interface Crowd {
  place: Place
  /** How many gateways; SQLite bears one. */
  processes: number
  requests: number
  /** Over all gateways; each carries one request at a time. */
  connections: number
}

export interface Answers {
  /** Each id that was answered, and how often. */
  ids: Map<string, number>
  /** Each other answer, and how often. */
  refusals: Map<string, number>
  /** How many tasks are stored. */
  tasks: number
  /** How many orders the upstream was sent. */
  calls: number
  /** How the task ended. */
  status: string
  /** For all requests together. */
  ms: number
  /** Each sentence that must always hold and does not, and each charge that no attempt admits. */
  discrepancies: string[]
}

const BODY = JSON.stringify({
  query: 'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { id } }',
  variables: { input: { prompt: 'a lamp', idempotencyKey: 'one-and-the-same' } },
})

export async function askAlike({ place, processes, requests, connections }: Crowd): Promise<Answers> {
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
  const dark = darkCharges(attempts, upstream.charges).map((ref) => `${ref} was charged, and nobody knows`)
  const discrepancies = [...violated, ...dark]
  return { ids, refusals, tasks: tasks.length, calls: upstream.calls.length, status, ms, discrepancies }
}
