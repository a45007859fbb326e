// Paged lists: arguments, cursors and types (relay.dev/graphql/connections.htm).
import type { PageRange, Position } from '../db/connection/keyset.ts'
import { badInput, GatewayError } from '../errors.ts'
import { idPrefix } from '../ids.ts'
import { builder } from './builder.ts'

export const DEFAULT_PAGE_SIZE = 50
export const MAX_PAGE_SIZE = 100

/** By default the first `defaultSize` items. */
export function pageArguments(defaultSize = DEFAULT_PAGE_SIZE) {
  return builder.args((t) => ({
    first: t.int({
      description: `Maximum number of items from the start, 1 to ${MAX_PAGE_SIZE}. ${defaultSize} without \`last\`.`,
    }),
    after: t.string({ description: 'Cursor of an item. Only items after it are returned.' }),
    last: t.int({
      description: `Maximum number of items from the end, 1 to ${MAX_PAGE_SIZE}. Not together with \`first\`.`,
    }),
    before: t.string({ description: 'Cursor of an item. Only items before it are returned.' }),
  }))
}

interface PageArguments {
  first?: number | null | undefined
  after?: string | null | undefined
  last?: number | null | undefined
  before?: string | null | undefined
}

/** Capped, because `readPage` refuses a larger page with a better message. */
export function weightOfPage({ first, last }: PageArguments, defaultSize = DEFAULT_PAGE_SIZE) {
  return { multiplier: Math.min(first ?? last ?? defaultSize, MAX_PAGE_SIZE) }
}

export interface Keyset<Row> {
  cursorOf: (row: Row) => string
  /** Throws CURSOR_INVALID, naming the argument `field`. */
  positionOf: (cursor: string, field: string) => Position
}

/** Of rows whose ids begin with `prefix`. */
export function keysetOf<Row extends { id: string }>(
  prefix: string,
  timeOf: (row: Row) => number,
): Keyset<Row> {
  return {
    cursorOf: (row) => Buffer.from(`${timeOf(row)}:${row.id}`).toString('base64url'),
    positionOf(cursor, field) {
      const text = Buffer.from(cursor, 'base64url').toString('utf8')
      const [, at, id = ''] = /^(\d{1,15}):(\w+)$/.exec(text) ?? []
      if (at !== undefined && idPrefix(id) === prefix) return { at: Number(at), id }
      throw new GatewayError(
        'CURSOR_INVALID',
        `${field} is not a cursor of this list. Leave it out to start from its ${field === 'after' ? 'start' : 'end'}.`,
        { field },
      )
    },
  }
}

interface Page<Row> {
  rows: Row[]
  hasNextPage: boolean
  hasPreviousPage: boolean
  /** On all pages. */
  count: () => Promise<number>
}

interface PagedList<Row> {
  list: (range: PageRange) => Promise<Row[]>
  count: () => Promise<number>
}

/** Throws BAD_USER_INPUT and CURSOR_INVALID. */
export async function readPage<Row>(
  { first, after, last, before }: PageArguments,
  keyset: Pick<Keyset<Row>, 'positionOf'>,
  { list, count }: PagedList<Row>,
  defaultSize = DEFAULT_PAGE_SIZE,
): Promise<Page<Row>> {
  if (first != null && last != null)
    throw badInput('last', `first is ${first} and last is ${last}; a page is read from one end only.`)
  const fromEnd = last != null
  const size = fromEnd ? sizeOf('last', last) : sizeOf('first', first ?? defaultSize)
  const rows = await list({
    // One more tells whether another page follows.
    limit: size + 1,
    fromEnd,
    after: after == null ? undefined : keyset.positionOf(after, 'after'),
    before: before == null ? undefined : keyset.positionOf(before, 'before'),
  })
  const hasMore = rows.length > size
  return {
    rows: fromEnd ? rows.slice(-size) : rows.slice(0, size),
    // Beyond a cursor is at least its own item.
    hasNextPage: before != null || (!fromEnd && hasMore),
    hasPreviousPage: after != null || (fromEnd && hasMore),
    count,
  }
}

/** Throws BAD_USER_INPUT. */
export function sizeOf(field: string, size: number): number {
  if (size < 1) throw badInput(field, `${field} is ${size}; the minimum is 1.`)
  if (size > MAX_PAGE_SIZE) throw badInput(field, `${field} is ${size}; the maximum is ${MAX_PAGE_SIZE}.`)
  return size
}

interface PageInfo {
  hasNextPage: boolean
  hasPreviousPage: boolean
  startCursor: string | null
  endCursor: string | null
}

const PageInfoRef = builder.objectRef<PageInfo>('PageInfo').implement({
  description: 'Position of a page in its list (relay.dev/graphql/connections.htm).',
  fields: (t) => ({
    hasNextPage: t.exposeBoolean('hasNextPage', {
      description: 'Whether items follow this page.',
    }),
    hasPreviousPage: t.exposeBoolean('hasPreviousPage', {
      description: 'Whether items precede this page.',
    }),
    startCursor: t.exposeString('startCursor', {
      nullable: true,
      description: 'Cursor of the first item. Pass as `before` to read backwards. Null on an empty page.',
    }),
    endCursor: t.exposeString('endCursor', {
      nullable: true,
      description: 'Cursor of the last item. Pass as `after` to get the next page. Null on an empty page.',
    }),
  }),
})

type NodeType<Row> = ReturnType<ReturnType<typeof builder.objectRef<Row>>['implement']>
type InterfaceType<Row> = ReturnType<ReturnType<typeof builder.interfaceRef<Row>>['implement']>

/** `NameConnection` and `NameEdge`. */
export function connectionType<Row, Extra extends object = object>(
  name: string,
  {
    description,
    node,
    keyset,
  }: {
    description: string
    node: NodeType<Row> | InterfaceType<Row>
    keyset: Pick<Keyset<Row>, 'cursorOf'>
  },
) {
  const edge = edgeType(`${name}Edge`, node, keyset)
  return builder.objectRef<Page<Row> & Extra>(`${name}Connection`).implement({
    description,
    fields: (t) => ({
      edges: t.field({
        type: [edge],
        description: 'Items of this page, each with its cursor.',
        complexity: { multiplier: 1 },
        resolve: ({ rows }) => rows.map((row) => ({ row })),
      }),
      nodes: t.field({
        type: [node],
        description: 'Items of this page, without cursors.',
        complexity: { multiplier: 1 },
        resolve: ({ rows }) => rows,
      }),
      pageInfo: t.field({
        type: PageInfoRef,
        description: 'Whether other pages exist, and the cursors to read them.',
        resolve: ({ rows, hasNextPage, hasPreviousPage }) => ({
          hasNextPage,
          hasPreviousPage,
          startCursor: rows[0] === undefined ? null : keyset.cursorOf(rows[0]),
          endCursor: rows.length === 0 ? null : keyset.cursorOf(rows.at(-1)!),
        }),
      }),
      totalCount: t.int({
        description: 'Number of items on all pages. Counted when selected, which takes longer than a page.',
        complexity: COUNT_COMPLEXITY,
        resolve: ({ count }) => count(),
      }),
    }),
  })
}

/** Counting reads an index entry of each item. */
const COUNT_COMPLEXITY = 50

function edgeType<Row>(
  name: string,
  node: NodeType<Row> | InterfaceType<Row>,
  keyset: Pick<Keyset<Row>, 'cursorOf'>,
) {
  return builder.objectRef<{ row: Row }>(name).implement({
    description: 'An item and its position in the list.',
    fields: (t) => ({
      cursor: t.string({
        description:
          'Position of the item. Pass as `after` to continue after it, as `before` to continue before it.',
        resolve: ({ row }) => keyset.cursorOf(row),
      }),
      node: t.field({
        type: node,
        description: 'The item at this position.',
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Pothos types lists by a condition on the row
        resolve: ({ row }) => row as never,
      }),
    }),
  })
}
