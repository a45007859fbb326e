// docs/errors.md against the codes of the source.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { EXIT } from '../src/cli/command.ts'
import { TASK_ERROR_CODES } from '../src/domain.ts'
import { GATEWAY_ERROR_CODES } from '../src/errors.ts'
import { REQUEST_ERRORS, statusOf } from '../src/http/refusal.ts'
import { codesIn, readTables } from './docs/tables.ts'

const TABLES = readTables(readFileSync('docs/errors.md', 'utf8'))

function rowsOf(section: string): { code: string; row: Record<string, string> }[] {
  const rows = TABLES.find((table) => table.section === section)?.rows ?? []
  return rows.map((row) => ({ code: codesIn(row['code'] ?? '')[0] ?? '', row }))
}

describe('docs/errors.md', () => {
  it('has every code of a refused request once, with its status', () => {
    const rows = rowsOf('Request errors')
    const statuses = new Map([
      ...GATEWAY_ERROR_CODES.map((code) => [code, statusOf(code)] as const),
      ...Object.entries(REQUEST_ERRORS),
    ])
    expect(rows).toHaveLength(statuses.size)
    expect(new Map(rows.map(({ code, row }) => [code, Number(row['status'])]))).toEqual(statuses)
  })

  it('has every code of a failed task once', () => {
    const codes = rowsOf('Task errors').map(({ code }) => code)
    expect(codes.toSorted()).toEqual(TASK_ERROR_CODES.toSorted())
  })

  it('has a cause and a remedy for each', () => {
    for (const { code, row } of [...rowsOf('Request errors'), ...rowsOf('Task errors')])
      expect([code, row['cause'], row['remedy']]).toEqual([
        code,
        expect.stringMatching(/\w.{8}/),
        expect.stringMatching(/\w.{8}/),
      ])
  })

  it('is as complete as the exit codes of docs/cli.md', () => {
    const page = readTables(readFileSync('docs/cli.md', 'utf8')).find(
      ({ section }) => section === 'Exit codes',
    )
    expect(page?.rows.map((row) => Number(row['code']))).toEqual(Object.values(EXIT))
  })
})
