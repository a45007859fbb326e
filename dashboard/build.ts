// Builds dashboard/dist. With `--if-stale`, only if a source has changed since; without the development dependencies it then
// keeps what is there, so that `npm start` works in an installation for production.
import { createHash } from 'node:crypto'
import { existsSync, globSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const FOLDER = import.meta.dirname
const DIST = join(FOLDER, 'dist')
/** Of this process: builds may run at the same time. */
const FRESH = join(FOLDER, `dist.${process.pid}`)
const OLD = join(FOLDER, `dist.${process.pid}.old`)
const STAMP = 'stamp.json'

const stamp = JSON.stringify({ sources: hashOfSources() })
if (!process.argv.includes('--if-stale') || readStamp() !== stamp) await build()

async function build(): Promise<void> {
  if (!existsSync(join(FOLDER, '../node_modules/vite')) && process.argv.includes('--if-stale')) {
    process.stderr.write('The dashboard is not built: `npm ci` installs what `npm run build` needs.\n')
    return
  }
  // Else the value of a test or of a shell would put the development build of React into the page.
  process.env['NODE_ENV'] = 'production'
  const [vite, { default: config }] = await Promise.all([import('vite'), import('./vite.config.ts')])
  await vite.build({
    ...config,
    configFile: false,
    logLevel: 'warn',
    build: { ...config.build, outDir: FRESH, emptyOutDir: true },
  })
  writeFileSync(join(FRESH, STAMP), stamp)
  replaceDist()
}

/** Another build may put its folder there at any moment. */
function replaceDist(): void {
  for (;;) {
    try {
      renameSync(FRESH, DIST)
      return
    } catch (error) {
      if (!isOneOf(error, ['ENOTEMPTY', 'EEXIST'])) throw error
    }
    try {
      renameSync(DIST, OLD)
      rmSync(OLD, { recursive: true })
    } catch (error) {
      if (!isOneOf(error, ['ENOENT'])) throw error
    }
  }
}

function isOneOf(error: unknown, codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}

/** The page contains the core of the client, too. */
function hashOfSources(): string {
  const hash = createHash('sha256')
  const cwd = join(FOLDER, '..')
  const patterns = ['dashboard/src/**', 'dashboard/*.{ts,html}', 'client/*.ts', 'package-lock.json']
  for (const file of globSync(patterns, { cwd, exclude: ['dashboard/dist*/**'] }).toSorted()) {
    if (/\.\w+$/.test(file)) hash.update(file).update(readFileSync(join(cwd, file)))
  }
  return hash.digest('hex')
}

function readStamp(): string | undefined {
  const file = join(DIST, STAMP)
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}
