// Lists that are read page by page: arguments, cursors and types (relay.dev/graphql/connections.htm).
import { badInput, GatewayError } from '../errors.ts'
import { idPrefix } from '../ids.ts'
import { builder } from './builder.ts'

const DEFAULT_PAGE_SIZE = 50
const MAX_PAGE_SIZE = 100

/** The argument `first` of a paged list. */
export function firstArgument(defaultValue = DEFAULT_PAGE_SIZE) {
  const description = `At most so many, 1 to ${MAX_PAGE_SIZE}.`
  return builder.args((t) => ({ first: t.int({ defaultValue, description }) }))
}

/** The size of a page. Throws BAD_USER_INPUT. */
export function readFirst(first: number | null | undefined, defaultValue = DEFAULT_PAGE_SIZE): number {
  const size = first ?? defaultValue
  if (size >= 1 && size <= MAX_PAGE_SIZE) return size
  throw badInput('first', `first is ${size}; 1 to ${MAX_PAGE_SIZE} is possible.`)
}

/** How much a paged list weighs. `readFirst` refuses more than the maximum, with a better message. */
export function weightOfPage(first: number | null | undefined, defaultValue = DEFAULT_PAGE_SIZE) {
  return { multiplier: Math.min(first ?? defaultValue, MAX_PAGE_SIZE) }
}

/** A place in a list that is in the order of a moment and, where moments are equal, of the id. */
interface Place {
  at: number
  id: string
}

/** The cursors of a list of rows whose ids begin with `prefix`. */
export function keysetOf<Row extends { id: string }>(prefix: string, momentOf: (row: Row) => number) {
  return {
    cursorOf: (row: Row) => Buffer.from(`${momentOf(row)}:${row.id}`).toString('base64url'),
    /** Throws CURSOR_INVALID. */
    placeOf(cursor: string): Place {
      const text = Buffer.from(cursor, 'base64url').toString('utf8')
      const [, at, id = ''] = /^(\d{1,15}):(\w+)$/.exec(text) ?? []
      if (at !== undefined && idPrefix(id) === prefix) return { at: Number(at), id }
      throw new GatewayError(
        'CURSOR_INVALID',
        'The cursor is not one of this list. Leave it out to start from the first page.',
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

/** Reads a page. `list` is asked for one row more than `first`, which says whether more follow. */
export async function readPage<Row extends { id: string }>(
  { first, after }: { first?: number | null | undefined; after?: string | null | undefined },
  keyset: Keyset<Row>,
  list: (page: { first: number; after: Place | undefined }) => Promise<Row[]>,
): Promise<Page<Row>> {
  const size = readFirst(first)
  const rows = await list({ first: size, after: after == null ? undefined : keyset.placeOf(after) })
  return { rows: rows.slice(0, size), hasNextPage: rows.length > size }
}

interface PageInfo {
  hasNextPage: boolean
  endCursor: string | null
}

/** The type of `pageInfo`. */
export function pageInfoType(name: string) {
  return builder.objectRef<PageInfo>(name).implement({
    description:
      'Whether another page follows, and the cursor to continue from (relay.dev/graphql/connections.htm).',
    fields: (t) => ({
      hasNextPage: t.exposeBoolean('hasNextPage', { description: 'Whether more items follow in the list.' }),
      endCursor: t.exposeString('endCursor', {
        nullable: true,
        description: 'Pass as `after` for the next page; null on an empty page.',
      }),
    }),
  })
}

type NodeType<Row> = ReturnType<ReturnType<typeof builder.objectRef<Row>>['implement']>

/** The type of a page. Its edges, where it has any, are called `<node>Edge`. */
export function connectionType<Row extends { id: string }, Extra extends object = object>(
  name: string,
  options: {
    description: string
    node: NodeType<Row>
    keyset: Keyset<Row>
    pageInfo: ReturnType<typeof pageInfoType>
    edgeName?: string
  },
) {
  const { description, node, keyset, pageInfo, edgeName } = options
  const edge = edgeName === undefined ? undefined : edgeType(edgeName, node, keyset)
  return builder.objectRef<Page<Row> & Extra>(name).implement({
    description,
    fields: (t) => ({
      ...(edge && {
        edges: t.field({
          type: [edge],
          description: 'The items of this page, each with its cursor.',
          complexity: { multiplier: 1 },
          resolve: ({ rows }) => rows,
        }),
      }),
      nodes: t.field({
        type: [node],
        description: 'The items of this page.',
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
    description: 'An item and its place in the list.',
    fields: (t) => ({
      cursor: t.string({
        description: 'Pass as `after` to continue after this item.',
        resolve: (row) => keyset.cursorOf(row),
      }),
      node: t.field({
        type: node,
        description: 'The item at this place in the list.',
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Pothos types lists by a condition on the row
        resolve: (row) => row as never,
      }),
    }),
  })
}
