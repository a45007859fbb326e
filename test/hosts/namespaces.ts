// A network namespace for each host, with a link to the database and one to the store. A link that is cut loses all packets
// and tells no one. Needs root and `ip` of iproute2.
import { execFileSync, fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Network } from './hosts.ts'

/** Addresses of the servers, on a bridge each. Hosts have the addresses from `FIRST` on. */
const NETWORKS = {
  database: { bridge: 'dr-database', subnet: '10.231.0', mac: '02:00:00:00:31' },
  store: { bridge: 'dr-store', subnet: '10.232.0', mac: '02:00:00:00:32' },
} as const
const NAMES: readonly Network[] = ['database', 'store']
const FIRST = 10
export const MAX_NAMESPACES = 5

const namespaceOf = (number: number) => `darkroom-${number}`
const portOf = (network: Network, number: number) => `dr-${network}-${number}`
const ip = (...command: string[]) => execFileSync('ip', command, { stdio: ['ignore', 'ignore', 'inherit'] })

/** Where the servers listen beside loopback: null outside of `npm run namespaces`. */
export function addressOf(network: Network): string | null {
  return process.env['DARKROOM_NAMESPACES'] === undefined ? null : `${NETWORKS[network].subnet}.1`
}

export function createNamespaces(): void {
  for (const name of NAMES) {
    const { bridge, subnet, mac } = NETWORKS[name]
    // With a fixed address: that of a bridge would change with its ports.
    ip('link', 'add', bridge, 'address', `${mac}:01`, 'type', 'bridge')
    ip('address', 'add', `${subnet}.1/24`, 'dev', bridge)
    ip('link', 'set', bridge, 'up')
  }
  for (let number = 0; number < MAX_NAMESPACES; number++) {
    const namespace = namespaceOf(number)
    ip('netns', 'add', namespace)
    ip('-n', namespace, 'link', 'set', 'lo', 'up')
    for (const name of NAMES) addLink(name, namespace, number)
  }
}

function addLink(name: Network, namespace: string, number: number): void {
  const { bridge, subnet, mac } = NETWORKS[name]
  const [port, own] = [portOf(name, number), `${mac}:${FIRST + number}`]
  ip('link', 'add', port, 'type', 'veth', 'peer', 'name', name, 'netns', namespace)
  ip('link', 'set', port, 'master', bridge, 'up')
  ip('-n', namespace, 'link', 'set', name, 'address', own)
  ip('-n', namespace, 'address', 'add', `${subnet}.${FIRST + number}/24`, 'dev', name)
  ip('-n', namespace, 'link', 'set', name, 'up')
  // Without them, a cut would be noticed as an unreachable neighbour.
  const permanent = ['nud', 'permanent']
  ip('-n', namespace, 'neighbour', 'add', `${subnet}.1`, 'lladdr', `${mac}:01`, 'dev', name, ...permanent)
  ip('neighbour', 'add', `${subnet}.${FIRST + number}`, 'lladdr', own, 'dev', bridge, ...permanent)
}

function remove(...command: string[]): void {
  try {
    execFileSync('ip', command, { stdio: 'ignore' })
  } catch {
    // It does not exist.
  }
}

/** Of an earlier run too. */
export function removeNamespaces(): void {
  for (let number = 0; number < MAX_NAMESPACES; number++) {
    remove('netns', 'delete', namespaceOf(number))
    for (const name of NAMES) remove('link', 'delete', portOf(name, number))
  }
  for (const name of NAMES) remove('link', 'delete', NETWORKS[name].bridge)
}

const taken = new Set<number>()

export interface Namespace {
  /** The name for `ip netns exec`. */
  name: string
  /** Makes a port of the namespace's loopback reachable on this loopback. */
  serve(port: number): Promise<void>
  /** Makes a port of this loopback reachable on the namespace's loopback. */
  reach(port: number): Promise<void>
  cut(network: Network): void
  heal(): void
  close(): Promise<void>
}

/** Takes a free namespace. Clients and providers pass its border through Unix sockets, which no partition cuts. */
export async function openNamespace(): Promise<Namespace> {
  let number = 0
  while (taken.has(number)) number++
  if (number >= MAX_NAMESPACES) throw new Error(`All ${MAX_NAMESPACES} namespaces are in use.`)
  taken.add(number)
  const name = namespaceOf(number)
  const folder = mkdtempSync(join(tmpdir(), 'darkroom-relay-'))
  const relay = fork(join(import.meta.dirname, 'relay-child.ts'), [], {
    execPath: 'ip',
    execArgv: ['netns', 'exec', name, process.execPath],
  })
  const servers: Server[] = []
  const reached = new Set<number>()
  return {
    name,
    async serve(port) {
      const path = join(folder, `in-${port}`)
      await ask(relay, { from: path, to: port })
      servers.push(await forward(port, path))
    },
    async reach(port) {
      if (reached.has(port)) return
      reached.add(port)
      const path = join(folder, `out-${port}`)
      servers.push(await forward(path, port))
      await ask(relay, { from: port, to: path })
    },
    cut: (network) => void ip('link', 'set', portOf(network, number), 'nomaster'),
    heal: () =>
      NAMES.forEach((each) => ip('link', 'set', portOf(each, number), 'master', NETWORKS[each].bridge)),
    async close() {
      if (relay.exitCode === null && relay.signalCode === null) {
        relay.kill()
        await once(relay, 'exit')
      }
      for (const server of servers) server.close()
      rmSync(folder, { recursive: true, force: true })
      taken.delete(number)
    },
  }
}

/** A port of loopback, or the path of a Unix socket. */
export type End = number | string

const optionsOf = (end: End) => (typeof end === 'number' ? { port: end, host: '127.0.0.1' } : { path: end })

/** Passes connections on. */
export async function forward(from: End, to: End): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (incoming) => {
    const outgoing = connect({ ...optionsOf(to), allowHalfOpen: true })
    for (const [one, other] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const)
      one.on('error', () => other.destroy()).on('close', () => other.destroy())
    incoming.pipe(outgoing).pipe(incoming)
  })
  server.listen(optionsOf(from))
  await once(server, 'listening')
  return server
}

async function ask(relay: ChildProcess, way: { from: End; to: End }): Promise<void> {
  relay.send(way)
  await once(relay, 'message')
}
