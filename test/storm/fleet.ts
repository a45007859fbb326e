// The gateways of a storm: processes on one place, each always back on its own port after it was killed.
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Place } from '../support/database.ts'
import { startGateway, type GatewayProcess } from '../support/gateway-process.ts'

/** A dead process is noticed within two seconds, and short calls are asked about often. */
const TUNING = { leaseMs: 1500, heartbeatMs: 300, reapMs: 200, pollMs: 100 }

export interface Fleet {
  /** Those that live at this moment. */
  living(): GatewayProcess[]
  /** Kills one of them, lets `whenDead` look at what it left, and starts it again. False when none was alive. */
  killOne(pick: (living: GatewayProcess[]) => GatewayProcess, whenDead: () => Promise<void>): Promise<boolean>
  close(): Promise<void>
}

export async function startFleet(
  place: Place,
  count: number,
  providers: Record<string, unknown>[],
): Promise<Fleet> {
  const slots = await Promise.all(Array.from({ length: count }, async () => ({ port: await freePort() })))
  const living = new Map<number, GatewayProcess>()
  const start = async (port: number) => {
    living.set(port, await startGateway(place, { providers, engine: TUNING, port }))
  }
  for (const { port } of slots) await start(port)
  return {
    living: () => [...living.values()],
    async killOne(pick, whenDead) {
      if (living.size === 0) return false
      const chosen = pick([...living.values()])
      for (const [port, gateway] of living) {
        if (gateway !== chosen) continue
        living.delete(port)
        await gateway.kill()
        await whenDead()
        await start(port)
      }
      return true
    },
    async close() {
      await Promise.all([...living.values()].map((gateway) => gateway[Symbol.asyncDispose]()))
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address ? address.port : 0
}
