import SchemaBuilder from '@pothos/core'
import ComplexityPlugin, { complexityFromQuery } from '@pothos/plugin-complexity'
import { Kind, type DocumentNode, type GraphQLSchema, type OperationDefinitionNode } from 'graphql'
import type { UploadedFile } from '../assets/upload.ts'
import type { Context } from './context.ts'

export const builder = new SchemaBuilder<{
  Context: Context
  DefaultFieldNullability: false
  Scalars: {
    ID: { Input: string; Output: string }
    DateTime: { Input: number; Output: number }
    URL: { Input: string; Output: string }
    BigInt: { Input: number; Output: number }
    ImageSize: { Input: string; Output: string }
    JSON: { Input: unknown; Output: unknown }
    Upload: { Input: UploadedFile; Output: never }
  }
}>({
  defaultFieldNullability: false,
  plugins: [ComplexityPlugin],
  // Lists count as ten items by default.
  complexity: { defaultComplexity: 1, defaultListMultiplier: 10 },
})

builder.queryType({
  description:
    'Read operations. A query sends nothing to a provider and costs nothing. Any field may fail with SERVICE_UNAVAILABLE ' +
    'while the database is away or busy; `extensions.retryAfter` has the seconds to wait.',
})
builder.mutationType({
  description:
    'Write operations. Each takes one `input` and returns a payload; a field that fails is null and does not affect the others. ' +
    'Only generateImage, retryTask and their bulk forms permit new charges. An operation with more than one of these fields ' +
    'is refused with TOO_MANY_ROOT_FIELDS. Any field may fail with SERVICE_UNAVAILABLE while the database is away or busy; ' +
    '`extensions.retryAfter` has the seconds to wait. Send the same idempotencyKey again, because a lost response may have ' +
    'been stored.',
})
builder.subscriptionType({
  description:
    'Live updates over WebSocket (graphql-transport-ws) and Server-Sent Events. Task events resume after a cursor without ' +
    'gaps or duplicates.',
})

/** A value without description does not compile. */
export function describedEnum<Value extends string>(
  name: string,
  { description, ...texts }: { description: string } & Record<Value, string>,
) {
  const values = Object.entries<string>(texts).map(([value, text]) => [value, { value, description: text }])
  return builder.enumType(name, {
    description,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- fromEntries forgets the keys
    values: Object.fromEntries(values) as Record<Value, { value: Value; description: string }>,
  })
}

/** Of reading and encoding an image's bytes. */
export const BYTES_COMPLEXITY = 500

/** Levels of fields, and fields to resolve, those in a list once for each possible item. */
interface Weight {
  depth: number
  complexity: number
}

/** Of an operation with valid variables. */
export function weigh(
  schema: GraphQLSchema,
  { document, operation }: { document: DocumentNode; operation: OperationDefinitionNode },
  variables: Record<string, unknown>,
): Weight {
  const fragments = document.definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION)
  const single: DocumentNode = { kind: Kind.DOCUMENT, definitions: [operation, ...fragments] }
  return complexityFromQuery(single, { schema, variables })
}

/** Without nulls, where null means absent. */
export function withoutNulls<T extends object>(input: T): { [K in keyof T]: NonNullable<T[K]> } {
  const entries = Object.entries(input).filter(([, value]) => value !== null)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same entries, without those of null
  return Object.fromEntries(entries) as { [K in keyof T]: NonNullable<T[K]> }
}
