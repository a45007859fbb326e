import { getOperationAST, GraphQLError, Lexer, Source, TokenKind, validate, type DocumentNode } from 'graphql'
import type { Plugin } from 'graphql-yoga'
import { LRUCache } from 'lru-cache'
import { weigh } from '../../schema/builder.ts'
import { requestError } from '../refusal.ts'
import { maxAliases, noIntrospection, onePaidField } from './rules.ts'
import type { VariableUse } from './variables.ts'

// GraphiQL's introspection query has 1,700 characters and 250 tokens.
export const MAX_CHARACTERS = 20_000
const MAX_TOKENS = 1_000
const MAX_COMMENTS = 50
/** Tasks with attempts, their provider, its models and their prices have a depth of 8. */
const MAX_DEPTH = 10
/** 100 tasks with images and attempts have about 10,000. */
const MAX_COMPLEXITY = 20_000
const MAX_VALIDATION_ERRORS = 5

export function useDocumentLimits({ introspection }: { introspection: boolean }): Plugin {
  return {
    onParse: ({ params }) => checkSize(params.source.toString()),
    onValidate({ addValidationRule, setValidationFn }) {
      addValidationRule(maxAliases)
      addValidationRule(onePaidField)
      if (!introspection) addValidationRule(noIntrospection)
      setValidationFn((...[schema, document, rules]: Parameters<typeof validate>) =>
        // Suggestions would reveal the schema.
        validate(schema, document, rules, { maxErrors: MAX_VALIDATION_ERRORS, hideSuggestions: true }),
      )
    },
  }
}

export function complexityErrors({
  schema,
  document,
  operationName,
  variableValues,
}: VariableUse): GraphQLError[] {
  const operation = getOperationAST(document, operationName)
  if (!operation) return []
  const { depth, complexity } = weigh(schema, { document, operation }, variableValues ?? {})
  if (depth > MAX_DEPTH) return [tooLarge(`The depth of the fields is ${depth}`, MAX_DEPTH)]
  if (complexity <= MAX_COMPLEXITY) return []
  const found = `The operation may resolve ${complexity} fields, including list items`
  return [tooLarge(found, MAX_COMPLEXITY, ' Request fewer items or fields.')]
}

/** Bounded by text length: an AST takes two hundred times the memory of its text. */
export function createDocumentCaches() {
  return { documentCache: createCache<DocumentNode>(100_000), errorCache: createCache<Error>(50_000) }
}

function createCache<Value extends object>(maxSize: number): LRUCache<string, Value> {
  return new LRUCache({ maxSize, sizeCalculation: (_, source) => source.length + 1 })
}

function checkSize(source: string): void {
  if (source.length > MAX_CHARACTERS)
    throw tooLarge(`The document has ${source.length} characters`, MAX_CHARACTERS)
  const lexer = new Lexer(new Source(source))
  let [tokens, comments] = [0, 0]
  while (advance(lexer)) {
    tokens++
    for (let token = lexer.token.prev; token?.kind === TokenKind.COMMENT; token = token.prev) comments++
    if (tokens > MAX_TOKENS) throw tooLarge('The document has too many tokens', MAX_TOKENS)
    if (comments > MAX_COMMENTS) throw tooLarge('The document has too many comments', MAX_COMMENTS)
  }
}

/** False at the end and at a syntax error. */
function advance(lexer: Lexer): boolean {
  try {
    return lexer.advance().kind !== TokenKind.EOF
  } catch (error) {
    if (error instanceof GraphQLError) return false
    throw error
  }
}

function tooLarge(found: string, max: number, remedy = ''): GraphQLError {
  return requestError('QUERY_TOO_LARGE', `${found}; the maximum is ${max}.${remedy}`)
}
