import { readFile } from 'node:fs/promises'
import { parse } from 'graphql'
import { z } from 'zod'
import { ConfigError } from './error.ts'

/** Of `@apollo/generate-persisted-query-manifest`. */
const APOLLO_MANIFEST = z.object({
  format: z.literal('apollo-persisted-query-manifest'),
  operations: z.array(z.object({ id: z.string().min(1), body: z.string() })),
})

/** Of relay-compiler (`persistConfig.file`) and the client preset of GraphQL Code Generator. */
const DOCUMENTS_BY_ID = z.record(z.string().min(1), z.string())

interface Settings {
  persistedQueries: string
  persistedQueriesFile: string | null
}

/** The documents of an allow-list by id; empty without one. Throws ConfigError. */
export async function readOperationList(settings: Settings): Promise<ReadonlyMap<string, string>> {
  const { persistedQueries, persistedQueriesFile: path } = settings
  if (persistedQueries !== 'allow-list' || path === null) return new Map()
  const list = parseList(path, await readJson(path))
  const invalid = [...list].filter(([, document]) => !isDocument(document)).map(([id]) => id)
  if (list.size === 0) throw invalidFile(path, 'has no operation')
  if (invalid.length > 0) throw invalidFile(path, `has documents with syntax errors: ${invalid.join(', ')}`)
  return list
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch (error) {
    throw invalidFile(path, `cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function parseList(path: string, content: unknown): Map<string, string> {
  const manifest = APOLLO_MANIFEST.safeParse(content)
  if (manifest.success) return new Map(manifest.data.operations.map(({ id, body }) => [id, body]))
  const byId = DOCUMENTS_BY_ID.safeParse(content)
  if (byId.success) return new Map(Object.entries(byId.data))
  throw invalidFile(path, 'must be an Apollo manifest, or an object with documents by id')
}

function isDocument(text: string): boolean {
  try {
    return parse(text, { noLocation: true }).definitions.length > 0
  } catch {
    return false
  }
}

function invalidFile(path: string, problem: string): ConfigError {
  return new ConfigError([`persistedQueriesFile ${path} ${problem}.`])
}
