// Variables, checked before anything is executed. Executors do check them, and say what is wrong in words alone; here
// the same check of GraphQL's own also tells where, so that a client can mark the field.
import {
  getOperationAST,
  GraphQLError,
  isInputType,
  isNonNullType,
  typeFromAST,
  validateInputValue,
  type DocumentNode,
  type GraphQLSchema,
  type VariableDefinitionNode,
} from 'graphql'

/** What is about to be executed, as far as it concerns variables. */
export interface VariableUse {
  schema: GraphQLSchema
  document: DocumentNode
  operationName?: string | null | undefined
  variableValues?: Record<string, unknown> | null | undefined
}

/** More than these help nobody, and a list of a million wrong values would make a million errors. */
const MOST_ERRORS = 10

/** GraphQL quotes the value it found, however long that is. */
const LONGEST_MESSAGE = 400

/** Thrown out of GraphQL's check, which would else go on to the last value. */
class Enough extends Error {}

/** What is wrong with the variables, each with the code BAD_USER_INPUT and the field's path; empty when nothing is. */
export function variableErrors(use: VariableUse): GraphQLError[] {
  const errors: GraphQLError[] = []
  try {
    checkVariables(use, (error) => {
      errors.push(error)
      if (errors.length === MOST_ERRORS) throw new Enough()
    })
  } catch (error) {
    if (!(error instanceof Enough)) throw error
  }
  return errors
}

function checkVariables(
  { schema, document, operationName, variableValues }: VariableUse,
  found: (error: GraphQLError) => void,
): void {
  for (const definition of getOperationAST(document, operationName)?.variableDefinitions ?? []) {
    const type = typeFromAST(schema, definition.type)
    const value = variableValues?.[definition.variable.name.value]
    // A type that does not exist is the business of validation.
    if (!type || !isInputType(type)) continue
    if (value === undefined && (definition.defaultValue || !isNonNullType(type))) continue
    validateInputValue(value, type, (error, path) => found(variableError(definition, error, path)))
  }
}

function variableError(
  definition: VariableDefinitionNode,
  error: GraphQLError,
  path: readonly (string | number)[],
): GraphQLError {
  const field = path.length > 0 ? path.join('.') : definition.variable.name.value
  return new GraphQLError(shorten(error.message), {
    nodes: definition,
    extensions: { code: 'BAD_USER_INPUT', field },
  })
}

function shorten(message: string): string {
  return message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE)}…` : message
}
