import { GraphQLError } from 'graphql'
import { GatewayError, gatewayErrorOf } from '../../errors.ts'
import { ClientGone } from '../../engine/tasks/calls.ts'
import type { HttpRoute } from '../app.ts'
import { REQUEST_ERRORS, type RequestErrorCode } from '../refusal.ts'
import { hostProblem } from '../security/cross-site.ts'
import type { Client } from '../security/client.ts'
import { authenticate, checkScope } from './caller.ts'
import { corsHeaders, preflightResponse } from './cors.ts'
import { create } from './create.ts'
import { goneSignalOf, type RestExchange, type RestDeps } from './deps.ts'
import { nameOf, withNames } from './fields.ts'
import { InvalidRequest } from './invalid-request.ts'
import { listModels } from './models.ts'
import { createOpenCalls, type OpenCalls } from './open-calls.ts'
import { isRestPath, methodsOf, readPath, unknownUrlMessage, type Target } from './paths.ts'
import { problemOf, problemResponse, restRefusal } from './problem.ts'
import { cancelTask, showTask, streamTask } from './tasks.ts'

export interface RestRoute {
  route: HttpRoute
  /** Ends all waits: clients are told to ask again. */
  stop(): Promise<void>
}

export function createRestRoute(deps: RestDeps): RestRoute {
  const calls = createOpenCalls(deps)
  return {
    stop: () => calls.stop(),
    async route(request, getClient) {
      const { pathname } = new URL(request.url)
      if (!isRestPath(pathname)) return undefined
      const preflight = preflightResponse(request, deps.corsOrigins)
      if (preflight) return preflight
      const response = await respond(deps, calls, request, getClient)
      for (const [name, value] of Object.entries(corsHeaders(request, deps.corsOrigins)))
        response.headers.set(name, value)
      return response
    },
  }
}

async function respond(
  deps: RestDeps,
  calls: OpenCalls,
  request: Request,
  getClient: () => Client,
): Promise<Response> {
  const { pathname } = new URL(request.url)
  const target = readPath(pathname)
  const isForm = /^multipart\//i.test(request.headers.get('content-type') ?? '')
  try {
    const client = getClient()
    const problem = hostProblem(client.origin, deps.publicUrl)
    if (problem !== undefined) return restRefusal('HOST_NOT_ALLOWED', problem)
    if (target.is === 'UNKNOWN') return restRefusal('NOT_FOUND', unknownUrlMessage(pathname))
    const allowed = methodsOf(target)
    if (!allowed.includes(request.method))
      return restRefusal('METHOD_NOT_ALLOWED', `Use ${allowed.join(' or ')}.`, { allow: allowed.join(', ') })
    if (target.is === 'RETIRED')
      return restRefusal(
        'GONE',
        'OpenAI has retired variations. Send the image to /v1/images/edits with a prompt instead.',
      )
    const caller = await authenticate(request.headers, deps.keyring)
    await deps.engine.countRequest(caller)
    return await serve(deps, calls, { request, client, caller, gone: goneSignalOf(request) }, target)
  } catch (error) {
    const refused = refusalFor(error, isForm)
    if (refused) return refused
    throw error
  }
}

// oxlint-disable-next-line typescript/consistent-return -- all cases return
async function serve(
  deps: RestDeps,
  calls: OpenCalls,
  exchange: RestExchange,
  target: Exclude<Target, { is: 'UNKNOWN' | 'RETIRED' }>,
): Promise<Response> {
  const { caller } = exchange
  switch (target.is) {
    case 'CREATE':
      checkScope(caller, 'Making images', 'GENERATE')
      return create(deps, calls, exchange, target)
    case 'MODELS':
      return json(exchange, { object: 'list', data: listModels(deps.providers) })
    case 'MODEL': {
      const model = listModels(deps.providers).find(({ id }) => id === target.id)
      if (model) return json(exchange, model)
      const message = `There is no model ${JSON.stringify(target.id.slice(0, 60))}.`
      throw new GatewayError('MODEL_UNKNOWN', message, { field: 'model' })
    }
    case 'TASK':
      checkScope(caller, 'Reading tasks', 'READ', 'GENERATE')
      return showTask(deps, exchange, target.id)
    case 'EVENTS':
      checkScope(caller, 'Reading tasks', 'READ', 'GENERATE')
      return streamTask(deps, calls, exchange, target.id)
    case 'CANCEL':
      checkScope(caller, 'Canceling tasks', 'GENERATE')
      return cancelTask(deps, exchange, target.id)
  }
}

function json({ request }: RestExchange, body: object): Response {
  if (request.method !== 'HEAD') return Response.json(body)
  return new Response(null, { headers: { 'content-type': 'application/json' } })
}

/** Undefined for a bug. */
function refusalFor(error: unknown, isForm: boolean): Response | undefined {
  // Nginx's status, for logs and metrics.
  if (error instanceof ClientGone) return new Response(null, { status: 499 })
  if (error instanceof InvalidRequest) {
    const { code, message, param } = error
    return problemResponse(problemOf({ is: 'INVALID', code, message, param }))
  }
  const known = gatewayErrorOf(error)
  if (known) {
    const { code, message, field, retryAfterMs } = known
    const options = retryAfterMs === undefined ? {} : { retryAfterMs }
    const param = field === undefined ? null : paramOf(field, isForm)
    const named = new GatewayError(code, withNames(message), options)
    return problemResponse(problemOf({ is: 'REFUSED', error: named, param }))
  }
  if (error instanceof GraphQLError && isRequestError(error.extensions['code']))
    return restRefusal(error.extensions['code'], error.message)
  return undefined
}

function isRequestError(code: unknown): code is RequestErrorCode {
  return typeof code === 'string' && Object.hasOwn(REQUEST_ERRORS, code)
}

const EXTENSION_FIELDS: Readonly<Record<string, string>> = {
  providers: 'darkroom.providers',
  metadata: 'darkroom.metadata',
  maxCharges: 'darkroom.max_charges',
  callbackUrl: 'darkroom.callback_url',
  idempotencyKey: 'darkroom.idempotency_key',
}

/** As the client named it. */
function paramOf(field: string, isForm: boolean): string {
  const [first = '', index] = field.split('.')
  if (first === 'images') return isForm || index === undefined ? 'image' : `images[${index}].image_url`
  return EXTENSION_FIELDS[first] ?? nameOf(field)
}
