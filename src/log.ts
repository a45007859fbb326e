import { pino, type DestinationStream, type Logger } from 'pino'

export type { Logger }

const SECRET_NAMES =
  'authorization cookie password secret apiKey accessKey secretKey adminKey databaseUrl'.split(' ')
const SECRET_PATHS = SECRET_NAMES.flatMap((name) => [name, `*.${name}`, `*.*.${name}`])

const SECRET_TEXTS = [
  // Keys of Darkroom, OpenAI and webhooks.
  /\b(?:sk|dk_[a-z]+|whsec)[-_][\w+/=-]{6,}/g,
  /\bBearer\s+[\w.~+/=-]+|\bbearer\s+[\w.~+/=-]{16,}/g,
  /(?<=\bBasic\s+)(?=[\w+/]*[A-Z0-9=])[\w+/]{8,}={0,2}/g,
  // Callback secrets.
  /(?<=\/callbacks\/(?:[\w.-]{1,64}\/)?)[\w-]{24,}/g,
  // Credentials of a URL: postgres://user:password@host.
  /(?<=\b[a-z][a-z+.-]{1,20}:\/\/)(?!\(hidden\)@)[^\s/?#"'\\@]+(?=@)/gi,
  // Signatures and tokens in a query.
  /(?<=[?&][\w.-]{0,40}(?:sig|signature|token|key|secret|password|credential)=)[^&#\s"'\\<>]+/gi,
]

/** Replaces what looks like a credential. */
export function redactSecrets(text: string): string {
  return SECRET_TEXTS.reduce((redacted, pattern) => redacted.replace(pattern, '[redacted]'), text)
}

// Only images are that long.
const BASE64 = /(?:(?<=;base64,)[\w+/]{16,}|[\w+/]{256,})={0,2}/g

function withoutImages(text: string): string {
  return text.length < 256 ? text : text.replace(BASE64, ({ length }) => `[${length} characters]`)
}

interface LoggedError {
  type: string
  message: string
  code?: string
  /** Without the message. */
  stack: string
  cause?: LoggedError
}

/** Drops other properties: libraries attach query parameters, which include prompts. */
function toLogged(error: unknown): LoggedError | undefined {
  if (!(error instanceof Error)) return undefined
  const { name, stack = '', cause } = error
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line))
  const logged: LoggedError = {
    type: name,
    message: withoutParameters(error.message),
    stack: frames.join('\n'),
  }
  if ('code' in error && typeof error.code === 'string') logged.code = error.code
  const loggedCause = toLogged(cause)
  return loggedCause ? { ...logged, cause: loggedCause } : logged
}

/** Drizzle appends the parameters of a failed query. */
function withoutParameters(message: string): string {
  return message.replace(/^(Failed query: [^]*?)\nparams: [^]*$/, '$1')
}

export interface LogOptions {
  /** Removes known secrets from a line. */
  redact?: (line: string) => string
  fields?: () => Record<string, string>
}

/** JSON lines, by default to stderr. */
export function createLog(
  level: string,
  destination: DestinationStream = pino.destination(2),
  { redact = (line) => line, fields }: LogOptions = {},
): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: (error: unknown) => toLogged(error) ?? String(error) },
      redact: { paths: SECRET_PATHS, censor: '[redacted]' },
      hooks: { streamWrite: (line) => withoutImages(redactSecrets(redact(line))) },
      ...(fields && { mixin: fields }),
    },
    destination,
  )
}
