import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { csvLine, type CsvCell } from '../src/csv.ts'

describe('a CSV line', () => {
  it.each([
    [['a', 1, null, -1], 'a,1,,-1\r\n'],
    [['a,b', 'a"b', 'a\nb', ''], '"a,b","a""b","a\nb",\r\n'],
    [['=1+1', '+1', '-1', '@x', '\tx', '\rx'], `'=1+1,'+1,'-1,'@x,'\tx,"'\rx"\r\n`],
    [['日本', 'O’Neil', 'Zoë'], '日本,O’Neil,Zoë\r\n'],
  ])('of %j is %j', (cells, line) => {
    expect(csvLine(cells)).toBe(line)
  })

  it('is parsed back to its cells, for any content', () => {
    const cell = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('"', ',', '\r', '\n', "'", '=', 'a') }),
      fc.integer(),
      fc.constant(null),
    )
    fc.assert(
      fc.property(fc.array(cell, { minLength: 1 }), (cells) => {
        expect(readLine(csvLine(cells))).toEqual(cells.map(expectedText))
      }),
    )
  })

  it('contains no text that a spreadsheet evaluates as a formula', () => {
    fc.assert(
      fc.property(fc.constantFrom('=', '+', '-', '@', '\t', '\r'), fc.string(), (sign, rest) => {
        expect(readLine(csvLine([sign + rest]))).toEqual([`'${sign}${rest}`])
      }),
    )
  })
})

function expectedText(cell: CsvCell): string {
  return typeof cell === 'string' && /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : String(cell ?? '')
}

/** The grammar of RFC 4180, section 2: cells of one record, quoted or free of quotes, commas and line breaks. */
function readLine(line: string): string[] {
  const cells: string[] = []
  let rest = line
  for (let end = ','; end === ',';) {
    const [all, quoted, plain = ''] = /^(?:"((?:[^"]|"")*)"|([^",\r\n]*))/.exec(rest)!
    cells.push(quoted?.replaceAll('""', '"') ?? plain)
    end = rest.charAt(all.length)
    rest = rest.slice(all.length + 1)
  }
  expect(rest).toBe('\n')
  return cells
}
