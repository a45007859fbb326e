import { scrub } from '../log.ts'

/** One line about any error, for a person at a terminal. Free of credentials. */
export function explain(error: unknown): string {
  const cause = rootCause(error)
  const known = isSystemError(cause) ? KNOWN[cause.code]?.(cause) : undefined
  const [line = ''] = messageOf(error).split('\n')
  return scrub(known ?? (line || 'Something went wrong, and it did not say what.')).replace(/\p{Cc}+/gu, ' ')
}

/** What fetch throws says nothing; what caused it does. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = rootCause(error)
  return error.message === 'fetch failed' && cause instanceof Error
    ? `${error.message}: ${cause.message}`
    : error.message
}

interface SystemError extends Error {
  code: string
  address?: string
  port?: number
  path?: string
}

const KNOWN: Readonly<Record<string, (error: SystemError) => string>> = {
  EADDRINUSE: ({ address, port }) =>
    `Port ${port} on ${address} is taken already. Choose another one with --port or PORT; 0 picks a free one.`,
  EACCES: ({ path, port }) => `Not allowed to use ${path ?? `port ${port}`}.`,
  EADDRNOTAVAIL: ({ address }) => `This machine has no address ${address} to listen on.`,
  ECONNREFUSED: ({ address, port }) => `Nothing answers at ${address}:${port}. Is the server running?`,
  ENOTFOUND: ({ message }) => `The host was not found (${message}).`,
  ENOSPC: () => 'The disk is full.',
}

/** fetch wraps what really happened, once or twice. */
function rootCause(error: unknown): unknown {
  if (error instanceof AggregateError && error.errors.length > 0) return rootCause(error.errors[0])
  return error instanceof Error && error.cause !== undefined ? rootCause(error.cause) : error
}

function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
}
