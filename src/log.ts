import { pino, type DestinationStream, type Logger } from 'pino'

export type { Logger }

// Keys whose values are secrets wherever they stand, and free text that looks like one.
const SECRET_NAMES = [
  'authorization',
  'cookie',
  'password',
  'secret',
  'apiKey',
  'accessKey',
  'secretKey',
  'adminKey',
  'databaseUrl',
]
const SECRET_PATHS = SECRET_NAMES.flatMap((name) => [name, `*.${name}`, `*.*.${name}`])

const SECRET_TEXTS = [
  // Keys that begin as ours, OpenAI's and the webhooks' do.
  /\b(?:sk|dk_[a-z]+|whsec)[-_][\w+/=-]{6,}/g,
  /\bBearer\s+[\w.~+/=-]+|\bbearer\s+[\w.~+/=-]{16,}/g,
  /(?<=\bBasic\s+)(?=[\w+/]*[A-Z0-9=])[\w+/]{8,}={0,2}/g,
  // The address that one attempt is called back at.
  /(?<=\/callbacks\/(?:[\w.-]{1,64}\/)?)[\w-]{24,}/g,
  // Who logs in, in an address: postgres://user:password@host.
  /(?<=\b[a-z][a-z+.-]{1,20}:\/\/)(?!\(hidden\)@)[^\s/?#"'\\@]+(?=@)/gi,
  // Signatures and tokens of an address.
  /(?<=[?&][\w.-]{0,40}(?:sig|signature|token|key|secret|password|credential)=)[^&#\s"'\\<>]+/gi,
]

/** The same text with anything that looks like a credential replaced. */
export function scrub(text: string): string {
  return SECRET_TEXTS.reduce((rest, pattern) => rest.replace(pattern, '[redacted]'), text)
}

// What a picture looks like in a text. Nothing else of ours has so many of these characters in a row.
const BASE64 = /(?:(?<=;base64,)[\w+/]{16,}|[\w+/]{256,})={0,2}/g

/** The same text with pictures in base64 replaced by their length. */
function withoutPictures(text: string): string {
  return text.length < 256 ? text : text.replace(BASE64, ({ length }) => `[${length} characters]`)
}

/** An error as a line holds it. */
interface LoggedError {
  type: string
  message: string
  code?: string
  /** Only where it came from: what stands above that repeats the message. */
  stack: string
  cause?: LoggedError
}

/**
 * Only what is written for people, and the code. Libraries hang on an error whatever was at hand: the values of a query,
 * among them prompts, or the whole reply of a server.
 */
function toLogged(error: unknown): LoggedError | undefined {
  if (!(error instanceof Error)) return undefined
  const { name, stack = '', cause } = error
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line))
  const logged: LoggedError = { type: name, message: withoutValues(error.message), stack: frames.join('\n') }
  if ('code' in error && typeof error.code === 'string') logged.code = error.code
  const inner = toLogged(cause)
  return inner ? { ...logged, cause: inner } : logged
}

/** Drizzle puts the values of a failed query behind its text. */
function withoutValues(message: string): string {
  return message.replace(/^(Failed query: [^]*?)\nparams: [^]*$/, '$1')
}

export interface LogOptions {
  /** Takes secrets that are known out of each line, whatever they look like; called with the whole line. */
  hide?: (line: string) => string
  /** What each line carries besides, such as the trace it belongs to. */
  more?: () => Record<string, string>
}

/** One JSON line per event, to stderr by default so that stdout stays free for results. */
export function createLog(
  level: string,
  destination: DestinationStream = pino.destination(2),
  { hide = (line) => line, more }: LogOptions = {},
): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: (error: unknown) => toLogged(error) ?? String(error) },
      redact: { paths: SECRET_PATHS, censor: '[redacted]' },
      hooks: { streamWrite: (line) => withoutPictures(scrub(hide(line))) },
      ...(more && { mixin: more }),
    },
    destination,
  )
}
