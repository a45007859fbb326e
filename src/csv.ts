// CSV (RFC 4180) that is safe to open in a spreadsheet.

export type CsvCell = string | number | null

/** Without it, Excel does not read a file as UTF-8 (support.microsoft.com, "Opening CSV UTF-8 files correctly in Excel"). */
export const BYTE_ORDER_MARK = '\uFEFF'

/** One line, terminated by CRLF. Null is an empty cell. */
export function csvLine(cells: readonly CsvCell[]): string {
  return `${cells.map(toText).join(',')}\r\n`
}

/** Prefixes texts that a spreadsheet would evaluate with an apostrophe (owasp.org/www-community/attacks/CSV_Injection). */
function toText(cell: CsvCell): string {
  if (cell === null) return ''
  if (typeof cell === 'number') return String(cell)
  const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
