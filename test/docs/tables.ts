// Tables of a page in Markdown, and the little language that their cells are written in.

export interface Table {
  /** The headings above it, the nearest last. */
  section: string
  columns: string[]
  rows: Record<string, string>[]
}

/** All tables, each row by the names of its columns. */
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

/** What stands in backticks. */
export function codesIn(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)
}

/** One setting or several: `outputFormat: JPEG, outputCompression: 73`. */
export type Wish = Record<string, string | number>

export function readWish(code: string): Wish {
  const pairs = code.split(', ').map((pair): [string, string | number] => {
    const [, name = '', value = ''] = /^(\w+): (.+)$/.exec(pair) ?? []
    if (name === '') throw new Error(`${code} is no setting`)
    return [name, /^\d+$/.test(value) ? Number(value) : value]
  })
  return Object.fromEntries(pairs)
}

export interface Example {
  wish: Wish
  /** The value of the field on the wire; undefined when it is left out. */
  sent: unknown
}

/** `quality: HIGH` → `"high"`; `background: AUTO` → left out */
export function readExamples(cell: string): Example[] {
  return [...cell.matchAll(/`([^`]+)` → (?:`([^`]+)`|left out)/g)].map(([, wish = '', sent]) => ({
    wish: readWish(wish),
    sent: sent === undefined ? undefined : JSON.parse(sent),
  }))
}

export interface Objection {
  wish: Wish
  kind: 'warning' | 'refusal' | 'taken'
}

/** `style: VIVID` warning; `size: 640x480` refusal; `images: 1` taken */
export function readObjections(cell: string): Objection[] {
  return (['warning', 'refusal', 'taken'] as const).flatMap((kind) =>
    [...cell.matchAll(new RegExp(`\`([^\`]+)\` ${kind}`, 'g'))].map(([, wish = '']) => ({
      wish: readWish(wish),
      kind,
    })),
  )
}
