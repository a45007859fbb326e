import { GatewayError } from '../../errors.ts'

/** Which log a cursor belongs to: one task's events, or a project's feed. */
type Log = 'task' | 'feed'

/** A place in a log, opaque to the client: which log it is, whose, and the number of the last event seen. */
export function encodeCursor(log: Log, id: string, seq: number): string {
  return Buffer.from(`${log}:${id}:${seq}`).toString('base64url')
}

/**
 * The number in a cursor of this very log. Throws CURSOR_INVALID for anything else, and for a place that the log has
 * not reached: `last` is the number of its newest event.
 */
export function decodeCursor(cursor: string, log: Log, id: string, last: number): number {
  const text = Buffer.from(cursor, 'base64url').toString('utf8')
  const match = /^(?:task|feed):\w+:(0|[1-9]\d{0,14})$/.exec(text)
  if (!match || Buffer.from(text).toString('base64url') !== cursor) {
    throw invalid('It is not a cursor that this server gave out.')
  }
  const seq = Number(match[1])
  if (encodeCursor(log, id, seq) !== cursor) throw invalid('It belongs to another log.')
  if (seq > last) throw invalid('It is ahead of the log: was the database restored from a backup?')
  return seq
}

function invalid(why: string): GatewayError {
  return new GatewayError('CURSOR_INVALID', `The cursor cannot be used. ${why} Leave it out to start anew.`, {
    field: 'after',
  })
}
