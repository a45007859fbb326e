// RFC 4180

export type CsvCell = string | number | null

/** Excel needs it to detect UTF-8 (support.microsoft.com, "Opening CSV UTF-8 files correctly in Excel"). */
export const BYTE_ORDER_MARK = '\uFEFF'

export function csvLine(cells: readonly CsvCell[]): string {
  return `${cells.map(toText).join(',')}\r\n`
}

/** Prevents evaluation in spreadsheets: owasp.org/www-community/attacks/CSV_Injection. */
function toText(cell: CsvCell): string {
  if (cell === null) return ''
  if (typeof cell === 'number') return String(cell)
  const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
