// The gateways of a storm: processes on one place, each restarted on its port after it was killed.
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Place } from '../support/database.ts'
import { startGateway, type GatewayProcess } from '../support/gateway-process.ts'

/** A dead process is noticed within two seconds. */
const TUNING = { leaseMs: 1500, heartbeatMs: 300, reapMs: 200, pollMs: 100 }

export interface Gateways {
  running(): GatewayProcess[]
  /** Kills one of them, calls `whenDead`, and starts it again. False when none was running. */
  killOne(
    pick: (running: GatewayProcess[]) => GatewayProcess,
    whenDead: () => Promise<void>,
  ): Promise<boolean>
}

export async function startGateways(
  place: Place,
  count: number,
  providers: Record<string, unknown>[],
): Promise<Gateways> {
  const ports = await Promise.all(Array.from({ length: count }, freePort))
  const running = new Map<number, GatewayProcess>()
  const start = async (port: number) => {
    running.set(port, await startGateway(place, { providers, engine: TUNING, port }))
  }
  for (const port of ports) await start(port)
  return {
    running: () => [...running.values()],
    async killOne(pick, whenDead) {
      if (running.size === 0) return false
      const picked = pick([...running.values()])
      for (const [port, gateway] of running) {
        if (gateway !== picked) continue
        running.delete(port)
        await gateway.kill()
        await whenDead()
        await start(port)
      }
      return true
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
