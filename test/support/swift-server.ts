// OpenStack Swift with its S3 API on loopback: a ring of one device in a temporary folder, and one process for each service.
// Debian: apt-get install --no-install-recommends swift-proxy swift-account swift-container swift-object
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { freePort } from './free-port.ts'

export const SWIFT_CREDENTIALS = { AWS_ACCESS_KEY_ID: 'test:tester', AWS_SECRET_ACCESS_KEY: 'testing' }

export interface SwiftServer {
  endpoint: string
  stop(): Promise<void>
}

const STORAGE = ['account', 'container', 'object'] as const
const START_MS = 60_000

const PROXY = `[pipeline:main]
pipeline = catch_errors proxy-logging cache s3api tempauth copy slo dlo proxy-logging proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:proxy-logging]
use = egg:swift#proxy_logging
[filter:cache]
use = egg:swift#memcache
# None is there: Swift works without.
memcache_servers = 127.0.0.1:1
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
`

/** The commands of the package read \`/etc/swift\`; this one reads a folder. */
const PROGRAM = `import sys
from swift.common import utils
utils.set_swift_dir(sys.argv[1])
from swift.common.wsgi import run_wsgi
sys.exit(run_wsgi(sys.argv[1] + '/' + sys.argv[2] + '.conf', sys.argv[2]))`

export async function startSwift(): Promise<SwiftServer> {
  const home = await mkdtemp(join(tmpdir(), 'darkroom-swift-'))
  const [config, devices] = [join(home, 'config'), join(home, 'devices')]
  await mkdir(join(devices, 'one'), { recursive: true })
  await mkdir(config)
  await writeFile(
    join(config, 'swift.conf'),
    '[swift-hash]\nswift_hash_path_prefix = a\nswift_hash_path_suffix = b\n[storage-policy:0]\nname = one\ndefault = yes\n',
  )
  const common = async (port: number) =>
    `[DEFAULT]\nbind_ip = 127.0.0.1\nbind_port = ${port}\nworkers = 0\nswift_dir = ${config}\nuser = ${userInfo().username}\n`
  for (const kind of STORAGE) {
    const port = await freePort()
    buildRing(config, kind, port)
    const storage = `devices = ${devices}\nmount_check = false\nrecon_cache_path = ${home}\n`
    const pipeline = `[pipeline:main]\npipeline = ${kind}-server\n[app:${kind}-server]\nuse = egg:swift#${kind}\n`
    await writeFile(join(config, `${kind}-server.conf`), (await common(port)) + storage + pipeline)
  }
  const port = await freePort()
  await writeFile(join(config, 'proxy-server.conf'), (await common(port)) + PROXY)
  const log = join(home, 'log')
  const children = [...STORAGE, 'proxy'].map((kind) => startService(config, kind, log))
  const endpoint = `http://127.0.0.1:${port}`
  const server: SwiftServer = {
    endpoint,
    async stop() {
      await Promise.all(children.map(end))
      await rm(home, { recursive: true, force: true })
    },
  }
  try {
    await untilReady(endpoint)
    return server
  } catch (error) {
    await server.stop()
    throw error
  }
}

function buildRing(config: string, kind: string, port: number): void {
  const builder = join(config, `${kind}.builder`)
  for (const command of [
    ['create', '4', '1', '1'],
    ['add', `r1z1-127.0.0.1:${port}/one`, '1'],
    ['rebalance'],
  ])
    try {
      execFileSync('swift-ring-builder', [builder, ...command], { stdio: ['ignore', 'ignore', 'pipe'] })
    } catch (cause) {
      throw new Error(
        'Swift is not installed, or does not work. Debian: apt-get install --no-install-recommends swift-proxy swift-account swift-container swift-object',
        { cause },
      )
    }
}

function startService(config: string, kind: string, log: string): ChildProcess {
  const child = spawn('python3', ['-c', PROGRAM, config, `${kind}-server`], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text: Buffer) => void appendFile(log, text).catch(() => {}))
  const kill = () => void child.kill('SIGKILL')
  process.once('exit', kill)
  child.once('exit', () => process.off('exit', kill))
  return child
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

/** Any response of the S3 API. */
async function untilReady(endpoint: string): Promise<void> {
  const until = performance.now() + START_MS
  for (;;) {
    const response = await fetch(endpoint).catch(() => undefined)
    await response?.text()
    if (response && response.status < 500) return
    if (performance.now() > until) throw new Error(`Swift did not start within ${START_MS / 1000} seconds.`)
    await pause(200)
  }
}
