// What is no GraphQL request is refused before anything is executed, with the right status and without repeating the body.
import type { Plugin } from 'graphql-yoga'
import { checkLength, mostBytes, withinBytes } from '../security/body.ts'
import { checkCrossSite } from '../security/cross-site.ts'
import { readMultipart } from './multipart.ts'
import { requestError } from '../refusal.ts'

export function useStrictRequests(): Plugin {
  return {
    onRequestParse({ request, url, requestParser, setRequestParser }) {
      if (request.method === 'GET') return checkJson(url.searchParams)
      if (request.method !== 'POST') return
      checkCrossSite(request)
      const type = request.headers.get('content-type') ?? ''
      const isUpload = /^multipart\/form-data\b/i.test(type)
      const read = isUpload ? readMultipart : requestParser
      if (!read)
        throw requestError(
          'UNSUPPORTED_MEDIA_TYPE',
          `The content type "${type.slice(0, 60)}" is not understood. Send application/json, or multipart/form-data with files.`,
        )
      checkLength(request, mostBytes(isUpload))
      if (request.headers.has('content-length') || isUpload) return setRequestParser(read)
      setRequestParser(async (unbounded) => read(await withinBytes(unbounded, mostBytes(isUpload))))
    },
    onParams({ params }) {
      // Yoga answers 200 here to those who accept application/json alone.
      if (params.query === undefined || params.query === null || params.query === '')
        throw requestError('BAD_REQUEST', 'The request has no "query".')
    },
  }
}

/** Yoga takes a GET with broken JSON for a failure of the server. */
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
