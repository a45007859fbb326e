import { describe, expect, it } from 'vitest'
import { decodeCursor, encodeCursor } from '../../src/engine/events/cursor.ts'

const TASK = 'task_01K9XXXXXXXXXXXXXXXXXXXXXX'
const raw = (text: string) => Buffer.from(text).toString('base64url')

describe('a cursor', () => {
  it.each([0, 1, 41, 999_999_999_999_999])('decodes to the number %i that was encoded', (seq) => {
    expect(decodeCursor(encodeCursor('task', TASK, seq), 'task', TASK, seq)).toBe(seq)
  })

  it.each([
    ['an empty string', ''],
    ['another text', raw('hello')],
    ['a negative number', raw(`task:${TASK}:-1`)],
    ['a number with a leading zero', raw(`task:${TASK}:01`)],
    ['a fraction', raw(`task:${TASK}:1.5`)],
    ['a number beyond the safe range', raw(`task:${TASK}:9999999999999999`)],
    ['with padding', `${encodeCursor('task', TASK, 1)}=`],
    ['with trailing text', raw(`task:${TASK}:1 `)],
    ['the cursor of another task', encodeCursor('task', 'task_other', 1)],
    ['the cursor of a feed', encodeCursor('feed', TASK, 1)],
    ['beyond the end of the log', encodeCursor('task', TASK, 11)],
  ])('is refused when it is %s', (_, cursor) => {
    const read = () => decodeCursor(cursor, 'task', TASK, 10)
    expect(read).toThrow(
      expect.objectContaining({ name: 'GatewayError', code: 'CURSOR_INVALID', field: 'after' }),
    )
  })
})
