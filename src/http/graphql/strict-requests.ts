import type { GraphQLParams, Plugin } from 'graphql-yoga'
import type { Access } from '../../engine/access/access.ts'
import { bodyTooLarge, requestError } from '../refusal.ts'
import { hasOperatorKey } from '../security/auth.ts'
import { lengthOf, MAX_JSON_BYTES, MAX_UPLOAD_BYTES } from '../security/body.ts'
import type { Bodies } from '../security/bodies.ts'
import { checkCrossSite } from '../security/cross-site.ts'
import { toParams } from './multipart.ts'
import type { PersistedQueries, RequestedDocument } from './persisted-queries.ts'

/** With the right status and without repeating the body. */
export function useStrictRequests(
  bodies: Bodies,
  persistedQueries: PersistedQueries,
): Plugin<object, { caller?: Access }> {
  const holders = new WeakMap<Request, AsyncDisposableStack>()
  return {
    onRequest(hook) {
      const { requestHandler } = hook
      // Not in a hook for the response: a disconnect must not end it before the operation.
      hook.setRequestHandler(async (request, context) => {
        await using held = new AsyncDisposableStack()
        holders.set(request, held)
        return await requestHandler(request, context)
      })
    },
    onRequestParse({ request, url, requestParser, setRequestParser, fetchAPI }) {
      if (request.method === 'GET') return checkJson(url.searchParams)
      if (request.method !== 'POST') return
      checkCrossSite(request)
      const type = request.headers.get('content-type') ?? ''
      const isUpload = /^multipart\/form-data\b/i.test(type)
      if (!isUpload && !requestParser)
        throw requestError(
          'UNSUPPORTED_MEDIA_TYPE',
          `The content type is "${type.slice(0, 60)}". Send application/json, or multipart/form-data with files.`,
        )
      const maxBytes = isUpload ? MAX_UPLOAD_BYTES : MAX_JSON_BYTES
      const length = lengthOf(request)
      if (length !== null && length > maxBytes)
        throw requestError('REQUEST_TOO_LARGE', `The body has ${length} bytes; the maximum is ${maxBytes}.`)
      const held = holders.get(request)!
      if (isUpload || !requestParser)
        return setRequestParser(async () => toParams(await bodies.receiveUpload(request, held)))
      setRequestParser(async () => {
        const body = await bodies.read(request, held)
        if (body === undefined) throw bodyTooLarge(maxBytes)
        const { method, headers, signal } = request
        return requestParser(new fetchAPI.Request(request.url, { method, headers, signal, body }))
      })
    },
    onParams({ params, setParams, request, context }) {
      const requested: RequestedDocument = { documentId: parameterOf(request, 'documentId'), ...params }
      // Yoga refuses it.
      if (!isTextOrAbsent(requested.query)) return
      const query = persistedQueries(requested, hasOperatorKey(request.headers, context.caller))
      // Yoga answers 200 to clients that accept only application/json.
      if (query === undefined) throw requestError('BAD_REQUEST', 'The request has no "query".')
      const { documentId: _, ...rest }: GraphQLParams & { documentId?: unknown } = params
      setParams({ ...rest, query })
    },
  }
}

function isTextOrAbsent(value: unknown): boolean {
  return value === undefined || value === null || typeof value === 'string'
}

function parameterOf({ method, url }: Request, name: string): string | null {
  return method === 'GET' ? new URL(url).searchParams.get(name) : null
}

/** Yoga reports invalid JSON in a GET as a server error. */
function checkJson(parameters: URLSearchParams): void {
  for (const name of ['variables', 'extensions']) {
    const text = parameters.get(name)
    if (text === null || text === '') continue
    try {
      JSON.parse(text)
    } catch {
      throw requestError('BAD_REQUEST', `The parameter "${name}" is not valid JSON.`)
    }
  }
}
