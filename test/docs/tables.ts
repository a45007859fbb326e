// The tables of a Markdown page, and the notation in their cells.

export interface Table {
  /** The nearest heading of level 2 above the table. */
  section: string
  columns: string[]
  rows: Record<string, string>[]
}

/** All tables; rows are keyed by column name. */
export function readTables(markdown: string): Table[] {
  const tables: Table[] = []
  let section = ''
  let open: Table | undefined
  for (const line of markdown.split('\n')) {
    const [, heading] = /^## (.+)/.exec(line) ?? []
    if (heading) section = heading
    if (!line.startsWith('|')) open = undefined
    else if (!open) tables.push((open = { section, columns: cellsOf(line), rows: [] }))
    else if (!/^\|[-| ]+$/.test(line)) {
      const cells = cellsOf(line)
      open.rows.push(Object.fromEntries(open.columns.map((name, at) => [name, cells[at] ?? ''])))
    }
  }
  return tables
}

function cellsOf(line: string): string[] {
  return line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll('\\|', '|'))
}

/** The texts in backticks. */
export function codesIn(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)
}

/** Settings of a request and options of a provider: `outputFormat: JPEG, outputCompression: 73`. */
export type Sample = Record<string, string | number>

export function readSample(code: string): Sample {
  const pairs = code.split(', ').map((pair): [string, string | number] => {
    const [, name = '', value = ''] = /^(\w+): (.+)$/.exec(pair) ?? []
    if (name === '') throw new Error(`${code} is not a setting`)
    return [name, /^\d+$/.test(value) ? Number(value) : value]
  })
  return Object.fromEntries(pairs)
}

export interface SentExample {
  sample: Sample
  /** The value of the field on the wire; undefined if it is left out. */
  sent: unknown
}

/** `quality: HIGH` → `"high"`; `background: AUTO` → left out */
export function readExamples(cell: string): SentExample[] {
  return [...cell.matchAll(/`([^`]+)` → (?:`([^`]+)`|left out)/g)].map(([, sample = '', sent]) => ({
    sample: readSample(sample),
    sent: sent === undefined ? undefined : JSON.parse(sent),
  }))
}

export interface SupportExample {
  sample: Sample
  kind: 'warning' | 'error' | 'accepted'
}

/** `style: VIVID` warning; `size: 640x480` error; `images: 1` accepted */
export function readSupport(cell: string): SupportExample[] {
  return (['warning', 'error', 'accepted'] as const).flatMap((kind) =>
    [...cell.matchAll(new RegExp(`\`([^\`]+)\` ${kind}`, 'g'))].map(([, sample = '']) => ({
      sample: readSample(sample),
      kind,
    })),
  )
}
