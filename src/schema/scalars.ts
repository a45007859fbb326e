import { GraphQLError } from 'graphql'
import { Temporal } from 'temporal-polyfill'
import { UploadedFile } from '../assets/upload.ts'
import { parseSize } from '../domain.ts'
import type { GatewayErrorCode } from '../errors.ts'
import { builder } from './builder.ts'

builder.scalarType('DateTime', {
  description:
    'A moment as RFC 3339 text with a time zone, such as 2026-11-20T08:00:01.000Z. Results are in UTC with milliseconds.',
  specifiedByURL: 'https://scalars.graphql.org/andimarek/date-time.html',
  serialize: (at) => new Date(at).toISOString(),
  parseValue(value) {
    const at = typeof value === 'string' ? momentOf(value) : undefined
    if (at === undefined)
      throw invalid(
        value,
        'a DateTime',
        'Write an existing date, a time and a zone, such as 2026-11-20T08:00:01Z or 2026-11-20T09:00:01+01:00.',
      )
    return at
  },
})

/** RFC 3339, section 5.6. */
const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)$/

/** Unlike Date.parse, refuses dates that do not exist, such as February 30. */
function momentOf(text: string): number | undefined {
  if (!RFC_3339.test(text)) return undefined
  try {
    return Temporal.Instant.from(text).epochMilliseconds
  } catch {
    return undefined
  }
}

builder.scalarType('URL', {
  specifiedByURL: 'https://url.spec.whatwg.org',
  description:
    'An absolute URL as text. Fields and arguments restrict it further, for example to public https hosts.',
  serialize: String,
  parseValue(value) {
    if (typeof value === 'string' && URL.canParse(value)) return value
    throw invalid(value, 'a URL', 'Write an absolute URL such as https://example.com/cat.png.')
  },
})

builder.scalarType('BigInt', {
  specifiedByURL: 'https://tc39.es/ecma262/#sec-number.issafeinteger',
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

builder.scalarType('JSON', {
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc8259',
  description: 'A value as in RFC 8259: object, list, text, number, boolean or null.',
})

builder.scalarType('Upload', {
  specifiedByURL: 'https://github.com/jaydenseric/graphql-multipart-request-spec',
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

/** GraphQL replaces the message of other errors. */
function invalid(value: unknown, what: string, remedy: string): GraphQLError {
  const text = JSON.stringify(value) ?? String(value)
  const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text
  return new GraphQLError(`${shown} is not ${what}. ${remedy}`, {
    extensions: { code: 'BAD_USER_INPUT' satisfies GatewayErrorCode },
  })
}
