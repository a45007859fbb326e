// Comma-separated values by RFC 4180, fit to be opened by a spreadsheet.

/** A cell; null is an empty one. */
export type Cell = string | number | null

/** One line with its end. */
export function csvLine(cells: readonly Cell[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`
}

/**
 * A text that a spreadsheet would take for a formula is written with an apostrophe before it, which keeps it a text
 * (owasp.org/www-community/attacks/CSV_Injection). Numbers are never texts.
 */
function csvCell(cell: Cell): string {
  if (cell === null) return ''
  if (typeof cell === 'number') return String(cell)
  const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
