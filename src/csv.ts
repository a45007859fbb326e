// Comma-separated values by RFC 4180, fit to be opened by a spreadsheet.

/** Null is an empty cell. */
export type CsvCell = string | number | null

/**
 * What a download begins with: Excel takes a file without it for the code page of the machine, and breaks every name outside
 * ASCII (support.microsoft.com, "Opening CSV UTF-8 files correctly in Excel"). Output for programs has none.
 */
export const BYTE_ORDER_MARK = '\uFEFF'

/** One line with its end. */
export function csvLine(cells: readonly CsvCell[]): string {
  return `${cells.map(textOf).join(',')}\r\n`
}

/**
 * A text that a spreadsheet would take for a formula is written with an apostrophe before it, which keeps it a text
 * (owasp.org/www-community/attacks/CSV_Injection). Numbers are never texts.
 */
function textOf(cell: CsvCell): string {
  if (cell === null) return ''
  if (typeof cell === 'number') return String(cell)
  const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
