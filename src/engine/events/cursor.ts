import { GatewayError } from '../../errors.ts'

type Log = 'task' | 'feed'

/** `seq`: the last received event. Opaque to clients. */
export function encodeCursor(log: Log, id: string, seq: number): string {
  return Buffer.from(`${log}:${id}:${seq}`).toString('base64url')
}

/** Throws CURSOR_INVALID for a cursor of another log, and for a position after `last`. */
export function decodeCursor(cursor: string, log: Log, id: string, last: number): number {
  const text = Buffer.from(cursor, 'base64url').toString('utf8')
  const match = /^(?:task|feed):\w+:(0|[1-9]\d{0,14})$/.exec(text)
  if (!match || Buffer.from(text).toString('base64url') !== cursor)
    throw invalid('It was not issued by this server.')
  const seq = Number(match[1])
  if (encodeCursor(log, id, seq) !== cursor) throw invalid('It belongs to another task or feed.')
  if (seq > last) throw invalid('It is ahead of the log: was the database restored from a backup?')
  return seq
}

function invalid(reason: string): GatewayError {
  return new GatewayError(
    'CURSOR_INVALID',
    `The cursor is invalid. ${reason} Leave it out to start from the current state.`,
    { field: 'after' },
  )
}
