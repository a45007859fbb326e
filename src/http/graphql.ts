import { createFetch } from '@whatwg-node/fetch'
import { createYoga, isAsyncIterable, type Plugin, type YogaServerInstance } from 'graphql-yoga'
import { GraphQLError, type ExecutionResult } from 'graphql'
import { MAX_INPUT_BYTES } from '../assets/inspect.ts'
import { MAX_IMAGES } from '../engine/input.ts'
import type { Logger } from '../log.ts'
import type { Context } from '../schema/context.ts'
import { schema } from '../schema/index.ts'
import { graphiql, renderGraphiQL } from './graphiql.ts'
import { withLastWords } from './last-words.ts'
import { createMask } from './mask.ts'
import { readMultipart } from './multipart.ts'
import { variableErrors, type VariableUse } from './variables.ts'

/** Large enough for a few input images as data URLs; files are better sent as uploads. */
const MAX_BODY_BYTES = 64 * 1024 * 1024

/** What a multipart request may hold. Kept here, because Yoga reads the body through a Request that it makes itself. */
const FORM_LIMITS = {
  fileSize: MAX_INPUT_BYTES,
  files: MAX_IMAGES + 1,
  fields: 20,
  fieldSize: 1024 * 1024,
  headerSize: 16_384,
}

export type GraphQLServer = YogaServerInstance<Record<string, never>, Context>

/** GraphQL over HTTP and Server-Sent Events. `context` makes what the resolvers are handed, for each request. */
export function createGraphQL(options: {
  context: (request: Request) => Context
  corsOrigins: readonly string[]
  log: Logger
}): GraphQLServer {
  const { log, corsOrigins } = options
  const mask = createMask(log)
  return createYoga<Record<string, never>, Context>({
    schema,
    context: ({ request }) => options.context(request),
    graphqlEndpoint: '/graphql',
    landingPage: false,
    graphiql,
    renderGraphiQL,
    // Our own, stricter reading of multipart requests comes in as a plugin.
    multipart: false,
    plugins: [useStrictParsing(), useErrorCodes(), useVariableErrors(), useLastWords(mask)],
    maxRequestBodySize: MAX_BODY_BYTES,
    fetchAPI: createFetch({ formDataLimits: FORM_LIMITS }),
    // Off unless the operator names origins: the default would allow every page to call us with the visitor's rights.
    cors: corsOrigins.length > 0 ? { origin: [...corsOrigins], methods: ['GET', 'POST'] } : false,
    maskedErrors: { maskError: mask, isDev: false },
    logging: {
      debug: (...args) => log.debug(args.map(String).join(' ')),
      info: (...args) => log.debug(args.map(String).join(' ')),
      warn: (...args) => log.warn(args.map(String).join(' ')),
      // What matters was logged by the mask, with the id the client was told.
      error: (...args) => log.debug(args.map(String).join(' ')),
    },
  })
}

function useStrictParsing(): Plugin {
  return {
    onRequestParse({ request, url, setRequestParser }) {
      const type = request.headers.get('content-type') ?? ''
      if (request.method === 'POST' && /^multipart\/form-data\b/i.test(type)) setRequestParser(readMultipart)
      if (request.method === 'GET') checkJson(url.searchParams, ['variables', 'extensions'])
    },
  }
}

/** Yoga takes a GET with broken JSON for a failure of the server. */
function checkJson(parameters: URLSearchParams, names: string[]): void {
  for (const name of names) {
    const text = parameters.get(name)
    if (text === null || text === '') continue
    try {
      JSON.parse(text)
    } catch {
      throw new GraphQLError(`The parameter "${name}" is not valid JSON.`, {
        extensions: { code: 'BAD_REQUEST', http: { status: 400 } },
      })
    }
  }
}

function useVariableErrors(): Plugin {
  return { onExecute: stopAtVariables, onSubscribe: stopAtVariables }
}

function stopAtVariables(hook: {
  args: VariableUse
  setResultAndStopExecution(result: ExecutionResult): void
}): void {
  const errors = variableErrors(hook.args)
  if (errors.length > 0) hook.setResultAndStopExecution({ errors })
}

function useLastWords(mask: (error: unknown) => GraphQLError): Plugin {
  return {
    onSubscribe: () => ({
      onSubscribeResult({ result, setResult }) {
        if (isAsyncIterable(result)) setResult(withLastWords(result, mask))
      },
    }),
  }
}

/** Gives the errors of parsing and validation, which come before execution, a code as well. */
function useErrorCodes(): Plugin {
  return {
    onResultProcess(hook) {
      const { result } = hook
      if (isAsyncIterable(result) || Array.isArray(result)) return
      const { errors, data }: ExecutionResult = result
      if (data !== undefined || !errors?.some((error) => error.extensions?.['code'] === undefined)) return
      hook.setResult({ ...result, errors: errors.map(codedRequestError) })
    },
  }
}

/** The same error with the code of a request that could not even be understood. */
export function codedRequestError(error: GraphQLError): GraphQLError {
  if (error.extensions['code'] !== undefined) return error
  const { message, nodes, source, positions, path, extensions } = error
  return new GraphQLError(message, {
    nodes,
    source,
    positions,
    path,
    extensions: { ...extensions, code: 'GRAPHQL_VALIDATION_FAILED' },
  })
}
