// Builds dist/: JavaScript and the declarations of the public entry. Node strips no types below node_modules, so the package
// cannot run its sources as a clone does.
import { execFileSync } from 'node:child_process'
import { globSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '..')
const DIST = join(ROOT, 'dist')

rmSync(DIST, { recursive: true, force: true })
const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
execFileSync(process.execPath, [tsc, '-p', join(ROOT, 'tsconfig.build.json')], { stdio: 'inherit' })

// `exports` hides every other module, so nobody can import what their declarations describe.
const needed = reachable(join(DIST, 'index.d.ts'))
for (const file of globSync('**/*.d.ts', { cwd: DIST })) {
  if (!needed.has(join(DIST, file))) rmSync(join(DIST, file))
}

/** A declaration file and those that it imports, directly or not. */
function reachable(file: string, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found
  found.add(file)
  const text = readFileSync(file, 'utf8')
  for (const [, target = ''] of text.matchAll(/\bfrom '(\.[^']+)\.ts'|\bimport\('(\.[^']+)\.ts'\)/g))
    reachable(join(dirname(file), `${target}.d.ts`), found)
  return found
}
