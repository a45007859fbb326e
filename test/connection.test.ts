import * as fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { newId } from '../src/ids.ts'
import { keysetOf, readFirst, readPage } from '../src/schema/connection.ts'

interface Row {
  id: string
  at: number
}

const keyset = keysetOf<Row>('task', ({ at }) => at)
const rows = Array.from({ length: 7 }, (_, i): Row => ({ id: newId('task', i), at: Math.floor(i / 2) }))

/** Lists as a database does: ordered by time and id, one row more than requested. */
const list = async ({ first, after }: { first: number; after: Row | undefined }) =>
  rows
    .filter((row) => !after || row.at > after.at || (row.at === after.at && row.id > after.id))
    .slice(0, first + 1)

describe('a cursor of a page', () => {
  it('contains its position', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 47 }), (at) => {
        const row = { id: newId('task', at), at }
        expect(keyset.positionOf(keyset.cursorOf(row))).toEqual(row)
      }),
    )
  })

  it.each([
    ['empty', ''],
    ['not a cursor', 'x'],
    [
      'the cursor of another list',
      keysetOf<Row>('att', ({ at }) => at).cursorOf({ id: newId('att', 1), at: 1 }),
    ],
    ['a cursor without a time', Buffer.from(newId('task', 1)).toString('base64url')],
    ['a cursor with a time outside of the range', keyset.cursorOf({ id: newId('task', 1), at: 1e15 })],
    ['a cursor with additional text', Buffer.from(`1:${newId('task', 1)} or 1=1`).toString('base64url')],
  ])('is refused if it is %s', (_, cursor) => {
    expect(() => keyset.positionOf(cursor)).toThrow(
      expect.objectContaining({ name: 'GatewayError', code: 'CURSOR_INVALID', field: 'after' }),
    )
  })
})

describe('a page', () => {
  it('continues after the previous page, until no item remains', async () => {
    const received: Row[] = []
    const sizes: number[] = []
    for (let after: string | null = null, more = true; more;) {
      const page = await readPage({ first: 3, after }, keyset, list)
      received.push(...page.rows)
      sizes.push(page.rows.length)
      after = keyset.cursorOf(page.rows.at(-1)!)
      more = page.hasNextPage
    }
    expect(received).toEqual(rows)
    expect(sizes).toEqual([3, 3, 1])
  })

  it('at the end of the list has no next page', async () => {
    expect(await readPage({ first: 7 }, keyset, list)).toEqual({ rows, hasNextPage: false })
    expect(await readPage({ first: 7 }, keyset, async () => [])).toEqual({ rows: [], hasNextPage: false })
  })

  it('has 50 items by default', async () => {
    const readRows = vi.fn<typeof list>(async () => [])
    await readPage({ first: null, after: null }, keyset, readRows)
    expect(readRows).toHaveBeenCalledExactlyOnceWith({ first: 50, after: undefined })
  })

  it.each([0, -1, 101])('of %d items is refused before the database is read', async (first) => {
    const readRows = vi.fn<typeof list>(async () => [])
    await expect(readPage({ first }, keyset, readRows)).rejects.toThrow(`first is ${first}`)
    expect(readRows).not.toHaveBeenCalled()
    expect(readFirst(1)).toBe(1)
    expect(readFirst(100)).toBe(100)
  })
})
