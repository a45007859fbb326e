// RFC 4180

export type CsvCell = string | number | null

/** Excel needs it to detect UTF-8 (support.microsoft.com, "Opening CSV UTF-8 files correctly in Excel"). */
export const BYTE_ORDER_MARK = '\uFEFF'

export function csvLine(cells: readonly CsvCell[]): string {
  return `${cells.map(toText).join(',')}\r\n`
}

/** Against evaluation in spreadsheets: owasp.org/www-community/attacks/CSV_Injection. */
function toText(cell: CsvCell): string {
  if (cell === null) return ''
  if (typeof cell === 'number') return String(cell)
  const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** Not RFC 4180. The message names the line. */
export class MalformedCsv extends Error {
  override name = 'MalformedCsv'
}

/** Records with as many cells as the first. Accepts a byte order mark and bare line feeds. Throws MalformedCsv. */
export function parseCsv(text: string): string[][] {
  const records: string[][] = []
  let cells: string[] = []
  // The last cell has no separator.
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y
  const source = text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text
  while (cell.lastIndex < source.length || cells.length > 0) {
    const start = cell.lastIndex
    const match = cell.exec(source)
    if (!match) throw malformed(source, start, 'a quote is missing or misplaced')
    const [, quoted, plain = '', separator] = match
    cells.push(quoted?.replaceAll('""', '"') ?? plain)
    if (separator === ',') continue
    const width = records[0]?.length ?? cells.length
    if (cells.length !== width)
      throw malformed(source, start, `the record has ${cells.length} cells; the first one has ${width}`)
    records.push(cells)
    cells = []
    if (separator === '') break
  }
  return records
}

function malformed(source: string, at: number, reason: string): MalformedCsv {
  return new MalformedCsv(`Line ${source.slice(0, at).split('\n').length}: ${reason}.`)
}
