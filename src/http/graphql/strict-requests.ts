import type { Plugin } from 'graphql-yoga'
import { bodyTooLarge, requestError } from '../refusal.ts'
import { MAX_JSON_BYTES, MAX_UPLOAD_BYTES, readBody } from '../security/body.ts'
import { checkCrossSite } from '../security/cross-site.ts'
import { readMultipart } from './multipart.ts'

/** Refuses invalid GraphQL requests with the right status and without repeating the body. */
export function useStrictRequests(): Plugin {
  return {
    onRequestParse({ request, url, requestParser, setRequestParser }) {
      if (request.method === 'GET') return checkJson(url.searchParams)
      if (request.method !== 'POST') return
      checkCrossSite(request)
      const type = request.headers.get('content-type') ?? ''
      const isUpload = /^multipart\/form-data\b/i.test(type)
      const parse = isUpload ? readMultipart : requestParser
      if (!parse)
        throw requestError(
          'UNSUPPORTED_MEDIA_TYPE',
          `The content type is "${type.slice(0, 60)}". Send application/json, or multipart/form-data with files.`,
        )
      const maxBytes = isUpload ? MAX_UPLOAD_BYTES : MAX_JSON_BYTES
      const length = request.headers.get('content-length')
      if (Number(length ?? 0) > maxBytes)
        throw requestError('REQUEST_TOO_LARGE', `The body has ${length} bytes; the maximum is ${maxBytes}.`)
      if (length !== null || isUpload) return setRequestParser(parse)
      setRequestParser(async (unbounded) => parse(await readWithin(unbounded, maxBytes)))
    },
    onParams({ params }) {
      // Yoga answers 200 here to clients that accept only application/json.
      if (params.query === undefined || params.query === null || params.query === '')
        throw requestError('BAD_REQUEST', 'The request has no "query".')
    },
  }
}

/** For a body without a content-length. */
async function readWithin(request: Request, maxBytes: number): Promise<Request> {
  const body = await readBody(request, maxBytes)
  if (body === undefined) throw bodyTooLarge(maxBytes)
  const { method, headers } = request
  return new Request(request.url, { method, headers, body: new Uint8Array(body) })
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
