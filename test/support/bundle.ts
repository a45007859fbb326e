// Bundles of the entries of child processes. From one file, a gateway starts in half of the CPU time that hundreds of
// modules take, and the tests start more than a hundred.
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'rolldown'

/** Three levels below the root, as the module that finds the migrations from its own place. */
const OUTPUT = join(import.meta.dirname, 'dist')

const ENTRIES = ['gateway-child', 'crash-child']

/** Native packages, their drivers, and one of 9 MB that would be parsed for nothing. */
const EXTERNAL = ['better-sqlite3', 'sharp', 'pg', '@graphql-yoga/render-graphiql']

/** Builds them. Afterwards `entryOf` returns the bundles, in this process and in those that it starts. */
export async function bundleEntries(): Promise<void> {
  await mkdir(OUTPUT, { recursive: true })
  await Promise.all(ENTRIES.map(bundle))
  process.env['TEST_BUNDLES'] = OUTPUT
}

async function bundle(entry: string): Promise<void> {
  const { output } = await build({
    input: join(import.meta.dirname, `${entry}.ts`),
    platform: 'node',
    external: EXTERNAL,
    // Of a package with a build of each kind, the one that Node loads.
    resolve: { conditionNames: ['node', 'module-sync', 'import'] },
    output: { format: 'esm', codeSplitting: false },
    logLevel: 'warn',
    write: false,
  })
  // Replaced at once: another run may start children from it.
  const file = join(OUTPUT, `${entry}.js`)
  await writeFile(`${file}.${process.pid}`, output[0].code)
  await rename(`${file}.${process.pid}`, file)
}
