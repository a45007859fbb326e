// The Line and its lesser laws, kept by reading the real sources. Each law is also shown a house that breaks it.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import manifest from '../package.json' with { type: 'json' }
import {
  entersByTheEntry,
  hasNoAny,
  hasNoCycles,
  hasSmallFolders,
  isExplained,
  isNamedForItsJob,
  isSmall,
  needsItsDependencies,
  pointsRight,
  respectsOwners,
  roomsPointRight,
  siblingsHaveNoCycles,
} from './architecture/laws.ts'
import { listUnread, readSources, readTree } from './architecture/source.ts'

const product = readSources(readTree(['src/**/*.ts', 'bin/*.js']))
// Not this test: its houses are made of texts that look like imports.
const { 'test/architecture.test.ts': _self, ...toolTree } = readTree([
  'test/**/*.{ts,mjs}',
  'bench/**/*.ts',
  'tools/*.ts',
  '*.config.ts',
])
const tools = readSources(toolTree)

describe('the sources', () => {
  test('are all there', () => {
    expect(product.length).toBeGreaterThan(100)
    expect(product.flatMap(({ files }) => files).length).toBeGreaterThan(product.length)
  })

  test('import in the one form that these laws read', () => {
    expect(product.flatMap(listUnread)).toEqual([])
  })

  test('keep the dependency rule between layers', () => {
    expect(pointsRight(product)).toEqual([])
  })

  test('keep the dependency rule between the rooms of a layer', () => {
    expect(roomsPointRight(product)).toEqual([])
  })

  test('import from a folder with an entry only the entry', () => {
    expect(entersByTheEntry([...product, ...tools])).toEqual([])
  })

  test('have no import cycles, neither between files nor between sibling folders', () => {
    expect(hasNoCycles(product)).toEqual([])
    expect(siblingsHaveNoCycles(product)).toEqual([])
  })

  test('leave time, chance, the process and each big library to their owners', () => {
    expect(respectsOwners(product)).toEqual([])
  })

  test('stay small, files as well as folders', () => {
    expect(isSmall(product)).toEqual([])
    expect(hasSmallFolders(product)).toEqual([])
  })

  test('are named for what they do', () => {
    expect(isNamedForItsJob([...product, ...tools])).toEqual([])
  })

  test('never say any', () => {
    expect(hasNoAny([...product, ...tools])).toEqual([])
  })

  test('need every dependency, and have those they need', () => {
    expect(needsItsDependencies({ product, tools }, manifest, binariesOf)).toEqual([])
  })

  test('explain every dependency in CONTRIBUTING.md', () => {
    expect(isExplained(manifest, readFileSync('CONTRIBUTING.md', 'utf8'))).toEqual([])
  })
})

describe('each law notices', () => {
  test('an import to the left, and one between neighbours', () => {
    const tree = {
      'src/cli.ts':
        "import { a } from './gateway.ts'\nimport manifest from '../package.json' with { type: 'json' }",
      'src/db/a.ts': "import type { B } from '../engine/b.ts'\nimport {\n  c,\n} from '../assets/c.ts'",
      'src/clock.ts': "export * from './db/a.ts'",
      'src/http/d.ts': "const late = await import('../config/file.ts')",
    }
    expect(pointsRight(readSources(tree))).toEqual([
      'src/db/a.ts (db) imports src/engine/b.ts (engine)',
      'src/db/a.ts (db) imports src/assets/c.ts (assets)',
      'src/clock.ts (domain) imports src/db/a.ts (db)',
      'src/http/d.ts (http) imports src/config/file.ts (config)',
    ])
    expect(() => pointsRight(readSources({ 'src/stray.ts': "import { a } from './domain.ts'" }))).toThrow(
      'src/stray.ts has no place in the dependency rule',
    )
  })

  test('imports in another form', () => {
    for (const line of [
      'import { a } from "./a.ts"',
      'await import(name)',
      "const a = require('a')",
      'import a',
    ]) {
      expect(readSources({ 'src/db/a.ts': line }).flatMap(listUnread)).not.toEqual([])
    }
    const comments = "// import { a } from '../cli.ts'\n/**\n * from 'b'\n */"
    expect(readSources({ 'src/db/a.ts': comments })).toMatchObject([{ files: [], packages: [] }])
    expect(readSources({ 'src/db/a.ts': comments }).flatMap(listUnread)).toEqual([])
  })

  test('an import between rooms that points left', () => {
    const tree = {
      'src/engine/events/a.ts': "import { b } from '../tasks/b.ts'",
      'src/engine/tasks/b.ts': "import { c } from '../worker/c.ts'\nimport { a } from '../events/a.ts'",
      'src/engine/worker/c.ts': "import type { Deps } from '../deps.ts'",
    }
    expect(roomsPointRight(readSources(tree))).toEqual([
      'src/engine/events/a.ts imports src/engine/tasks/b.ts',
      'src/engine/tasks/b.ts imports src/engine/worker/c.ts',
    ])
    expect(siblingsHaveNoCycles(readSources(tree))).toEqual([
      'src/engine/events → src/engine/tasks → src/engine/events',
    ])
  })

  test('a dialect that imports another, and a registry that may', () => {
    const tree = {
      'src/providers/index.ts': "import { pmock } from './pmock/preset.ts'",
      'src/providers/openai/openai.ts': "import { pmock } from '../pmock/preset.ts'",
      'src/providers/pmock/preset.ts': "import type { Preset } from '../images-api/preset.ts'",
    }
    expect(roomsPointRight(readSources(tree))).toEqual([
      'src/providers/openai/openai.ts imports src/providers/pmock/preset.ts',
    ])
  })

  test('an import that passes by the entry of a folder', () => {
    const tree = {
      'src/providers/sandbox/a.ts':
        "import { paint } from './painter/paint.ts'\nimport { mix } from './painter/colour.ts'",
      'src/providers/sandbox/painter/sky.ts': "import { mix } from './colour.ts'",
    }
    expect(entersByTheEntry(readSources(tree))).toEqual([
      'src/providers/sandbox/a.ts imports src/providers/sandbox/painter/colour.ts, whose entry is ' +
        'src/providers/sandbox/painter/paint.ts',
    ])
  })

  test('a folder of more than forty files', () => {
    const tree = Object.fromEntries(Array.from({ length: 41 }, (_, i) => [`src/db/a/${i}.ts`, '']))
    expect(hasSmallFolders(readSources(tree))).toEqual(['src/db/a has 41 files'])
  })

  test('a cycle, however long', () => {
    const tree = {
      'src/db/a.ts': "import { b } from './b.ts'",
      'src/db/b.ts': "export { c } from './c.ts'",
      'src/db/c.ts': "import type { A } from './a.ts'",
      'src/db/d.ts': "import { a } from './a.ts'",
    }
    expect(hasNoCycles(readSources(tree))).toEqual(['src/db/a.ts → src/db/b.ts → src/db/c.ts → src/db/a.ts'])
  })

  test('what is taken from its owner', () => {
    const tree = {
      'src/engine/a.ts': "import { sql } from 'drizzle-orm/pg-core'\nconst at = Date.now()",
      'src/engine/b.ts': '// Date.now() and process.env are for others.\nAbortSignal.timeout(1)',
      'src/engine/d.ts': 'const at = Temporal.Now.instant()',
      'src/db/c.ts': "import { env } from 'node:process'\nAbortSignal.timeout(1)\nconsole.log(Math.random())",
    }
    expect(respectsOwners(readSources(tree)).map((sentence) => sentence.split(', which')[0])).toEqual([
      'src/engine/a.ts imports drizzle-orm',
      'src/engine/a.ts touches time',
      'src/engine/d.ts touches time',
      'src/db/c.ts imports node:process',
      'src/db/c.ts touches a deadline',
      'src/db/c.ts touches chance',
      'src/db/c.ts touches the console',
    ])
  })

  test('a file that is too long, and files that are long on the whole', () => {
    expect(
      isSmall(readSources({ 'src/a.ts': linesOf(301), 'src/b.ts': linesOf(90), 'src/c.ts': linesOf(1) })),
    ).toEqual(['src/a.ts has 301 lines'])
    expect(isSmall(readSources({ 'src/a.ts': linesOf(110) }))).toEqual(['the median file has 110 lines'])
  })

  test('vague names and untyped values', () => {
    const tree = {
      'src/utils/a.ts': 'let a: any',
      'src/db/helpers.ts': 'f(x as any)',
      'src/db/any.ts': 'any(b)',
    }
    expect(isNamedForItsJob(readSources(tree))).toHaveLength(2)
    expect(hasNoAny(readSources(tree))).toEqual(['src/utils/a.ts says any', 'src/db/helpers.ts says any'])
  })

  test('dependencies that are idle, missing or unexplained', () => {
    const one = readSources({
      'src/a.ts': "import { a } from '@a/a/sub'\nimport 'node:fs'\nimport b from 'b'",
    })
    const wanted = {
      scripts: { check: 'lint --strict' },
      dependencies: { '@a/a': '1', c: '1' },
      devDependencies: { linter: '1', d: '1', '@types/c': '1', '@types/b': '1' },
    }
    expect(needsItsDependencies({ product: one, tools: [] }, wanted, linterBinaries)).toEqual([
      'b is imported, but is no dependency',
      'c is a dependency that nothing in src imports',
      'd is a development dependency that nothing uses',
      '@types/b is a development dependency that nothing uses',
    ])
    const table = '| `@a/a` | speaks the language of A |\n| `c` | why |\n| `z` | was here once, long ago |'
    expect(isExplained({ ...wanted, devDependencies: {} }, table)).toEqual([
      'c has no reason',
      'z is no dependency',
    ])
  })
})

function linesOf(count: number): string {
  return Array.from({ length: count }, () => 'x').join('\n')
}

function linterBinaries(name: string): string[] {
  return name === 'linter' ? ['lint'] : []
}

const BINARIES = z.object({ bin: z.union([z.string(), z.record(z.string(), z.string())]).default({}) })

function binariesOf(name: string): string[] {
  const { bin } = BINARIES.parse(JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')))
  return typeof bin === 'string' ? [name.split('/').at(-1) ?? name] : Object.keys(bin)
}
