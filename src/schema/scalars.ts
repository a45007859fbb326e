import { GraphQLError } from 'graphql'
import { UploadedFile } from '../assets/upload.ts'
import { parseSize } from '../domain.ts'
import type { GatewayErrorCode } from '../errors.ts'
import { builder } from './builder.ts'

builder.scalarType('DateTime', {
  description:
    'A time as RFC 3339 text, such as 2026-11-20T08:00:01.000Z. Results are in UTC with milliseconds.',
  serialize: (at) => new Date(at).toISOString(),
  parseValue(value) {
    const at = typeof value === 'string' && /^\d{4}-\d\d-\d\d/.test(value) ? Date.parse(value) : NaN
    if (Number.isNaN(at))
      throw invalid(value, 'a DateTime', 'Write RFC 3339 text such as 2026-11-20T08:00:01Z.')
    return at
  },
})

builder.scalarType('URL', {
  description:
    'An absolute URL as text. Fields and arguments restrict it further, for example to public https hosts.',
  serialize: String,
  parseValue(value) {
    if (typeof value === 'string' && URL.canParse(value)) return value
    throw invalid(value, 'a URL', 'Write an absolute URL such as https://example.com/cat.png.')
  },
})

builder.scalarType('BigInt', {
  description:
    'An integer of up to 53 bits, as a JSON number. Amounts of money are in micro-USD: 41160 is $0.04116.',
  serialize: Number,
  parseValue(value) {
    if (typeof value === 'number' && Number.isSafeInteger(value)) return value
    throw invalid(value, 'a BigInt', 'Write an integer between -(2^53 - 1) and 2^53 - 1.')
  },
})

builder.scalarType('ImageSize', {
  description:
    'auto, or WIDTHxHEIGHT in pixels such as 1024x1536. `Capabilities.sizes` lists the sizes that a model supports.',
  serialize: String,
  parseValue(value) {
    if (value === 'auto' || (typeof value === 'string' && parseSize(value))) return value
    throw invalid(value, 'a size', 'Write auto, or WIDTHxHEIGHT such as 1024x1024.')
  },
})

builder.scalarType('Upload', {
  description:
    'A file part of the same request (github.com/jaydenseric/graphql-multipart-request-spec). FILE_MISSING without that part.',
  serialize() {
    throw new GraphQLError('Upload is an input type only.')
  },
  parseValue(value) {
    if (value instanceof UploadedFile) return value
    throw invalid(value, 'an upload', 'Send the file as a part of a multipart request.')
  },
})

/** A GraphQLError, because GraphQL replaces the message of any other error. */
function invalid(value: unknown, what: string, remedy: string): GraphQLError {
  const text = JSON.stringify(value) ?? String(value)
  const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text
  return new GraphQLError(`${shown} is not ${what}. ${remedy}`, {
    extensions: { code: 'BAD_USER_INPUT' satisfies GatewayErrorCode },
  })
}
