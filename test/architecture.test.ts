// The rules of the source tree, checked on the real sources. Each rule is also shown a tree that breaks it.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import manifest from '../package.json' with { type: 'json' }
import {
  findClientImports,
  findDashboardImports,
  findImportsPastEntry,
  findAny,
  findCycles,
  findLargeFolders,
  findUnexplainedDependencies,
  findVagueNames,
  findLongFiles,
  findUnusedOrMissingDependencies,
  findImportsLeft,
  findUsesOutsideOwners,
  findRoomImportsLeft,
  findFolderCycles,
} from './architecture/rules.ts'
import { listUnread, readSources, readTree } from './architecture/source.ts'

const product = readSources(readTree(['src/**/*.ts', 'bin/*.js']))
const client = readSources(readTree(['client/**/*.ts']))
const dashboard = readSources(readTree(['dashboard/*.ts', 'dashboard/src/**/*.{ts,tsx}']))
// Without this test, whose examples look like imports, and without programs that have packages of their own.
const { 'test/architecture.test.ts': _self, ...toolTree } = readTree([
  'test/**/*.{ts,mjs}',
  'bench/**/*.ts',
  'tools/**/*.ts',
  '*.config.ts',
])
const tools = readSources(toolTree)

describe('the sources', () => {
  it('are all there', () => {
    expect(product.length).toBeGreaterThan(100)
    expect(product.flatMap(({ files }) => files).length).toBeGreaterThan(product.length)
  })

  it('import in the form that these rules read', () => {
    expect([...product, ...client].flatMap(listUnread)).toEqual([])
  })

  it('keep the dependency rule between layers', () => {
    expect(findImportsLeft(product)).toEqual([])
  })

  it('keep the dependency rule between the rooms of a layer', () => {
    expect(findRoomImportsLeft(product)).toEqual([])
  })

  it('of the client import no server and no package, and the server imports no client', () => {
    expect(client.length).toBeGreaterThan(15)
    expect(findClientImports([...product, ...client])).toEqual([])
  })

  it('of the dashboard import no server, and the server imports no dashboard', () => {
    expect(dashboard.length).toBeGreaterThan(40)
    expect(findDashboardImports([...product, ...client, ...dashboard])).toEqual([])
    expect(findCycles(dashboard)).toEqual([])
    expect(findAny(dashboard)).toEqual([])
    expect(findVagueNames(dashboard)).toEqual([])
    const written = dashboard.filter(({ path }) => !path.endsWith('/generated.ts'))
    expect(findLongFiles(written)).toEqual([])
  })

  it('import from a folder with an entry only the entry', () => {
    expect(findImportsPastEntry([...product, ...tools])).toEqual([])
  })

  it('have no import cycles, neither between files nor between sibling folders', () => {
    expect(findCycles([...product, ...client])).toEqual([])
    expect(findFolderCycles(product)).toEqual([])
  })

  it('leave the clock, random numbers, the process and each large library to their owners', () => {
    expect(findUsesOutsideOwners(product)).toEqual([])
  })

  it('stay small, files as well as folders', () => {
    expect(findLongFiles(product)).toEqual([])
    expect(findLongFiles(client.filter(({ path }) => path !== 'client/generated.ts'))).toEqual([])
    expect(findLargeFolders(product)).toEqual([])
  })

  it('are named for what they do', () => {
    expect(findVagueNames([...product, ...client, ...tools])).toEqual([])
  })

  it('do not use any', () => {
    expect(findAny([...product, ...client, ...tools])).toEqual([])
  })

  it('use every dependency, and declare those they use', () => {
    expect(
      findUnusedOrMissingDependencies(
        { product, tools: [...client, ...dashboard, ...tools] },
        manifest,
        binariesOf,
      ),
    ).toEqual([])
  })

  it('explain every dependency in CONTRIBUTING.md', () => {
    expect(findUnexplainedDependencies(manifest, readFileSync('CONTRIBUTING.md', 'utf8'))).toEqual([])
  })
})

describe('the rules find', () => {
  it('an import to the left, and one between layers of one entry', () => {
    const tree = {
      'src/cli.ts':
        "import { a } from './gateway.ts'\nimport manifest from '../package.json' with { type: 'json' }",
      'src/db/a.ts': "import type { B } from '../engine/b.ts'\nimport {\n  c,\n} from '../assets/c.ts'",
      'src/clock.ts': "export * from './db/a.ts'",
      'src/http/d.ts': "const late = await import('../config/file.ts')",
    }
    expect(findImportsLeft(readSources(tree))).toEqual([
      'src/db/a.ts (db) imports src/engine/b.ts (engine)',
      'src/db/a.ts (db) imports src/assets/c.ts (assets)',
      'src/clock.ts (domain) imports src/db/a.ts (db)',
      'src/http/d.ts (http) imports src/config/file.ts (config)',
    ])
    expect(() => findImportsLeft(readSources({ 'src/stray.ts': "import { a } from './domain.ts'" }))).toThrow(
      'src/stray.ts has no place in the dependency rule',
    )
  })

  it('an import in another form', () => {
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

  it('an import between rooms that points left', () => {
    const tree = {
      'src/engine/events/a.ts': "import { b } from '../tasks/b.ts'",
      'src/engine/tasks/b.ts': "import { c } from '../worker/c.ts'\nimport { a } from '../events/a.ts'",
      'src/engine/worker/c.ts': "import type { Deps } from '../deps.ts'",
    }
    expect(findRoomImportsLeft(readSources(tree))).toEqual([
      'src/engine/events/a.ts imports src/engine/tasks/b.ts',
      'src/engine/tasks/b.ts imports src/engine/worker/c.ts',
    ])
    expect(findFolderCycles(readSources(tree))).toEqual([
      'src/engine/events → src/engine/tasks → src/engine/events',
    ])
  })

  it('an import between client and server, and a package in the client', () => {
    const tree = {
      'client/a.ts': "import { b } from './react/b.ts'\nimport { c } from '../src/c.ts'\nimport 'graphql'",
      'client/react/b.ts': "import 'react'\nimport { a } from '../a.ts'\nimport { d } from '../index.ts'",
      'src/c.ts': "import { a } from '../client/a.ts'\nimport 'graphql'",
    }
    expect(findClientImports(readSources(tree))).toEqual([
      'client/a.ts imports client/react/b.ts',
      'client/a.ts imports src/c.ts',
      'client/a.ts imports graphql',
      'client/react/b.ts imports client/a.ts',
      'src/c.ts imports client/a.ts',
    ])
  })

  it('an import between dashboard and server, and one of the client past the connection', () => {
    const tree = {
      'dashboard/src/api/connection.ts': "import { a } from '../../../client/a.ts'",
      'dashboard/src/live/b.ts':
        "import { a } from '../../../client/a.ts'\nimport { c } from '../../../src/c.ts'",
      'src/c.ts': "import { b } from '../dashboard/src/live/b.ts'",
    }
    expect(findDashboardImports(readSources(tree))).toEqual([
      'dashboard/src/live/b.ts imports src/c.ts',
      'dashboard/src/live/b.ts imports client/a.ts',
      'src/c.ts imports dashboard/src/live/b.ts',
    ])
  })

  it('a dialect that imports another, and a registry that may', () => {
    const tree = {
      'src/providers/index.ts': "import { pmock } from './pmock/preset.ts'",
      'src/providers/openai/openai.ts': "import { pmock } from '../pmock/preset.ts'",
      'src/providers/pmock/preset.ts': "import type { Preset } from '../images-api/preset.ts'",
    }
    expect(findRoomImportsLeft(readSources(tree))).toEqual([
      'src/providers/openai/openai.ts imports src/providers/pmock/preset.ts',
    ])
  })

  it('an import past the entry of a folder', () => {
    const tree = {
      'src/providers/sandbox/a.ts':
        "import { paint } from './painter/paint.ts'\nimport { mix } from './painter/colour.ts'",
      'src/providers/sandbox/painter/sky.ts': "import { mix } from './colour.ts'",
    }
    expect(findImportsPastEntry(readSources(tree))).toEqual([
      'src/providers/sandbox/a.ts imports src/providers/sandbox/painter/colour.ts, whose entry is ' +
        'src/providers/sandbox/painter/paint.ts',
    ])
  })

  it('a folder of more than forty files', () => {
    const tree = Object.fromEntries(Array.from({ length: 41 }, (_, i) => [`src/db/a/${i}.ts`, '']))
    expect(findLargeFolders(readSources(tree))).toEqual(['src/db/a has 41 files'])
  })

  it('a cycle, however long', () => {
    const tree = {
      'src/db/a.ts': "import { b } from './b.ts'",
      'src/db/b.ts': "export { c } from './c.ts'",
      'src/db/c.ts': "import type { A } from './a.ts'",
      'src/db/d.ts': "import { a } from './a.ts'",
    }
    expect(findCycles(readSources(tree))).toEqual(['src/db/a.ts → src/db/b.ts → src/db/c.ts → src/db/a.ts'])
  })

  it('a use outside the owner', () => {
    const tree = {
      'src/engine/a.ts': "import { sql } from 'drizzle-orm/pg-core'\nconst at = Date.now()",
      'src/engine/b.ts': '// Date.now() and process.env in a comment.\nAbortSignal.timeout(1)',
      'src/engine/d.ts': 'const at = Temporal.Now.instant()',
      'src/db/c.ts': "import { env } from 'node:process'\nAbortSignal.timeout(1)\nconsole.log(Math.random())",
    }
    expect(findUsesOutsideOwners(readSources(tree)).map((sentence) => sentence.split(', which')[0])).toEqual([
      'src/engine/a.ts imports drizzle-orm',
      'src/engine/a.ts uses the clock',
      'src/engine/d.ts uses the clock',
      'src/db/c.ts imports node:process',
      'src/db/c.ts uses a deadline',
      'src/db/c.ts uses random numbers',
      'src/db/c.ts uses the console',
    ])
  })

  it('a file that is too long, and a median that is too high', () => {
    expect(
      findLongFiles(
        readSources({ 'src/a.ts': linesOf(301), 'src/b.ts': linesOf(90), 'src/c.ts': linesOf(1) }),
      ),
    ).toEqual(['src/a.ts has 301 lines'])
    expect(findLongFiles(readSources({ 'src/a.ts': linesOf(110) }))).toEqual([
      'the median file has 110 lines',
    ])
  })

  it('vague names and any', () => {
    const tree = {
      'src/utils/a.ts': 'let a: any',
      'src/db/helpers.ts': 'f(x as any)',
      'src/db/any.ts': 'any(b)',
    }
    expect(findVagueNames(readSources(tree))).toHaveLength(2)
    expect(findAny(readSources(tree))).toEqual(['src/utils/a.ts uses any', 'src/db/helpers.ts uses any'])
  })

  it('dependencies that are unused, missing or unexplained', () => {
    const one = readSources({
      'src/a.ts': "import { a } from '@a/a/sub'\nimport 'node:fs'\nimport b from 'b'",
    })
    const wanted = {
      scripts: { check: 'lint --strict' },
      dependencies: { '@a/a': '1', c: '1' },
      devDependencies: { linter: '1', d: '1', '@types/c': '1', '@types/b': '1' },
    }
    expect(findUnusedOrMissingDependencies({ product: one, tools: [] }, wanted, linterBinaries)).toEqual([
      'b is imported and is not a dependency',
      'c is a dependency that no file in src imports',
      'd is a development dependency without a use',
      '@types/b is a development dependency without a use',
    ])
    const table = '| `@a/a` | speaks the language of A |\n| `c` | why |\n| `z` | was removed long ago |'
    expect(findUnexplainedDependencies({ ...wanted, devDependencies: {} }, table)).toEqual([
      'c has no reason',
      'z is not a dependency',
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
