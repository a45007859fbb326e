import { complexityFromQuery } from '@pothos/plugin-complexity'
import { Kind, type DocumentNode, type GraphQLSchema, type OperationDefinitionNode } from 'graphql'

/** How much one operation asks for. */
interface Weight {
  /** Fields within fields, the leaves included. */
  depth: number
  /** Fields to resolve at most: those in a list count once for each item that the list may have. */
  complexity: number
}

/** The bytes of an image: megabytes to read, encode and send. */
export const BYTES_COMPLEXITY = 500

/** Weighs an operation by what its fields declare. The variables must have been checked. */
export function weigh(
  schema: GraphQLSchema,
  { document, operation }: { document: DocumentNode; operation: OperationDefinitionNode },
  variables: Record<string, unknown>,
): Weight {
  const fragments = document.definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION)
  const alone: DocumentNode = { kind: Kind.DOCUMENT, definitions: [operation, ...fragments] }
  return complexityFromQuery(alone, { schema, variables })
}
