import { pino, type DestinationStream, type Logger } from 'pino'

export type { Logger }

// Keys whose values are secrets wherever they stand, and free text that looks like one.
const SECRET_PATHS = [
  'authorization',
  'apiKey',
  'accessKey',
  'secretKey',
  '*.authorization',
  '*.apiKey',
  '*.accessKey',
  '*.secretKey',
]
// The last is the address that one attempt is called back at.
const SECRET_TEXT =
  /\b(?:sk|dk_live|dk_test|whsec)[-_][\w-]{6,}|\bBearer\s+[\w.~+/=-]+|(?<=\/callbacks\/)[\w-]{43}/g

/** The same text with anything that looks like a credential replaced. */
export function scrub(text: string): string {
  return text.replace(SECRET_TEXT, '[redacted]')
}

/** One JSON line per event, to stderr by default so that stdout stays free for results. */
export function createLog(level: string, destination: DestinationStream = pino.destination(2)): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRET_PATHS, censor: '[redacted]' },
      hooks: { streamWrite: scrub },
    },
    destination,
  )
}
