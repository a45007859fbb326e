// Source files as the laws see them: what each imports, and what it says apart from its comments.
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path/posix'

/** Path from the root of the repository to the file's text. */
export type Tree = Readonly<Record<string, string>>

export interface Source {
  path: string
  lines: number
  /** Without the lines that are nothing but comment. What follows code on its line stays: better a false alarm. */
  code: string
  /** Files of ours, as paths from the root. */
  files: string[]
  /** Packages, without their subpaths; Node's own as `node:…`. */
  packages: string[]
}

export function readTree(patterns: string[]): Tree {
  const paths = globSync(patterns, { exclude: ['**/node_modules/**'] }).map((path) =>
    path.replaceAll('\\', '/'),
  )
  return Object.fromEntries(paths.toSorted().map((path) => [path, readFileSync(path, 'utf8')]))
}

export function readSources(tree: Tree): Source[] {
  return Object.entries(tree).map(([path, text]) => {
    const code = text.replaceAll(/^\s*(?:\/\/|\/\*|\*).*$/gm, '')
    const targets = [...code.matchAll(STATEMENT)].map(
      ([, from, bare, dynamic]) => from ?? bare ?? dynamic ?? '',
    )
    const files = targets
      .filter((target) => target.startsWith('.'))
      .map((target) => join(dirname(path), target))
    const packages = targets.filter((target) => !target.startsWith('.')).map(packageName)
    return { path, lines: text.trimEnd().split('\n').length, code, files, packages }
  })
}

// Nothing but names and braces can stand between `import` and `from`, so no expression is ever taken for one.
const STATEMENT =
  /^(?:import|export)\b(?:(?!\n(?:import|export)\b)[\w\s{},*$])*?\bfrom\s*'([^']+)'|^import\s*'([^']+)'|\bimport\(\s*['`]([^'`]+)['`]/gm

// Whatever looks like an import, in any form.
const LOOKS_LIKE_ONE = /^import\b|\bimport\(|\bfrom\s*['"][\w.@][^\s'"]*['"]$|\brequire\(|\bcreateRequire\b/gm

const MAY_IMPORT_ANYTHING = new Set([
  // Reads the operator's configuration file, wherever that is.
  'src/config/file.ts',
  // Must parse on any Node, so they can only use `require`.
  'bin/darkroom.js',
  'bin/start.js',
])

/** Imports in a form that `readSources` does not know, and that would keep no law. */
export function listUnread({ path, code }: Source): string[] {
  const read = [...code.matchAll(STATEMENT)].map(({ index, 0: { length } }) => ({
    from: index,
    to: index + length,
  }))
  return [...code.matchAll(LOOKS_LIKE_ONE)]
    .filter(({ index }) => !read.some(({ from, to }) => from <= index && index < to))
    .filter(() => !MAY_IMPORT_ANYTHING.has(path))
    .map(({ index }) => `${path} imports in a way that no law sees: ${code.slice(index).split('\n', 1)[0]}`)
}

function packageName(target: string): string {
  if (target.startsWith('node:')) return target
  return target.split('/', target.startsWith('@') ? 2 : 1).join('/')
}
