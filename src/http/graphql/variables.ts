// Unlike the executor, it reports the path of the invalid field.
import {
  getOperationAST,
  GraphQLError,
  isInputType,
  isNonNullType,
  typeFromAST,
  validateInputValue,
  type VariableDefinitionNode,
} from 'graphql'
import type { RequestedOperation } from '../../schema/scopes.ts'

export interface VariableUse extends RequestedOperation {
  variableValues?: Record<string, unknown> | null | undefined
}

const MAX_ERRORS = 10

/** GraphQL's messages quote the invalid value. */
const MAX_MESSAGE_LENGTH = 400

class TooManyErrors extends Error {}

/** At most 10, each BAD_USER_INPUT with a path. */
export function variableErrors(use: VariableUse): GraphQLError[] {
  const errors: GraphQLError[] = []
  try {
    checkVariables(use, (error) => {
      errors.push(error)
      if (errors.length === MAX_ERRORS) throw new TooManyErrors()
    })
  } catch (error) {
    if (!(error instanceof TooManyErrors)) throw error
  }
  return errors
}

function checkVariables(
  { schema, document, operationName, variableValues }: VariableUse,
  onError: (error: GraphQLError) => void,
): void {
  for (const definition of getOperationAST(document, operationName)?.variableDefinitions ?? []) {
    const type = typeFromAST(schema, definition.type)
    const value = variableValues?.[definition.variable.name.value]
    if (!type || !isInputType(type)) continue
    if (value === undefined && (definition.defaultValue || !isNonNullType(type))) continue
    validateInputValue(value, type, (error, path) => onError(variableError(definition, error, path)))
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
  return message.length > MAX_MESSAGE_LENGTH ? `${message.slice(0, MAX_MESSAGE_LENGTH)}…` : message
}
