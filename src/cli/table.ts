import stringWidth from 'string-width'
import type { Format, Paint } from './screen.ts'

export interface Column {
  /** Without any, no header. */
  head?: string
  align?: 'left' | 'right'
  /** In terminal columns. */
  minWidth?: number
  /** For cells without their own. */
  format?: Format
}

export type TableCell = string | { text: string; format: Format }

export interface Table {
  /** A text: a column with this head. */
  columns: readonly (Column | string)[]
  rows: readonly (readonly TableCell[])[]
  footer?: readonly string[]
  /** In spaces; default 2. */
  gap?: number
}

/** Control characters become spaces. */
export function renderTable({ rows, footer, gap = 2, ...table }: Table, paint: Paint): string[] {
  const columns = table.columns.map((column): Column =>
    typeof column === 'string' ? { head: column } : column,
  )
  const heads = columns.map(({ head = '' }) => head)
  const lines = [heads, ...rows, ...(footer ? [footer] : [])]
  const widths = columns.map(({ minWidth = 0 }, nth) =>
    lines.reduce((width, cells) => Math.max(width, stringWidth(textOf(cells[nth]))), minWidth),
  )
  const render = (cells: readonly TableCell[], lineFormat?: Format) =>
    columns
      .map(({ align, format }, nth) => {
        const cell = cells[nth] ?? ''
        const text = textOf(cell)
        const padding = ' '.repeat((widths[nth] ?? 0) - stringWidth(text))
        const cellFormat = lineFormat ?? (typeof cell === 'string' ? format : cell.format)
        const painted = cellFormat === undefined || text === '' ? text : paint(cellFormat, text)
        return align === 'right' ? padding + painted : painted + padding
      })
      .join(' '.repeat(gap))
      .trimEnd()
  const total = widths.reduce((sum, width) => sum + width, gap * (columns.length - 1))
  return [
    ...(heads.some((head) => head !== '') ? [render(heads, 'dim')] : []),
    ...rows.map((cells) => render(cells)),
    ...(footer && rows.length > 0 ? [paint('dim', '─'.repeat(total))] : []),
    ...(footer ? [render(footer, 'bold')] : []),
  ]
}

/** At most `width` terminal columns; an ellipsis if shortened. Control characters become spaces. */
export function cut(text: string, width: number): string {
  const clean = textOf(text)
  if (stringWidth(clean) <= width) return clean
  let short = ''
  for (const { segment } of new Intl.Segmenter().segment(clean)) {
    if (stringWidth(short + segment) > width - 1) break
    short += segment
  }
  return `${short.trimEnd()}…`
}

export function renderFacts(
  facts: readonly (readonly [name: TableCell, value: TableCell])[],
  paint: Paint,
  minNameWidth = 0,
): string[] {
  return renderTable({ columns: [{ format: 'dim', minWidth: minNameWidth }, {}], rows: facts }, paint)
}

export function indented(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}\n`).join('')
}

function textOf(cell: TableCell | undefined): string {
  const text = typeof cell === 'object' ? cell.text : (cell ?? '')
  return text.replace(/\p{Cc}+/gu, ' ')
}
