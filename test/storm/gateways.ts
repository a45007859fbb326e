// The gateways of a storm: processes on one database, each started again on its port after it was killed.
import { once } from 'node:events'
import { mkdir, readFile, symlink } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { Place } from '../support/database.ts'
import { listReceived } from './settle.ts'
import { startGateway, type GatewayProcess } from '../support/gateway-process.ts'

/**
 * A dead process is noticed within two seconds. The grace time is longer than a host is away, and short enough to wait for
 * at the end.
 */
export const TUNING = {
  leaseMs: 1200,
  heartbeatMs: 300,
  reapMs: 200,
  pollMs: 100,
  recheckMs: 300,
  resendGraceMs: 10_000,
  lookupDelaysMs: [300, 600, 1200, 2000],
  maxCooldownMs: 2000,
}

/** A process, its port and its data folder. */
export interface Slot {
  number: number
  /** A new number with each start. */
  process: number
  port: number
  place: Place
  /** Undefined while it is dead. */
  gateway: GatewayProcess | undefined
}

export interface Gateways {
  slots: readonly Slot[]
  /** The slot with a data folder of its own, on another host. */
  otherHost: Slot | undefined
  running(): GatewayProcess[]
  /** The number of received answers on the disks in use, which are not settled yet. */
  countReceived(): Promise<number>
  kill(slot: Slot): Promise<void>
  start(slot: Slot): Promise<void>
  /** Gives the slot an empty data folder, and returns the id of the lost one. */
  loseDataFolder(slot: Slot): Promise<string>
}

/** With `otherHost`, the last process has a data folder of its own. `providersOf` returns the entries for a process. */
export async function startGateways(
  place: Place,
  { count, otherHost }: { count: number; otherHost: boolean },
  providersOf: (process: number) => Record<string, unknown>[],
): Promise<Gateways> {
  const slots: Slot[] = []
  let [hosts, started] = [0, 0]
  for (let number = 0; number < count; number++)
    slots.push({ number, process: 0, port: await freePort(), place, gateway: undefined })
  const last = otherHost ? slots.at(-1) : undefined
  if (last) last.place = await newHost(place, hosts++)
  const gateways: Gateways = {
    slots,
    otherHost: last,
    running: () => slots.flatMap(({ gateway }) => gateway ?? []),
    async countReceived() {
      const lists = await Promise.all(slots.map((slot) => listReceived(slot.place)))
      return lists.flat().length
    },
    async kill(slot) {
      const { gateway } = slot
      slot.gateway = undefined
      await gateway?.kill()
    },
    async start(slot) {
      const { port } = slot
      slot.process = started++
      const settings = { providers: providersOf(slot.process), engine: TUNING, port, canSetClock: true }
      slot.gateway = await startGateway(slot.place, settings)
    },
    async loseDataFolder(slot) {
      const id = await readFile(join(slot.place.dataDir, 'folder-id'), 'utf8')
      slot.place = await newHost(place, hosts++)
      return id.trim()
    },
  }
  for (const slot of slots) await gateways.start(slot)
  return gateways
}

/** A data folder with received answers of its own; the images are in storage that all hosts share. */
async function newHost(place: Place, number: number): Promise<Place> {
  const dataDir = join(place.dataDir, `host-${number}`)
  const shared = join(place.dataDir, 'assets', 'objects')
  await mkdir(shared, { recursive: true })
  await mkdir(join(dataDir, 'assets'), { recursive: true })
  await symlink(shared, join(dataDir, 'assets', 'objects'))
  return { ...place, dataDir }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address ? address.port : 0
}
