// How much one operation may ask for: measured before it is parsed, validated within bounds, weighed before it runs. Over
// HTTP and WebSocket alike, because both come through the same pipeline.
import { getOperationAST, GraphQLError, Lexer, Source, TokenKind, validate, type DocumentNode } from 'graphql'
import type { Plugin } from 'graphql-yoga'
import { LRUCache } from 'lru-cache'
import { weigh } from '../../schema/complexity.ts'
import { requestError } from '../refusal.ts'
import { FewAliases, NoIntrospection, OnePaidField } from './rules.ts'
import type { VariableUse } from './variables.ts'

/** GraphiQL's introspection has 1,700 characters and 250 tokens, the demo's largest document half of that. */
const MOST_CHARACTERS = 20_000
const MOST_TOKENS = 1_000
const MOST_COMMENTS = 50
/** A task of a page, its attempts, their provider, its models and their prices are eight. */
const MOST_DEPTH = 10
/** A page of 100 tasks with their images and attempts has about 10,000. */
const MOST_COMPLEXITY = 20_000
/** More than these help nobody. */
const MOST_VALIDATION_ERRORS = 5

/** Refuses documents that are too large: QUERY_TOO_LARGE, TOO_MANY_ALIASES or TOO_MANY_ROOT_FIELDS. */
export function useLimits({ introspection }: { introspection: boolean }): Plugin {
  return {
    onParse: ({ params }) => measure(params.source.toString()),
    onValidate({ addValidationRule, setValidationFn }) {
      addValidationRule(FewAliases)
      addValidationRule(OnePaidField)
      if (!introspection) addValidationRule(NoIntrospection)
      setValidationFn((...[schema, document, rules]: Parameters<typeof validate>) =>
        // A name that is nearly right would tell a schema to whom it is not told.
        validate(schema, document, rules, { maxErrors: MOST_VALIDATION_ERRORS, hideSuggestions: true }),
      )
    },
  }
}

/** What is too heavy about an operation whose variables are right; empty when nothing is. */
export function weightErrors({
  schema,
  document,
  operationName,
  variableValues,
}: VariableUse): GraphQLError[] {
  const operation = getOperationAST(document, operationName)
  if (!operation) return []
  const { depth, complexity } = weigh(schema, { document, operation }, variableValues ?? {})
  if (depth > MOST_DEPTH) return [tooLarge(`The fields are ${depth} deep`, `${MOST_DEPTH}`)]
  if (complexity <= MOST_COMPLEXITY) return []
  const touched = `The operation may touch ${complexity} fields, counting the items of lists`
  return [tooLarge(touched, `${MOST_COMPLEXITY}: ask for fewer items or fields`)]
}

/**
 * What was parsed before, so that it is not parsed again. Bounded by the length of what it remembers, because the tree of a
 * document is two hundred times as large as its text, and a client can make up new ones for ever.
 */
export function createDocumentMemory() {
  return { documentCache: bounded<DocumentNode>(100_000), errorCache: bounded<Error>(50_000) }
}

function bounded<Value extends object>(maxSize: number): LRUCache<string, Value> {
  return new LRUCache({ maxSize, sizeCalculation: (_, source) => source.length + 1 })
}

function measure(source: string): void {
  if (source.length > MOST_CHARACTERS)
    throw tooLarge(`The document has ${source.length} characters`, `${MOST_CHARACTERS}`)
  const lexer = new Lexer(new Source(source))
  let [tokens, comments] = [0, 0]
  while (next(lexer)) {
    tokens++
    for (let token = lexer.token.prev; token?.kind === TokenKind.COMMENT; token = token.prev) comments++
    if (tokens > MOST_TOKENS) throw tooLarge('The document has too many tokens', `${MOST_TOKENS}`)
    if (comments > MOST_COMMENTS) throw tooLarge('The document has too many comments', `${MOST_COMMENTS}`)
  }
}

/** Goes on to the next token; false at the end, or where there is none: to say that is the parser's business. */
function next(lexer: Lexer): boolean {
  try {
    return lexer.advance().kind !== TokenKind.EOF
  } catch (error) {
    if (error instanceof GraphQLError) return false
    throw error
  }
}

function tooLarge(what: string, most: string): GraphQLError {
  return requestError('QUERY_TOO_LARGE', `${what}; at most ${most}.`)
}
