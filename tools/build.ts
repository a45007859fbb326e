// Builds dashboard/dist, and dist/: JavaScript and the declarations of the public entries. Node strips no types below node_modules, so the package
// contains no TypeScript sources.
import { execFileSync } from 'node:child_process'
import { globSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '..')
const DIST = join(ROOT, 'dist')

rmSync(DIST, { recursive: true, force: true })
const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
// Several checkers would each infer the types of the libraries, and the collector would run every few megabytes: together
// they double the CPU time.
const env = { GOGC: '400', ...process.env }
for (const project of ['tsconfig.build.json', 'tsconfig.client.json'])
  execFileSync(process.execPath, [tsc, '-p', join(ROOT, project), '--checkers', '1'], {
    stdio: 'inherit',
    env,
  })

execFileSync(process.execPath, [join(ROOT, 'dashboard/build.ts')], { stdio: 'inherit' })

// `exports` hides every other module, so their declarations are of no use.
const needed = new Set<string>()
for (const entry of ['index', 'client/index', 'client/react/index'])
  reachable(join(DIST, `${entry}.d.ts`), needed)
for (const file of globSync('**/*.d.ts', { cwd: DIST })) {
  if (!needed.has(join(DIST, file))) rmSync(join(DIST, file))
}

/** A declaration file and all that it imports, transitively. */
function reachable(file: string, found: Set<string>): Set<string> {
  if (found.has(file)) return found
  found.add(file)
  const text = readFileSync(file, 'utf8')
  for (const [, target = ''] of text.matchAll(/\bfrom '(\.[^']+)\.ts'|\bimport\('(\.[^']+)\.ts'\)/g))
    reachable(join(dirname(file), `${target}.d.ts`), found)
  return found
}
