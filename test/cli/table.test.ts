import { stripVTControlCharacters, styleText } from 'node:util'
import { describe, expect, it } from 'vitest'
import { plain, type Format } from '../../src/cli/screen.ts'
import { indented, renderFacts, renderTable } from '../../src/cli/table.ts'

const marked = (format: Format, text: string) => `<${[format].flat().join('+')}>${text}</>`
const ansi = (format: Format, text: string) => styleText(format, text, { validateStream: false })

describe('a table', () => {
  const columns = [{ head: 'name' }, { head: 'cost', align: 'right' as const }, { head: 'note' }]

  it('aligns texts left and numbers right, below a header', () => {
    const rows = [
      ['shop', '$1,250.50', 'x'],
      ['a long name', '$0.00', ''],
    ]
    expect(renderTable({ columns, rows }, plain)).toEqual([
      'name              cost  note',
      'shop         $1,250.50  x',
      'a long name      $0.00',
    ])
  })

  it('has no header without heads, and no rule without rows', () => {
    expect(
      renderTable({ columns: [{}, { minWidth: 4 }, {}], rows: [['a', 'b', 'c']], gap: 3 }, plain),
    ).toEqual(['a   b      c'])
    expect(renderTable({ columns, rows: [], footer: ['total', '$0.00'] }, plain)).toEqual([
      'name    cost  note',
      'total  $0.00',
    ])
    expect(renderTable({ columns, rows: [] }, plain)).toEqual(['name  cost  note'])
  })

  it('separates totals by a rule of its own width', () => {
    const lines = renderTable({ columns, rows: [['shop', '$9.00', 'no']], footer: ['total', '$9.00'] }, plain)
    expect(lines.slice(1)).toEqual([
      'shop   $9.00  no',
      '─'.repeat('name    cost  note'.length),
      'total  $9.00',
    ])
  })

  it('measures wide, combining and joined characters', () => {
    const rows = [
      ['日本', '1', '.'],
      ['e\u0301te\u0301', '22', '.'],
      ['👨‍👩‍👧', '333', '.'],
      ['Zürich', '4', '.'],
    ]
    expect(renderTable({ columns, rows }, plain).slice(1)).toEqual([
      '日本       1  .',
      'e\u0301te\u0301       22  .',
      '👨‍👩‍👧       333  .',
      'Zürich     4  .',
    ])
  })

  it('replaces control characters in cells', () => {
    const rows = [['\x1b[31mred\x1b[0m', '1\r\n2', 'a\tb\x07']]
    expect(renderTable({ columns, rows }, plain)[1]).toBe(' [31mred [0m   1 2  a b')
  })

  it('formats a cell without its padding', () => {
    const table = {
      columns: [{ format: 'cyan' as const }, { align: 'right' as const }],
      rows: [
        ['a', '1'],
        [{ text: 'bcd', format: ['red', 'bold'] as const satisfies Format }, '22'],
        ['', '3'],
      ],
    }
    expect(renderTable(table, marked)).toEqual(['<cyan>a</>     1', '<red+bold>bcd</>  22', '      3'])
    const withoutColors = renderTable(table, ansi).map((line) => stripVTControlCharacters(line))
    expect(withoutColors).toEqual(renderTable(table, plain))
  })

  it('formats heads dim and totals bold', () => {
    expect(renderTable({ columns: [{ head: 'day' }], rows: [['1']], footer: ['total'] }, marked)).toEqual([
      '<dim>day</>',
      '1',
      '<dim>─────</>',
      '<bold>total</>',
    ])
  })

  it('supports ten thousand rows', () => {
    const rows = Array.from({ length: 10_000 }, (_, i) => [`row ${i}`, '$0.01', ''])
    expect(renderTable({ columns, rows }, plain)).toHaveLength(10_001)
  })
})

describe('facts', () => {
  it('are aligned after their names', () => {
    const facts = [
      ['Id', 'key_1'],
      ['Project', { text: 'shop', format: 'bold' }],
    ] as const
    expect(renderFacts(facts, plain)).toEqual(['Id       key_1', 'Project  shop'])
    expect(renderFacts(facts, marked, 9)).toEqual([
      '<dim>Id</>         key_1',
      '<dim>Project</>    <bold>shop</>',
    ])
    expect(indented(renderFacts(facts, plain))).toBe('  Id       key_1\n  Project  shop\n')
  })
})
