// Bundles of the entries of child processes. From a few files, a process starts in half of the CPU time that hundreds of
// modules take, and the tests start hundreds.
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { build, type OutputAsset, type OutputChunk } from 'rolldown'

/** Three levels below the root, as the module that finds the migrations from its own place. */
const OUTPUT = join(import.meta.dirname, 'dist')

/** By path from here. The bundles look for the entry of a thread or of a child process beside them. */
const ENTRIES = ['gateway-child', 'crash-child', '../../src/cli']
const OF_GATEWAYS = ['src/db/connection/sqlite-reader', 'src/assets/svg/rasteriser-child']

/** Native packages, their drivers, and one of 9 MB that would be parsed for nothing. */
const EXTERNAL = ['better-sqlite3', 'sharp', 'pg', '@graphql-yoga/render-graphiql']

const DAY_MS = 86_400_000

/** Builds them. Afterwards `entryOf` returns the bundles, in this process and in those that it starts. */
export async function bundleEntries(): Promise<void> {
  const names = await bundle(
    ENTRIES.map((entry) => join(import.meta.dirname, `${entry}.ts`)),
    OUTPUT,
  )
  await removeOldFiles(names)
  process.env['TEST_BUNDLES'] = OUTPUT
}

/** Programs that start gateways, into a folder three levels below the root. Returns the names of the files. */
export async function bundle(programs: readonly string[], folder: string): Promise<Set<string>> {
  await mkdir(folder, { recursive: true })
  const { output } = await build({
    input: [...programs, ...OF_GATEWAYS.map((entry) => join(import.meta.dirname, '../..', `${entry}.ts`))],
    platform: 'node',
    external: EXTERNAL,
    // Of a package with a build of each kind, the one that Node loads.
    resolve: { conditionNames: ['node', 'module-sync', 'import'] },
    // What a process loads only when it needs it is in files of its own, named by their content.
    output: { format: 'esm', entryFileNames: '[name].js' },
    logLevel: 'warn',
    write: false,
  })
  // Another run may start children from them: an entry is there after the files that it imports.
  for (const isEntry of [false, true])
    await Promise.all(
      output
        .filter((file) => (file.type === 'chunk' && file.isEntry) === isEntry)
        .map((file) => replace(file, folder)),
    )
  return new Set(output.map(({ fileName }) => fileName))
}

/** At once: a process that starts meanwhile reads the old file or the new one. */
async function replace(output: OutputAsset | OutputChunk, folder: string): Promise<void> {
  const file = join(folder, output.fileName)
  await writeFile(`${file}.${process.pid}`, output.type === 'chunk' ? output.code : output.source)
  await rename(`${file}.${process.pid}`, file)
}

async function removeOldFiles(current: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(OUTPUT)) {
    const file = join(OUTPUT, name)
    const isOld = async () => (await stat(file)).mtimeMs < Date.now() - DAY_MS
    if (!current.has(basename(file)) && (await isOld())) await rm(file, { recursive: true, force: true })
  }
}
