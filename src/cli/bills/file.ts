import { MalformedCsv, parseCsv } from '../../csv.ts'
import { parseExactJson, parseUsd, sumDecimalUsd } from '../../money.ts'
import { UsageError } from '../command.ts'

/** GraphQL input `BillLineInput`. */
export interface FileLine {
  amountMicros: number
  attemptId?: string
  requestId?: string
  remoteId?: string
  at?: string
}

/** Accepted names by field: lower case, words joined by `_`. */
export const COLUMNS = {
  attempt_id: ['attempt_id', 'client_ref', 'client_request_id'],
  request_id: ['request_id', 'x_request_id', 'provider_request_id'],
  remote_id: ['remote_id', 'task_id', 'job_id'],
  at: ['at', 'time', 'timestamp', 'created_at', 'date'],
  amount_usd: ['amount_usd', 'cost_usd', 'amount', 'cost', 'price'],
  amount_micros: ['amount_micros', 'cost_micros'],
  currency: ['currency'],
} as const

type Field = keyof typeof COLUMNS
const FIELDS: readonly string[] = Object.keys(COLUMNS)

export type ColumnMap = ReadonlyMap<string, string>

/** Parses `attempt_id=Reference,amount_usd=Total`. Throws UsageError. */
export function readColumnMap(text: string | undefined): ColumnMap {
  const pairs = (text ?? '').split(',').filter((pair) => pair !== '')
  return new Map(
    pairs.map((pair) => {
      const [field = '', ...column] = pair.split('=')
      if (column.length > 0 && FIELDS.includes(field.trim())) return [field.trim(), column.join('=').trim()]
      throw new UsageError(
        `--map contains "${pair}"; write <field>=<column>, with a field of ${FIELDS.join(', ')}.`,
      )
    }),
  )
}

/** Throws UsageError with the line or record. */
export function readBillFile(text: string, isJson: boolean, map: ColumnMap): FileLine[] {
  const records = isJson ? jsonRecords(text) : csvRecords(text)
  const columns = columnsOf(new Set(records.flatMap((record) => [...record.keys()])), map)
  return records.map((record, nth) => {
    const where = isJson ? `Record ${nth + 1}` : `Line ${nth + 2}`
    const read = (field: Field) => record.get(columns.get(field) ?? '')?.trim() || undefined
    return toLine(read, where)
  })
}

function toLine(read: (field: Field) => string | undefined, where: string): FileLine {
  const currency = read('currency') ?? 'usd'
  if (currency.toLowerCase() !== 'usd')
    throw new UsageError(`${where}: the currency is "${currency}"; only US dollars can be imported.`)
  const [attemptId, requestId, remoteId, at] = [
    read('attempt_id'),
    read('request_id'),
    read('remote_id'),
    read('at'),
  ]
  if (attemptId === undefined && requestId === undefined && remoteId === undefined && at === undefined)
    throw new UsageError(`${where}: it has neither an id nor a time. Name the columns with --map.`)
  return {
    amountMicros: microsOf(read('amount_micros'), read('amount_usd'), where),
    ...(attemptId !== undefined && { attemptId }),
    ...(requestId !== undefined && { requestId }),
    ...(remoteId !== undefined && { remoteId }),
    ...(at !== undefined && { at: timeOf(at, where) }),
  }
}

function microsOf(micros: string | undefined, usd: string | undefined, where: string): number {
  const amount =
    micros === undefined
      ? (parseUsd(usd ?? '') ?? sumDecimalUsd([usd ?? '']))
      : /^-?\d{1,15}$/.test(micros)
        ? Number(micros)
        : undefined
  if (amount !== undefined) return amount
  throw new UsageError(
    `${where}: the amount is "${micros ?? usd ?? ''}"; it must be US dollars in amount_usd, or whole micro-USD in amount_micros.`,
  )
}

/** Unix seconds or milliseconds, or ISO 8601, by default UTC. */
function timeOf(text: string, where: string): string {
  const isNumber = /^\d{9,13}(?:\.\d+)?$/.test(text)
  const iso = text.replace(' ', 'T')
  const hasZone = /(?:Z|[+-]\d\d:?\d\d)$/i.test(iso) || !iso.includes('T')
  const at = isNumber
    ? Number(text) * (Number(text) < 1e11 ? 1000 : 1)
    : Date.parse(hasZone ? iso : `${iso}Z`)
  if (Number.isNaN(at) || (!isNumber && !/^\d{4}-\d\d-\d\d/.test(text)))
    throw new UsageError(`${where}: the time is "${text}"; it must be ISO 8601 or Unix seconds.`)
  return new Date(at).toISOString()
}

type Record = ReadonlyMap<string, string>

function csvRecords(text: string): Record[] {
  try {
    const [heads = [], ...rows] = parseCsv(text)
    return rows.map((cells) => new Map(heads.map((head, nth) => [head.trim(), cells[nth] ?? ''])))
  } catch (error) {
    if (error instanceof MalformedCsv) throw new UsageError(error.message)
    throw error
  }
}

/** A list of objects, or an object with such a list. */
function jsonRecords(text: string): Record[] {
  const value = parseExactJson(text)
  const list = Array.isArray(value) ? value : listIn(value)
  if (!list) throw new UsageError('The file must be a JSON list of objects, or an object with one such list.')
  return list.map((item: unknown) => {
    const entries = typeof item === 'object' && item !== null ? Object.entries(item) : []
    return new Map(
      entries.flatMap(([name, cell]): [string, string][] => (isScalar(cell) ? [[name, String(cell)]] : [])),
    )
  })
}

function listIn(value: unknown): unknown[] | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  return Object.values(value).find((inner): inner is unknown[] => Array.isArray(inner))
}

function isScalar(value: unknown): value is string | number | boolean {
  return ['string', 'number', 'boolean'].includes(typeof value)
}

/** By field. Throws UsageError for a missing mapped column, and without an amount. */
function columnsOf(names: ReadonlySet<string>, map: ColumnMap): ReadonlyMap<string, string> {
  const columns = new Map<string, string>()
  for (const [field, accepted] of Object.entries<readonly string[]>(COLUMNS)) {
    const mapped = map.get(field)
    if (mapped !== undefined && !names.has(mapped))
      throw new UsageError(`--map names the column "${mapped}"; the file has ${[...names].join(', ')}.`)
    const found = mapped ?? [...names].find((name) => accepted.includes(simplified(name)))
    if (found !== undefined) columns.set(field, found)
  }
  if (names.size > 0 && !columns.has('amount_usd') && !columns.has('amount_micros'))
    throw new UsageError(
      `No column has the amount: the file has ${[...names].join(', ')}. Name it with --map amount_usd=….`,
    )
  return columns
}

/** `Request ID` as `request_id`. */
function simplified(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replace(/[\s-]+/g, '_')
}
