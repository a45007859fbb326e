import { createHash } from 'node:crypto'
import { GraphQLError, stripIgnoredCharacters } from 'graphql'
import { LRUCache } from 'lru-cache'
import { z } from 'zod'
import { requestError } from '../refusal.ts'
import { MAX_CHARACTERS } from './document-limits.ts'

/** Not checked yet. */
export interface RequestedDocument {
  query?: unknown
  extensions?: unknown
  /** Of GraphQL over HTTP. */
  documentId?: unknown
}

const EXTENSIONS = z.object({ persistedQuery: z.object({ sha256Hash: z.string() }) })

/** Documents by id. */
export type OperationList = ReadonlyMap<string, string>

/**
 * The document's text; undefined for a request without one. Throws GraphQLError. `isOperator`: with the
 * operator's key, any document may run.
 */
export type PersistedQueries = (requested: RequestedDocument, isOperator: boolean) => string | undefined

/** `list` is for `allow-list`. */
export function createPersistedQueries(
  mode: 'off' | 'auto' | 'allow-list',
  list: OperationList = new Map(),
): PersistedQueries {
  if (mode === 'allow-list') return createAllowList(list)
  return mode === 'auto' ? createAutomaticPersistedQueries() : createNoPersistedQueries()
}

const MAX_STORED_DOCUMENTS = 1_000
const MAX_STORED_CHARACTERS = 4_000_000

/** Every request must have its document. */
function createNoPersistedQueries(): PersistedQueries {
  return (requested) => {
    const query = textOf(requested)
    if (query === undefined && idOf(requested) !== undefined)
      throw persistedQueryError('PersistedQueryNotSupported', 'PERSISTED_QUERY_NOT_SUPPORTED')
    return query
  }
}

/** Apollo's automatic persisted queries: stores a document that comes with its SHA-256. */
function createAutomaticPersistedQueries(): PersistedQueries {
  const stored = new LRUCache<string, string>({
    max: MAX_STORED_DOCUMENTS,
    maxSize: MAX_STORED_CHARACTERS,
    sizeCalculation: (text) => text.length + 1,
  })
  return (requested) => {
    const [query, id] = [textOf(requested), idOf(requested)]
    if (id === undefined) return query
    if (query === undefined) {
      const found = stored.get(id)
      if (found === undefined)
        throw persistedQueryError('PersistedQueryNotFound', 'PERSISTED_QUERY_NOT_FOUND')
      return found
    }
    if (query.length > MAX_CHARACTERS) return query
    if (createHash('sha256').update(query).digest('hex') !== id)
      throw requestError(
        'BAD_REQUEST',
        'The hash in extensions.persistedQuery is not the SHA-256 of the query.',
      )
    stored.set(id, query)
    return query
  }
}

/** By id or text. White space and comments do not matter. */
function createAllowList(documents: OperationList): PersistedQueries {
  const texts = new Set([...documents.values()].map(stripIgnoredCharacters))
  return (requested, isOperator) => {
    const [query, id] = [textOf(requested), idOf(requested)]
    if (query === undefined && id === undefined) return undefined
    const listed = query === undefined ? documents.get(id!) : isListed(query) ? query : undefined
    if (listed !== undefined) return listed
    if (isOperator && query !== undefined) return query
    throw requestError(
      'OPERATION_NOT_LISTED',
      'This server runs only operations of its allow-list, and this one is not among them. Add it to the file of ' +
        'persistedQueriesFile.',
    )
  }

  function isListed(query: string): boolean {
    if (query.length > MAX_CHARACTERS) return false
    try {
      return texts.has(stripIgnoredCharacters(query))
    } catch {
      // A syntax error.
      return false
    }
  }
}

function textOf({ query }: RequestedDocument): string | undefined {
  return typeof query === 'string' && query !== '' ? query : undefined
}

function idOf({ extensions, documentId }: RequestedDocument): string | undefined {
  if (typeof documentId === 'string' && documentId !== '') return documentId.replace(/^sha256:/, '')
  return EXTENSIONS.safeParse(extensions).data?.persistedQuery.sha256Hash
}

/**
 * Clients compare the message, and then send the document. Status 400 only for clients that accept
 * application/graphql-response+json.
 */
function persistedQueryError(
  message: string,
  code: 'PERSISTED_QUERY_NOT_SUPPORTED' | 'PERSISTED_QUERY_NOT_FOUND',
): GraphQLError {
  return new GraphQLError(message, { extensions: { code, http: { status: 400, spec: true } } })
}
