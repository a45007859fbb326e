// Paged lists: arguments, cursors and types (relay.dev/graphql/connections.htm).
import { badInput, GatewayError } from '../errors.ts'
import { idPrefix } from '../ids.ts'
import { builder } from './builder.ts'

const DEFAULT_PAGE_SIZE = 50
const MAX_PAGE_SIZE = 100

export function firstArgument(defaultValue = DEFAULT_PAGE_SIZE) {
  const description = `Maximum number of items to return, 1 to ${MAX_PAGE_SIZE}.`
  return builder.args((t) => ({ first: t.int({ defaultValue, description }) }))
}

/** The size of a page. Throws BAD_USER_INPUT. */
export function readFirst(first: number | null | undefined, defaultValue = DEFAULT_PAGE_SIZE): number {
  const size = first ?? defaultValue
  if (size < 1) throw badInput('first', `first is ${size}; the minimum is 1.`)
  if (size > MAX_PAGE_SIZE) throw badInput('first', `first is ${size}; the maximum is ${MAX_PAGE_SIZE}.`)
  return size
}

/** The complexity of a paged list. Capped, because `readFirst` refuses a larger page with a better message. */
export function weightOfPage(first: number | null | undefined, defaultValue = DEFAULT_PAGE_SIZE) {
  return { multiplier: Math.min(first ?? defaultValue, MAX_PAGE_SIZE) }
}

/** In a list ordered by time, then id. */
interface Position {
  at: number
  id: string
}

/** The cursors of a list of rows whose ids begin with `prefix`. */
export function keysetOf<Row extends { id: string }>(prefix: string, timeOf: (row: Row) => number) {
  return {
    cursorOf: (row: Row) => Buffer.from(`${timeOf(row)}:${row.id}`).toString('base64url'),
    /** Throws CURSOR_INVALID. */
    positionOf(cursor: string): Position {
      const text = Buffer.from(cursor, 'base64url').toString('utf8')
      const [, at, id = ''] = /^(\d{1,15}):(\w+)$/.exec(text) ?? []
      if (at !== undefined && idPrefix(id) === prefix) return { at: Number(at), id }
      throw new GatewayError(
        'CURSOR_INVALID',
        'after is not a cursor of this list. Leave it out to start from the first page.',
        { field: 'after' },
      )
    },
  }
}

type Keyset<Row extends { id: string }> = ReturnType<typeof keysetOf<Row>>

interface Page<Row> {
  rows: Row[]
  hasNextPage: boolean
}

/** `list` returns up to `first` + 1 rows; the extra one tells of another page. */
export async function readPage<Row extends { id: string }>(
  { first, after }: { first?: number | null | undefined; after?: string | null | undefined },
  keyset: Keyset<Row>,
  list: (page: { first: number; after: Position | undefined }) => Promise<Row[]>,
): Promise<Page<Row>> {
  const size = readFirst(first)
  const rows = await list({ first: size, after: after == null ? undefined : keyset.positionOf(after) })
  return { rows: rows.slice(0, size), hasNextPage: rows.length > size }
}

interface PageInfo {
  hasNextPage: boolean
  endCursor: string | null
}

function pageInfoType(name: string) {
  return builder.objectRef<PageInfo>(name).implement({
    description: 'Pagination of a connection (relay.dev/graphql/connections.htm).',
    fields: (t) => ({
      hasNextPage: t.exposeBoolean('hasNextPage', { description: 'Whether more items follow this page.' }),
      endCursor: t.exposeString('endCursor', {
        nullable: true,
        description: 'Cursor of the last item. Pass as `after` to get the next page. Null on an empty page.',
      }),
    }),
  })
}

type NodeType<Row> = ReturnType<ReturnType<typeof builder.objectRef<Row>>['implement']>

/** Without `edgeName`: no edges. */
export function connectionType<Row extends { id: string }, Extra extends object = object>(
  name: string,
  options: {
    description: string
    node: NodeType<Row>
    keyset: Keyset<Row>
    pageInfo: string
    edgeName?: string
  },
) {
  const { description, node, keyset, edgeName } = options
  const pageInfo = pageInfoType(options.pageInfo)
  const edge = edgeName === undefined ? undefined : edgeType(edgeName, node, keyset)
  return builder.objectRef<Page<Row> & Extra>(name).implement({
    description,
    fields: (t) => ({
      ...(edge && {
        edges: t.field({
          type: [edge],
          description: 'Items of this page, each with its cursor.',
          complexity: { multiplier: 1 },
          resolve: ({ rows }) => rows,
        }),
      }),
      nodes: t.field({
        type: [node],
        description: 'Items of this page, without cursors.',
        complexity: { multiplier: 1 },
        resolve: ({ rows }) => rows,
      }),
      pageInfo: t.field({
        type: pageInfo,
        description: 'Whether another page follows, and the cursor to continue from.',
        resolve: ({ rows, hasNextPage }) => {
          const last = rows.at(-1)
          return { hasNextPage, endCursor: last ? keyset.cursorOf(last) : null }
        },
      }),
    }),
  })
}

function edgeType<Row extends { id: string }>(name: string, node: NodeType<Row>, keyset: Keyset<Row>) {
  return builder.objectRef<Row>(name).implement({
    description: 'An item and its position in the list.',
    fields: (t) => ({
      cursor: t.string({
        description: 'Position of the item. Pass as `after` to continue after it.',
        resolve: (row) => keyset.cursorOf(row),
      }),
      node: t.field({
        type: node,
        description: 'The item at this position.',
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Pothos types lists by a condition on the row
        resolve: (row) => row as never,
      }),
    }),
  })
}
