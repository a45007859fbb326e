// Which viewers get the same bytes.
import { createHash } from 'node:crypto'
import {
  getOperationAST,
  Kind,
  print,
  TypeInfo,
  visit,
  visitWithTypeInfo,
  type DocumentNode,
  type GraphQLSchema,
} from 'graphql'
import { rightsOf, type Context } from '../../../schema/context.ts'
import { isPerViewer } from '../../../schema/per-viewer.ts'

/** Only says where a viewer begins. */
const POSITION_ARGUMENT = 'after'

interface Operation {
  schema: GraphQLSchema
  document: DocumentNode
  operationName?: string | null | undefined
  variableValues?: Record<string, unknown> | null | undefined
  contextValue: Context
}

/** Undefined for a document whose result depends on more than the key. */
export function groupKeyOf(operation: Operation): string | undefined {
  const { document, operationName, variableValues, contextValue } = operation
  const { isShareable, positions } = analyse(operation)
  if (!isShareable) return undefined
  const variables = Object.entries(variableValues ?? {}).filter(([name]) => !positions.has(name))
  // Errors have locations in the text, so white space makes another document.
  const text = document.loc?.source.body ?? print(document)
  const parts = [text, operationName ?? null, Object.fromEntries(variables), rightsOf(contextValue)]
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64')
}

interface Analysis {
  isShareable: boolean
  /** Variables used as a position only. */
  positions: ReadonlySet<string>
}

/** By document and operation name: parsed once. */
const analyses = new WeakMap<DocumentNode, Map<string, Analysis>>()

function analyse({ schema, document, operationName }: Operation): Analysis {
  const byName = analyses.get(document) ?? new Map<string, Analysis>()
  analyses.set(document, byName)
  const name = operationName ?? ''
  const analysis = byName.get(name) ?? {
    isShareable: !hasFieldPerViewer(schema, document),
    positions: positionVariables(document, operationName),
  }
  byName.set(name, analysis)
  return analysis
}

function hasFieldPerViewer(schema: GraphQLSchema, document: DocumentNode): boolean {
  const types = new TypeInfo(schema)
  let isFound = false
  visit(
    document,
    visitWithTypeInfo(types, {
      Field() {
        const field = types.getFieldDef()
        if (field && isPerViewer(field)) isFound = true
      },
    }),
  )
  return isFound
}

function positionVariables(document: DocumentNode, operationName: string | null | undefined): Set<string> {
  const uses = new Map<string, number>()
  const count = (name: string, by: number) => uses.set(name, (uses.get(name) ?? 0) + by)
  visit(document, {
    VariableDefinition: () => false,
    Variable: ({ name }) => void count(name.value, 1),
  })
  const { selections } = getOperationAST(document, operationName)?.selectionSet ?? { selections: [] }
  const names = selections
    .flatMap((selection) => (selection.kind === Kind.FIELD ? (selection.arguments ?? []) : []))
    .flatMap(({ name, value }) =>
      name.value === POSITION_ARGUMENT && value.kind === Kind.VARIABLE ? [value.name.value] : [],
    )
  for (const name of names) count(name, -1)
  return new Set(names.filter((name) => uses.get(name) === 0))
}
