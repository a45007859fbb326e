// Which right each root field needs. It is declared beside the field, as `extensions.scope`, and looked up here alone.
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

/** OPERATOR is no scope: no key has it. */
type Right = Scope | 'OPERATOR'

const RIGHTS: readonly unknown[] = [...SCOPES, 'OPERATOR']

/** The schema itself. Throws when a root field does not say what it needs: nobody shall have it by an oversight. */
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

/** What a root field needs; undefined when it does not say so. */
export function rightOf({ extensions }: GraphQLField<unknown, unknown>): Right | undefined {
  const { scope } = extensions
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it is one of them
  return RIGHTS.includes(scope) ? (scope as Right) : undefined
}

/**
 * What an operation asks for and its caller may not, as a sentence; undefined when all is allowed. A field that a
 * directive may leave out counts as well.
 */
export function missingRight(
  asked: { schema: GraphQLSchema; document: DocumentNode; operationName?: string | null | undefined },
  { scopes, operator }: Pick<Access, 'scopes' | 'operator'>,
): string | undefined {
  const lacking = fieldsOf(asked).find((field) => {
    const right = rightOf(field)
    return right === 'OPERATOR' ? !operator : right === undefined || !scopes.has(right)
  })
  if (!lacking) return undefined
  const right = rightOf(lacking)
  if (right === 'OPERATOR')
    return `${lacking.name} is for operators: it needs the key in DARKROOM_ADMIN_KEY of the server.`
  return `${lacking.name} needs the scope ${right}; this API key has ${[...scopes].join(', ')}.`
}

/** What was found in a document, by the name of the operation: the same documents come again and again. */
const known = new WeakMap<DocumentNode, Map<string, GraphQLField<unknown, unknown>[]>>()

function fieldsOf(asked: Parameters<typeof missingRight>[0]): GraphQLField<unknown, unknown>[] {
  const { document, schema, operationName } = asked
  const byName = known.get(document) ?? new Map<string, GraphQLField<unknown, unknown>[]>()
  known.set(document, byName)
  const name = operationName ?? ''
  let fields = byName.get(name)
  if (!fields) byName.set(name, (fields = findFields(document, schema, operationName)))
  return fields
}

function findFields(
  document: DocumentNode,
  schema: GraphQLSchema,
  operationName: string | null | undefined,
): GraphQLField<unknown, unknown>[] {
  const operation = getOperationAST(document, operationName)
  const fields = operation && schema.getRootType(operation.operation)?.getFields()
  if (!operation || !fields) return []
  const fragments = new Map(
    document.definitions.flatMap((one): [string, FragmentDefinitionNode][] =>
      one.kind === Kind.FRAGMENT_DEFINITION ? [[one.name.value, one]] : [],
    ),
  )
  // What is not a field of ours is introspection, which has a rule of its own.
  return [...namesIn(operation.selectionSet, fragments, new Set())].flatMap((name) => fields[name] ?? [])
}

/** The names of the fields at the root, through fragments and under whatever alias. */
function namesIn(
  { selections }: SelectionSetNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  entered: Set<string>,
): Set<string> {
  const names = new Set<string>()
  for (const selection of selections) {
    if (selection.kind === Kind.FIELD) {
      names.add(selection.name.value)
      continue
    }
    const name = selection.kind === Kind.FRAGMENT_SPREAD ? selection.name.value : ''
    const inner =
      selection.kind === Kind.FRAGMENT_SPREAD ? fragments.get(name)?.selectionSet : selection.selectionSet
    if (!inner || entered.has(name)) continue
    if (name !== '') entered.add(name)
    for (const found of namesIn(inner, fragments, entered)) names.add(found)
  }
  return names
}
