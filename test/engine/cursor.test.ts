import { describe, expect, it } from 'vitest'
import { decodeCursor, encodeCursor } from '../../src/engine/events/cursor.ts'

const TASK = 'task_01K9XXXXXXXXXXXXXXXXXXXXXX'
const raw = (text: string) => Buffer.from(text).toString('base64url')

describe('a cursor', () => {
  it.each([0, 1, 41, 999_999_999_999_999])('comes back as the number %i it was made of', (seq) => {
    expect(decodeCursor(encodeCursor('task', TASK, seq), 'task', TASK, seq)).toBe(seq)
  })

  it.each([
    ['an empty string', ''],
    ['something that is not ours', raw('hello')],
    ['a number below zero', raw(`task:${TASK}:-1`)],
    ['a number with a leading zero', raw(`task:${TASK}:01`)],
    ['a fraction', raw(`task:${TASK}:1.5`)],
    ['a number beyond counting', raw(`task:${TASK}:9999999999999999`)],
    ['padding that we do not write', `${encodeCursor('task', TASK, 1)}=`],
    ['text behind the end', raw(`task:${TASK}:1 `)],
    ['the cursor of another task', encodeCursor('task', 'task_other', 1)],
    ['the cursor of a feed', encodeCursor('feed', TASK, 1)],
    ['a place that the log has not reached', encodeCursor('task', TASK, 11)],
  ])('is refused when it is %s', (_, cursor) => {
    const read = () => decodeCursor(cursor, 'task', TASK, 10)
    expect(read).toThrow(
      expect.objectContaining({ name: 'GatewayError', code: 'CURSOR_INVALID', field: 'after' }),
    )
  })
})
