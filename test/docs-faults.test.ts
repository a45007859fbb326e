import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { INVARIANTS } from '../src/engine/maintenance/invariants/index.ts'

const PAGE = readFileSync('docs/faults.md', 'utf8')
const ROWS = [...PAGE.matchAll(/^\| (F\d\d) ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm)].map(
  ([, id = '', fault = '', , tests = '']) => ({ id, fault, tests }),
)
const UNASSIGNED = new Set([55, 60])

/** The tests that a cell names. A title belongs to the file before it. */
function testsIn(cell: string): { file: string; title: string }[] {
  let file = ''
  return [...cell.matchAll(/(test\/[\w/.-]+\.test\.ts)|`([^`]+)`/g)].flatMap(([, path, title]) => {
    if (path !== undefined) file = path
    return title === undefined ? [] : [{ file, title }]
  })
}

/** Whether a file has a title in a line with quotes, other than a comment. */
function hasTitle(file: string, title: string): boolean {
  if (!existsSync(file)) return false
  return readFileSync(file, 'utf8')
    .split('\n')
    .some((line) => line.includes(title) && /['"`]/.test(line) && !line.trim().startsWith('//'))
}

function toId(number: number): string {
  return `F${String(number).padStart(2, '0')}`
}

describe('docs/faults.md', () => {
  it('has a row for every fault', () => {
    const all = Array.from({ length: 90 }, (_, i) => i + 1)
      .filter((number) => !UNASSIGNED.has(number))
      .map(toId)
    expect(ROWS.map(({ id }) => id).toSorted()).toEqual(all)
  })

  it.each(ROWS)('names tests that exist, or says why there is none: $id', ({ tests: cell }) => {
    const tests = testsIn(cell)
    expect(tests.filter(({ file, title }) => !hasTitle(file, title))).toEqual([])
    expect(tests.length > 0 || /^not (?:yet|here): \S/.test(cell)).toBe(true)
  })

  it('detects a test that does not exist', () => {
    expect(hasTitle('test/docs-faults.test.ts', 'no such title'.toUpperCase())).toBe(false)
    expect(testsIn('both: test/a.test.ts `one`, `two`; test/b.test.ts `three`')).toEqual([
      { file: 'test/a.test.ts', title: 'one' },
      { file: 'test/a.test.ts', title: 'two' },
      { file: 'test/b.test.ts', title: 'three' },
    ])
  })
})

describe('docs/storage.md', () => {
  const page = readFileSync('docs/storage.md', 'utf8').split('## What other stores do differently')[1] ?? ''
  const rows = [...page.matchAll(/^\| ([^|]+) \| [^|]+ \| ([^|]+) \|$/gm)]
    .map(([, , cell = '']) => ({ cell }))
    .slice(1)

  it('names a test for each difference of a store, or says why there is none', () => {
    expect(rows).toHaveLength(20)
    for (const { cell } of rows) {
      const tests = testsIn(cell)
      expect(tests.filter(({ file, title }) => !hasTitle(file, title))).toEqual([])
      expect(tests.length > 0 || /^not tested: \S/.test(cell)).toBe(true)
    }
  })
})

describe('docs/guarantees.md', () => {
  const page = readFileSync('docs/guarantees.md', 'utf8')

  it('lists the invariants of the doctor in its words', () => {
    const listed = [...page.matchAll(/^\| (I\d+) \| (.+) \|$/gm)].map(([, id, sentence]) => ({
      id,
      sentence,
    }))
    expect(listed).toEqual(INVARIANTS.map(({ id, sentence }) => ({ id, sentence })))
  })

  it('names tests that exist', () => {
    const files = [...page.matchAll(/test\/[\w/.-]+\.test\.ts/g)].map(([file]) => file)
    expect(files.length).toBeGreaterThan(10)
    expect(files.filter((file) => !existsSync(file))).toEqual([])
  })
})
