import stringWidth from 'string-width'
import type { Format, Paint } from './screen.ts'

export interface Column {
  /** A table whose columns have none has no head line. */
  head?: string
  /** Left by default; numbers are read more easily at the right. */
  align?: 'left' | 'right'
  /** In characters of the terminal, as all widths. */
  minWidth?: number
  /** Of its cells; the head and the footer have one format each. */
  format?: Format
}

/** A text, or one in a format that is not its column's. */
export type TableCell = string | { text: string; format: Format }

export interface Table {
  columns: readonly Column[]
  rows: readonly (readonly TableCell[])[]
  /** A line of totals, below a rule where there are rows. */
  footer?: readonly string[]
  /** Between two columns; 2 by default. */
  gap?: number
}

/**
 * The lines of a table, each column as wide as its widest cell. Control characters in cells become spaces, so that no cell
 * breaks its line or controls the terminal.
 */
export function renderTable({ columns, rows, footer, gap = 2 }: Table, paint: Paint): string[] {
  const heads = columns.map(({ head = '' }) => head)
  const drawn = [heads, ...rows, ...(footer ? [footer] : [])]
  const widths = columns.map(({ minWidth = 0 }, nth) =>
    drawn.reduce((width, cells) => Math.max(width, stringWidth(textOf(cells[nth]))), minWidth),
  )
  const line = (
    cells: readonly TableCell[],
    formatOf: (cell: TableCell, column: Column) => Format | undefined,
  ) =>
    columns
      .map((column, nth) => {
        const text = textOf(cells[nth])
        const space = ' '.repeat((widths[nth] ?? 0) - stringWidth(text))
        const format = formatOf(cells[nth] ?? '', column)
        const painted = format === undefined || text === '' ? text : paint(format, text)
        return column.align === 'right' ? space + painted : painted + space
      })
      .join(' '.repeat(gap))
      .trimEnd()
  const total = widths.reduce((sum, width) => sum + width, gap * (columns.length - 1))
  return [
    ...(heads.some((head) => head !== '') ? [line(heads, () => 'dim')] : []),
    ...rows.map((cells) =>
      line(cells, (cell, { format }) => (typeof cell === 'string' ? format : cell.format)),
    ),
    ...(footer && rows.length > 0 ? [paint('dim', '─'.repeat(total))] : []),
    ...(footer ? [line(footer, () => 'bold')] : []),
  ]
}

/** Pairs of a name and its value, one to a line. `nameWidth` is the minimum width of the names. */
export function renderFacts(
  facts: readonly (readonly [name: TableCell, value: TableCell])[],
  paint: Paint,
  nameWidth = 0,
): string[] {
  return renderTable({ columns: [{ format: 'dim', minWidth: nameWidth }, {}], rows: facts }, paint)
}

/** Lines as one text, each set in by two spaces. */
export function indented(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}\n`).join('')
}

function textOf(cell: TableCell | undefined): string {
  const text = typeof cell === 'object' ? cell.text : (cell ?? '')
  return text.replace(/\p{Cc}+/gu, ' ')
}
