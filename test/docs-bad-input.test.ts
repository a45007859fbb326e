import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { GATEWAY_ERROR_CODES } from '../src/errors.ts'
import { REQUEST_ERRORS } from '../src/http/refusal.ts'

const PAGE = readFileSync('docs/bad-input.md', 'utf8')
const ROWS = [...PAGE.matchAll(/^\| (B\d{2,3}) ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm)].map(
  ([, id = '', input = '', response = '', tests = '']) => ({ id, input, response, tests }),
)
const UNASSIGNED = new Set([28, 44, 48, 61, 66, 76, 82, 90])
const LAST = 160

/** The tests that a cell names. A title belongs to the file before it. */
function testsIn(cell: string): { file: string; title: string }[] {
  let file = ''
  return [...cell.matchAll(/(test\/[\w/.-]+\.test\.ts)|`([^`]+)`/g)].flatMap(([, path, title]) => {
    if (path !== undefined) file = path
    return title === undefined ? [] : [{ file, title }]
  })
}

/** Whether a file has a title. If it numbers its cases, the number must be there as well. */
function hasRow(file: string, title: string, id: string): boolean {
  if (!existsSync(file)) return false
  const text = readFileSync(file, 'utf8')
  const line = text.split('\n').findIndex((one) => one.includes(title) && /['"`]/.test(one))
  if (line === -1) return false
  return !/row: 'B\d+'|\('B\d+',/.test(text) || text.includes(`'${id}'`) || isAlone(text, line)
}

/** Whether a title follows `it(`: such a test has no number. */
function isAlone(text: string, line: number): boolean {
  return text
    .split('\n')
    .slice(Math.max(0, line - 2), line + 1)
    .some((one) => /\bit\(|\)\(/.test(one))
}

describe('docs/bad-input.md', () => {
  it('has a row for every number', () => {
    const all = Array.from({ length: LAST }, (_, i) => i + 1)
      .filter((number) => !UNASSIGNED.has(number))
      .map((number) => `B${String(number).padStart(2, '0')}`)
    expect(ROWS.map(({ id }) => id)).toEqual(all)
  })

  it.each(ROWS)('names tests that exist, or says why there is none: $id', ({ id, tests: cell }) => {
    const tests = testsIn(cell)
    expect(tests.filter(({ file, title }) => !hasRow(file, title, id))).toEqual([])
    expect(tests.length > 0 || /^not yet: \S/.test(cell)).toBe(true)
  })

  it('names only codes of the two lists', () => {
    const known = new Set<string>([...GATEWAY_ERROR_CODES, ...Object.keys(REQUEST_ERRORS)])
    const named = ROWS.flatMap(({ response }) => response.match(/\b[A-Z]+(?:_[A-Z]+)+\b/g) ?? [])
    const tested = new Set(
      ROWS.filter((row) => !row.tests.startsWith('not yet')).map(({ response }) => response),
    )
    const unknown = named.filter((code) => !known.has(code))
    expect(unknown.filter((code) => [...tested].some((response) => response.includes(code)))).toEqual([])
  })

  it('lists every request error code with its status', () => {
    const listed = [...PAGE.matchAll(/^\| ([A-Z_]+) \| (\d{3}) \|$/gm)].map(([, code, status]) => [
      code,
      Number(status),
    ])
    expect(Object.fromEntries(listed)).toEqual(REQUEST_ERRORS)
  })

  it('detects a test that does not exist', () => {
    expect(hasRow('test/docs-bad-input.test.ts', 'no such title'.toUpperCase(), 'B01')).toBe(false)
    expect(hasRow('test/http/bad-operations.test.ts', '16 aliases', 'B99')).toBe(false)
  })
})
