import { GraphQLError } from 'graphql'
import { parseSize } from '../domain.ts'
import type { GatewayErrorCode } from '../errors.ts'
import { builder } from './builder.ts'

builder.scalarType('DateTime', {
  description: 'A moment as RFC 3339 text in UTC with milliseconds, 2026-11-20T08:00:01.000Z for example.',
  serialize: (at) => new Date(at).toISOString(),
  parseValue(value) {
    const at = typeof value === 'string' && /^\d{4}-\d\d-\d\d/.test(value) ? Date.parse(value) : NaN
    if (Number.isNaN(at))
      throw wrong(`A DateTime is RFC 3339 text such as 2026-11-20T08:00:01Z, not ${show(value)}.`)
    return at
  },
})

builder.scalarType('URL', {
  description: 'An absolute http or https address.',
  serialize: String,
  parseValue(value) {
    if (typeof value === 'string' && URL.canParse(value)) return value
    throw wrong(`A URL is an absolute address such as https://example.com/cat.png, not ${show(value)}.`)
  },
})

builder.scalarType('BigInt', {
  description:
    'A whole number of up to 53 bits, as a JSON number. Money is counted in micro-USD: 41160 is $0.04116.',
  serialize: Number,
  parseValue(value) {
    if (typeof value === 'number' && Number.isSafeInteger(value)) return value
    throw wrong(`A BigInt is a whole number, not ${show(value)}.`)
  },
})

builder.scalarType('ImageSize', {
  description:
    'auto, or WIDTHxHEIGHT in pixels, 1024x1536 for example. Which sizes a model takes is data: see Query.providers.',
  serialize: String,
  parseValue(value) {
    if (value === 'auto' || (typeof value === 'string' && parseSize(value))) return value
    throw wrong(`A size is auto, or WIDTHxHEIGHT such as 1024x1024, not ${show(value)}.`)
  },
})

builder.scalarType('Upload', {
  description:
    'A file in the same request, by the GraphQL multipart request specification ' +
    '(github.com/jaydenseric/graphql-multipart-request-spec). A file without its part is refused.',
  serialize() {
    throw wrong('An Upload is never an output.')
  },
  parseValue(value) {
    if (value instanceof Blob) return value
    throw wrong(`An Upload is a file part of a multipart request, not ${show(value)}.`)
  },
})

/** A GraphQLError, because GraphQL shows only those as they are; around any other it writes words of its own. */
function wrong(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' satisfies GatewayErrorCode } })
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}
