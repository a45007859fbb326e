// PostgreSQL is killed during paid calls: once for long, or repeatedly.
import { setTimeout as pause } from 'node:timers/promises'
import { startFaultyUpstream, type Act } from '../faults/upstream.ts'
import { createRandom, type Random } from '../support/random.ts'
import type { Result } from '../support/client.ts'
import type { Place } from '../support/database.ts'
import { startGateway, type GatewayProcess } from '../support/gateway-process.ts'
import type { PostgresqlServer } from '../support/postgresql-server.ts'
import { settle, type Settled } from '../storm/settle.ts'

export interface Outcome extends Settled {
  /** Requests to the upstream. */
  calls: number
  restarts: number
}

/** One paid call whose response arrives while the database is down, for longer than the call's lease. */
export async function surviveOutage(
  server: PostgresqlServer,
  place: Place,
  { downMs, leaseMs }: { downMs: number; leaseMs: number },
): Promise<Outcome> {
  await using upstream = await startFaultyUpstream()
  upstream.script(upstream.hold)
  const engine = { leaseMs, heartbeatMs: Math.round(leaseMs / 3), reapMs: 200, pollMs: 100 }
  const gateway = await startGateway(place, { providers: [upstream.entry], engine })
  const ids = [await gateway.generate({ prompt: 'a lamp' })]
  while (upstream.charges.length === 0) await pause(10)

  await server.crash()
  await pause(downMs / 2)
  upstream.release()
  await pause(downMs / 2)
  await server.restart()
  const settled = await settle(place, [gateway], { ids, charges: () => upstream.charges })
  return { ...settled, calls: upstream.calls.length, restarts: 1 }
}

/** Requests images in sequence while the database is killed and restarted every few seconds. */
export async function restartOften(
  server: PostgresqlServer,
  place: Place,
  options: {
    tasks: number
    restarts: number
    /** Between two restarts. */
    everyMs: { low: number; high: number }
    downMs: { low: number; high: number }
    seed: number
  },
): Promise<Outcome> {
  const { tasks, restarts, everyMs, downMs, seed } = options
  const random = createRandom(seed)
  await using upstream = await startFaultyUpstream()
  upstream.script(...Array.from({ length: 2 * tasks }, () => slowly(random.between(200, 3000))))
  const settings = {
    providers: [{ ...upstream.entry, concurrency: 16 }],
    engine: { leaseMs: 3000, heartbeatMs: 500, reapMs: 200, pollMs: 100 },
  }
  const gateways = await Promise.all([startGateway(place, settings), startGateway(place, settings)])
  const own = createRandom(seed + 1)
  const lastsMs = restarts * ((everyMs.low + everyMs.high) / 2)
  const created: Promise<string>[] = []
  const creating = (async () => {
    for (let i = 0; i < tasks; i++) {
      created.push(createWithRetries(gateways, { prompt: `lamp ${i}`, idempotencyKey: `lamp-${i}` }, own))
      await pause(lastsMs / tasks)
    }
  })()
  for (let i = 0; i < restarts; i++) {
    await pause(random.between(everyMs.low, everyMs.high))
    await server.crash()
    await pause(random.between(downMs.low, downMs.high))
    await server.restart()
  }
  await creating
  const ids = await Promise.all(created)
  const settled = await settle(place, gateways, { ids, charges: () => upstream.charges })
  return { ...settled, calls: upstream.calls.length, restarts }
}

/** Works, and responds after `ms`. */
function slowly(ms: number): Act {
  return async (reply, work) => {
    const body = await work()
    await pause(ms)
    reply.writeHead(200, { 'content-type': 'application/json' }).end(body)
  }
}

interface GenerateResult {
  generateImage: { task: { id: string } } | null
}

/** Repeats the request with its idempotency key at any gateway, as a client does without a response. */
async function createWithRetries(
  gateways: GatewayProcess[],
  input: Record<string, unknown>,
  random: Random,
): Promise<string> {
  const query = 'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { task { id } } }'
  for (;;) {
    const result: Result<GenerateResult> = await random
      .pick(gateways)
      .execute<GenerateResult>(query, { input })
      .catch(() => ({}))
    if (result.data?.generateImage) return result.data.generateImage.task.id
    await pause(100)
  }
}
