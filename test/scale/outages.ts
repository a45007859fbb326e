// PostgreSQL goes away while paid calls are under way: once for long, or again and again.
import { setTimeout as pause } from 'node:timers/promises'
import { startFaultyUpstream, type Act } from '../faults/upstream.ts'
import { createRandom, type Random } from '../support/random.ts'
import type { Result } from '../support/client.ts'
import type { Place } from '../support/database.ts'
import { startGateway, type GatewayProcess } from '../support/gateway-process.ts'
import type { PostgresqlServer } from '../support/postgresql-server.ts'
import { settle, type Settled } from '../storm/settle.ts'

export interface Outcome extends Settled {
  /** How many orders the upstream was sent. */
  calls: number
  restarts: number
}

/**
 * One paid call whose answer comes while the database is away, for longer than the call's lease lasts: by the time it is
 * back, everybody has to take the call for dead.
 */
export async function outlast(
  server: PostgresqlServer,
  place: Place,
  { awayMs, leaseMs }: { awayMs: number; leaseMs: number },
): Promise<Outcome> {
  await using upstream = await startFaultyUpstream()
  upstream.script(upstream.hold)
  const engine = { leaseMs, heartbeatMs: Math.round(leaseMs / 3), reapMs: 200, pollMs: 100 }
  const gateway = await startGateway(place, { providers: [upstream.entry], engine })
  const ids = [await gateway.generate({ prompt: 'a lamp' })]
  while (upstream.charges.length === 0) await pause(10)

  await server.crash()
  await pause(awayMs / 2)
  upstream.release()
  await pause(awayMs / 2)
  await server.restart()
  const settled = await settle(place, [gateway], { ids, charges: () => upstream.charges })
  return { ...settled, calls: upstream.calls.length, restarts: 1 }
}

/** Asks for images one after the other while the database is killed every few seconds and comes back. */
export async function restartOften(
  server: PostgresqlServer,
  place: Place,
  options: {
    tasks: number
    restarts: number
    /** Between two of them, and how long it is away each time. */
    everyMs: { low: number; high: number }
    awayMs: { low: number; high: number }
    seed: number
  },
): Promise<Outcome> {
  const { tasks, restarts, everyMs, awayMs, seed } = options
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
  const asked: Promise<string>[] = []
  const asking = (async () => {
    for (let i = 0; i < tasks; i++) {
      asked.push(askUntilAnswered(gateways, { prompt: `lamp ${i}`, idempotencyKey: `lamp-${i}` }, own))
      await pause(lastsMs / tasks)
    }
  })()
  for (let i = 0; i < restarts; i++) {
    await pause(random.between(everyMs.low, everyMs.high))
    await server.crash()
    await pause(random.between(awayMs.low, awayMs.high))
    await server.restart()
  }
  await asking
  const ids = await Promise.all(asked)
  const settled = await settle(place, gateways, { ids, charges: () => upstream.charges })
  return { ...settled, calls: upstream.calls.length, restarts }
}

/** Works for as long as that. */
function slowly(ms: number): Act {
  return async (reply, work) => {
    const body = await work()
    await pause(ms)
    reply.writeHead(200, { 'content-type': 'application/json' }).end(body)
  }
}

interface Asked {
  generateImage: { id: string }
}

/** What a client does that gets no answer: it asks again with its key, whoever is there. */
async function askUntilAnswered(
  gateways: GatewayProcess[],
  input: Record<string, unknown>,
  random: Random,
): Promise<string> {
  const query = 'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { id } }'
  for (;;) {
    const answer: Result<Asked> = await random
      .pick(gateways)
      .ask<Asked>(query, { input })
      .catch(() => ({}))
    if (answer.data) return answer.data.generateImage.id
    await pause(100)
  }
}
