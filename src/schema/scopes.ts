// Root fields declare their right with `requires`; read only here.
import {
  getOperationAST,
  Kind,
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLSchema,
  type SelectionSetNode,
} from 'graphql'
import { SCOPES, type Scope } from '../domain.ts'
import type { Access } from '../engine/access/access.ts'

/** OPERATOR: no API key has it. ANY: every caller. */
type Right = Scope | 'OPERATOR' | 'ANY'

const RIGHTS: readonly unknown[] = [...SCOPES, 'OPERATOR', 'ANY']

/** Ends the description of a root field. */
const SENTENCES: Partial<Record<Right, string>> = { OPERATOR: 'Operators only.', ANY: 'For every caller.' }

/** The description of a root field and the right it needs. `paid` marks a field that can cost money. */
export function requires(scope: Right, description: string, { paid = false } = {}) {
  const needed = SENTENCES[scope] ?? `Requires the scope ${scope}.`
  return { description: `${description} ${needed}`, extensions: { scope, ...(paid && { paid }) } }
}

/** Throws when a root field declares no right, so that none is public by oversight. */
export function withRights(schema: GraphQLSchema): GraphQLSchema {
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]
  for (const root of roots) {
    for (const field of Object.values(root?.getFields() ?? {})) {
      if (rightOf(field) === undefined)
        throw new Error(`${root?.name}.${field.name} lacks extensions.scope: ${RIGHTS.join(', ')}.`)
    }
  }
  return schema
}

export function rightOf({ extensions }: GraphQLField<unknown, unknown>): Right | undefined {
  const { scope } = extensions
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it is one of them
  return RIGHTS.includes(scope) ? (scope as Right) : undefined
}

export interface RequestedOperation {
  schema: GraphQLSchema
  document: DocumentNode
  operationName?: string | null | undefined
}

/** About the first right the caller lacks; undefined without. Ignores @skip and @include. */
export function missingRight(
  operation: RequestedOperation,
  { scopes, operator }: Pick<Access, 'scopes' | 'operator'>,
): string | undefined {
  const forbidden = rootFieldsOf(operation).find((field) => {
    const right = rightOf(field)
    if (right === undefined) return true
    return right === 'OPERATOR' ? !operator : right !== 'ANY' && !scopes.has(right)
  })
  if (!forbidden) return undefined
  const right = rightOf(forbidden)
  if (right === undefined || right === 'OPERATOR' || right === 'ANY')
    return `${forbidden.name} is for operators: it needs the key in DARKROOM_ADMIN_KEY of the server.`
  return scopeProblem(forbidden.name, right, scopes)
}

export function scopeProblem(name: string, scope: Scope, scopes: Access['scopes']): string {
  return `${name} needs the scope ${scope}; this API key has ${[...scopes].join(', ')}.`
}

type Fields = GraphQLField<unknown, unknown>[]

/** By document and operation name, which run many times. */
const cache = new WeakMap<DocumentNode, Map<string, Fields>>()

function rootFieldsOf(operation: RequestedOperation): Fields {
  const byName = cache.get(operation.document) ?? new Map<string, Fields>()
  cache.set(operation.document, byName)
  const name = operation.operationName ?? ''
  const fields = byName.get(name) ?? findRootFields(operation)
  byName.set(name, fields)
  return fields
}

function findRootFields({ document, schema, operationName }: RequestedOperation): Fields {
  const operation = getOperationAST(document, operationName)
  const fields = operation && schema.getRootType(operation.operation)?.getFields()
  if (!operation || !fields) return []
  const fragments = new Map(
    document.definitions.flatMap((one): [string, FragmentDefinitionNode][] =>
      one.kind === Kind.FRAGMENT_DEFINITION ? [[one.name.value, one]] : [],
    ),
  )
  // Without a field: introspection, which has its own rule.
  return [...namesIn(operation.selectionSet, fragments, new Set())].flatMap((name) => fields[name] ?? [])
}

/** Through fragments and aliases. */
function namesIn(
  { selections }: SelectionSetNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  visited: Set<string>,
): string[] {
  return selections.flatMap((selection) => {
    if (selection.kind === Kind.FIELD) return [selection.name.value]
    if (selection.kind === Kind.INLINE_FRAGMENT) return namesIn(selection.selectionSet, fragments, visited)
    const name = selection.name.value
    const fragment = fragments.get(name)
    if (!fragment || visited.has(name)) return []
    visited.add(name)
    return namesIn(fragment.selectionSet, fragments, visited)
  })
}
