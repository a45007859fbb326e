// Source files as the rules read them: their imports, and their code without comments.
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path/posix'

/** Path from the root of the repository to the file's text. */
export type Tree = Readonly<Record<string, string>>

export interface Source {
  path: string
  lines: number
  /** The text without lines of comment. A comment after code on its line stays. */
  code: string
  /** Imported files, as paths from the root. */
  files: string[]
  /** Imported packages without subpaths; those of Node as `node:…`. */
  packages: string[]
}

export function readTree(patterns: string[]): Tree {
  const paths = globSync(patterns, { exclude: ['**/node_modules/**', 'test/clients/programs/**'] }).map(
    (path) => path.replaceAll('\\', '/'),
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

// Between `import` and `from` it allows names and braces only, so that it matches no expression.
const STATEMENT =
  /^(?:import|export)\b(?:(?!\n(?:import|export)\b)[\w\s{},*$])*?\bfrom\s*'([^']+)'|^import\s*'([^']+)'|\bimport\(\s*['`]([^'`]+)['`]/gm

// An import in any form.
const LOOKS_LIKE_ONE = /^import\b|\bimport\(|\bfrom\s*['"][\w.@][^\s'"]*['"]$|\brequire\(|\bcreateRequire\b/gm

const MAY_IMPORT_ANYTHING = new Set([
  // Imports the configuration file from any path.
  'src/config/file.ts',
  // Must parse on any version of Node, so they use `require`.
  'bin/darkroom.js',
  'bin/start.js',
])

/** Imports in a form that `readSources` does not read. */
export function listUnread({ path, code }: Source): string[] {
  const read = [...code.matchAll(STATEMENT)].map(({ index, 0: { length } }) => ({
    from: index,
    to: index + length,
  }))
  return [...code.matchAll(LOOKS_LIKE_ONE)]
    .filter(({ index }) => !read.some(({ from, to }) => from <= index && index < to))
    .filter(() => !MAY_IMPORT_ANYTHING.has(path))
    .map(
      ({ index }) => `${path} imports in a form that no rule reads: ${code.slice(index).split('\n', 1)[0]}`,
    )
}

function packageName(target: string): string {
  if (target.startsWith('node:')) return target
  return target.split('/', target.startsWith('@') ? 2 : 1).join('/')
}
