import { createFetch } from '@whatwg-node/fetch'
import { createYoga, isAsyncIterable, type Plugin, type YogaServerInstance } from 'graphql-yoga'
import { GraphQLError, type ExecutionResult } from 'graphql'
import { MAX_INPUT_BYTES } from '../../assets/inspect.ts'
import { withHooks } from '../../async-iterators.ts'
import type { Access } from '../../engine/access/access.ts'
import { MAX_IMAGES } from '../../engine/tasks/input.ts'
import type { Keyring } from '../../engine/access/keyring.ts'
import type { Logger } from '../../log.ts'
import type { Metrics } from '../../metrics.ts'
import type { Context } from '../../schema/context.ts'
import { schema } from '../../schema/index.ts'
import type { Tracing } from '../../tracing.ts'
import { useCaller } from '../security/auth.ts'
import { MOST_UPLOAD_BYTES } from '../security/body.ts'
import type { Client } from '../security/client.ts'
import { createDocumentMemory, useLimits, weightErrors } from './document-limits.ts'
import { createMask } from './mask.ts'
import { useObservation, type SocketNotes } from './instrumented.ts'
import { useRateLimits } from './rate-limits.ts'
import { useRights } from './rights.ts'
import { useStrictRequests } from './strict-requests.ts'
import { variableErrors, type VariableUse } from './variables.ts'

/** What a multipart request may hold. Kept here, because Yoga reads the body through a Request that it makes itself. */
const FORM_LIMITS = {
  fileSize: MAX_INPUT_BYTES,
  files: MAX_IMAGES + 1,
  fields: 20,
  fieldSize: 1024 * 1024,
  headerSize: 16_384,
}

/** What is known of a request besides itself. */
interface Around {
  client: Client
  /** Who was admitted with the WebSocket; over HTTP that is found out here. */
  caller?: Access
  /** Of the connection, for what comes over a WebSocket; undefined for any other request. */
  socket?: SocketNotes
}

export type GraphQLServer = YogaServerInstance<Around, Context>

/** GraphQL over HTTP and Server-Sent Events. `context` makes what the resolvers are handed, for each request. */
export function createGraphQL(options: {
  context: (request: Request, client: Client, caller: Access) => Context
  keyring: Pick<Keyring, 'admit' | 'watch'>
  corsOrigins: readonly string[]
  /** Whether the schema can be asked for. */
  introspection: boolean
  log: Logger
  metrics: Metrics
  tracing: Tracing
}): GraphQLServer {
  const { log, corsOrigins, introspection } = options
  const mask = createMask(log)
  return createYoga<Around, Context>({
    schema,
    context: ({ request, client, caller }) => {
      if (!caller) throw new Error('An operation came by a way on which nobody was asked who they are.')
      return options.context(request, client, caller)
    },
    graphqlEndpoint: '/graphql',
    landingPage: false,
    // Answered by the app itself, with a policy of its own.
    graphiql: false,
    // Our own, stricter reading of multipart requests comes in as a plugin.
    multipart: false,
    plugins: [
      useCaller(options.keyring.admit),
      useStrictRequests(),
      useLimits({ introspection }),
      useErrorCodes(),
      useRateLimits(mask),
      useRights(options.keyring.watch),
      useLastChecks(),
      useSubscriptionErrors(mask),
      useObservation(options),
    ],
    parserAndValidationCache: createDocumentMemory(),
    maxRequestBodySize: MOST_UPLOAD_BYTES,
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

/** The last look before anything is executed. */
function useLastChecks(): Plugin {
  return { onExecute: stopAtErrors, onSubscribe: stopAtErrors }
}

function stopAtErrors(hook: {
  args: VariableUse
  setResultAndStopExecution(result: ExecutionResult): void
}): void {
  const wrong = variableErrors(hook.args)
  const errors = wrong.length > 0 ? wrong : weightErrors(hook.args)
  if (errors.length > 0) hook.setResultAndStopExecution({ errors })
}

/**
 * Ends a broken stream with a result that holds the error. Thrown on, an error would cut an event stream without a word,
 * and lose its code and id over WebSocket.
 */
function useSubscriptionErrors(mask: (error: unknown) => GraphQLError): Plugin {
  return {
    onSubscribe: () => ({
      onSubscribeResult({ result, setResult }) {
        if (isAsyncIterable<ExecutionResult>(result))
          setResult(withHooks(result, { onError: (error) => ({ errors: [mask(error)] }) }))
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
