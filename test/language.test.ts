// Wording and naming, checked on the real files. Each rule is also shown text that breaks it.
import { describe, expect, it } from 'vitest'
import { readTree, type Tree } from './architecture/source.ts'
import {
  findIdleExceptions,
  findDuplicateTypes,
  findVagueBounds,
  findImportsOfTest,
  findUnclearWords,
  type ProperUse,
} from './language/rules.ts'

const PROPER_USES: readonly ProperUse[] = []

const source = readTree(['src/**/*.ts', 'bin/*.js'])
const written = readTree([
  'src/**/*.ts',
  'client/**/*.ts',
  'examples/**/*.{html,md,mjs,ts,tsx}',
  'bin/*.js',
  'bench/**/*.ts',
  'tools/*.ts',
  'docs/**/*.md',
  'decisions/**/*.md',
  'deploy/**/*.*',
  '*.md',
  'compose.yaml',
  'Dockerfile',
  'schema.graphql',
])
// Without this test, whose examples break the rules.
const { 'test/language.test.ts': _self, ...tests } = readTree(['test/**/*.ts'])
// Without the rules, which name the unclear words.
const { 'test/language/rules.ts': _rules, ...worded } = { ...written, ...tests }

describe('the project', () => {
  it('is read completely', () => {
    expect(Object.keys(source).length).toBeGreaterThan(100)
    for (const path of [
      'README.md',
      'CONTRIBUTING.md',
      'schema.graphql',
      'bench/run.ts',
      'docs/operating.md',
    ])
      expect(written).toHaveProperty([path])
    expect(Object.keys(tests).length).toBeGreaterThan(100)
    expect(Object.keys(worded)).toHaveLength(Object.keys({ ...written, ...tests }).length - 1)
  })

  it('uses plain words', () => {
    expect(findUnclearWords(worded, PROPER_USES)).toEqual([])
    expect(findIdleExceptions(worded, PROPER_USES)).toEqual([])
  })

  it('names bounds MAX_ and MIN_', () => {
    expect(findVagueBounds({ ...written, ...tests })).toEqual([])
  })

  it('exports each type name once', () => {
    expect(findDuplicateTypes(source)).toEqual([])
  })

  it('writes every test as it()', () => {
    expect(findImportsOfTest(tests)).toEqual([])
  })
})

describe('the rule about', () => {
  it('plain words finds each of them, in any case, once per use', () => {
    const tree: Tree = {
      'docs/a.md': 'Whoever asks again.\nThe ledger is\nreckoned anew, as it comes.',
      'src/b.ts': '// For nobody, somebody, anybody, everybody and whomever.',
      'src/c.ts': 'const renewed = anewline',
    }
    expect(findUnclearWords(tree).map((sentence) => sentence.split(': ')[0])).toEqual([
      'docs/a.md:1 says "Whoever"',
      'docs/a.md:3 says "reckoned"',
      'docs/a.md:3 says "anew"',
      'docs/a.md:3 says "as it comes"',
      ...['nobody', 'somebody', 'anybody', 'everybody', 'whomever'].map(
        (word) => `src/b.ts:1 says "${word}"`,
      ),
    ])
  })

  it('plain words spares a proper use only in its file and its line', () => {
    const use = { path: 'Dockerfile', line: /^USER nobody$/, reason: 'a Unix account' }
    expect(findUnclearWords({ Dockerfile: 'USER nobody' }, [use])).toEqual([])
    expect(findUnclearWords({ Dockerfile: '# for nobody', 'a.md': 'USER nobody' }, [use])).toHaveLength(2)
    expect(findIdleExceptions({ Dockerfile: 'USER node' }, [use])).toEqual([
      'Dockerfile has no line that matches /^USER nobody$/',
    ])
  })

  it('bounds finds the old prefixes', () => {
    const tree: Tree = {
      'src/a.ts':
        'const MOST_BYTES = 1\nconst LEAST_MS = 2\nexport const LONGEST_WAIT_MS = 3\nconst MAX_MOST = 4',
    }
    expect(findVagueBounds(tree)).toEqual([
      'src/a.ts:1 names a bound MOST_BYTES',
      'src/a.ts:2 names a bound LEAST_MS',
      'src/a.ts:3 names a bound LONGEST_WAIT_MS',
    ])
  })

  it('type names finds two declarations, and leaves re-exports and private types alone', () => {
    const tree: Tree = {
      'src/a.ts': 'export interface Period {}\ninterface Row {}',
      'src/b.ts': "export type Period = string\nexport type { Row } from './c.ts'",
      'src/c.ts': 'export class Row {}\nexport const Period = 1',
    }
    expect(findDuplicateTypes(tree)).toEqual(['Period is exported by src/a.ts and src/b.ts'])
  })

  it('it() finds an import of test', () => {
    const tree: Tree = {
      'test/a.test.ts': "import { expect, onTestFinished, test } from 'vitest'",
      'test/b.test.ts': "import { expect, it, onTestFinished } from 'vitest'",
      'test/c.test.ts': "import {\n  expect,\n  test,\n} from 'vitest'",
    }
    expect(findImportsOfTest(tree)).toEqual([
      'test/a.test.ts imports test from vitest; write it(...)',
      'test/c.test.ts imports test from vitest; write it(...)',
    ])
  })
})
