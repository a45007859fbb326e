import { redactSecrets } from '../log.ts'
import { formatCount } from '../quantity.ts'

export function countOrDash(count: number | null | undefined): string {
  return count === null || count === undefined ? '–' : formatCount(count)
}

/** `740 ms`, `4.2 s`, `2 min 5 s`. */
export function formatMs(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`
  const seconds = Math.round(ms / 1_000)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

/** Breaks at spaces. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines
}

/** One line, without secrets. */
export function formatError(error: unknown): string {
  const cause = rootCause(error)
  const known = isSystemError(cause) ? KNOWN[cause.code]?.(cause) : undefined
  const [line = ''] = messageOf(error, cause).split('\n')
  return redactSecrets(known ?? (line || 'An error without a message. Set LOG_LEVEL=debug for its stack.'))
    .replace(/\p{Cc}+/gu, ' ')
    .trim()
}

/** fetch's own message says nothing. */
function messageOf(error: unknown, cause: unknown): string {
  if (!(error instanceof Error)) return String(error)
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
    `Port ${port} on ${address} is already in use. Choose another one with --port or PORT; 0 selects a free one.`,
  EACCES: ({ path, port }) => `Permission denied: ${path ?? `port ${port}`}.`,
  EADDRNOTAVAIL: ({ address }) => `${address} is not an address of this machine.`,
  ECONNREFUSED: ({ address, port }) =>
    `Connection refused by ${address}:${port}. Check that the server is running there.`,
  ENOTFOUND: ({ message }) => `The host was not found (${message}).`,
  ENOSPC: () => 'The disk is full.',
}

/** fetch wraps the cause once or twice. */
function rootCause(error: unknown): unknown {
  if (error instanceof AggregateError && error.errors.length > 0) return rootCause(error.errors[0])
  return error instanceof Error && error.cause !== undefined ? rootCause(error.cause) : error
}

function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
}
