import * as fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import type { PageRange } from '../src/db/connection/keyset.ts'
import { newId } from '../src/ids.ts'
import { keysetOf, readPage } from '../src/schema/connection.ts'

interface Row {
  id: string
  at: number
}

const keyset = keysetOf<Row>('task', ({ at }) => at)
const rows = Array.from({ length: 7 }, (_, i): Row => ({ id: newId('task', i), at: Math.floor(i / 2) }))

/** Lists as a database does: ordered by time and id. */
const list = async ({ limit, after, before, fromEnd }: PageRange) => {
  const inRange = rows.filter(
    (row) => (!after || compare(row, after) > 0) && (!before || compare(row, before) < 0),
  )
  return fromEnd ? inRange.slice(-limit) : inRange.slice(0, limit)
}

function compare(a: Row, b: Row): number {
  return a.at - b.at || (a.id < b.id ? -1 : Number(a.id > b.id))
}

const listed = { list, count: async () => rows.length }
const cursorOf = (index: number) => keyset.cursorOf(rows[index]!)

describe('a cursor of a page', () => {
  it('contains its position', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 47 }), (at) => {
        const row = { id: newId('task', at), at }
        expect(keyset.positionOf(keyset.cursorOf(row), 'after')).toEqual(row)
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
    expect(() => keyset.positionOf(cursor, 'before')).toThrow(
      expect.objectContaining({ name: 'GatewayError', code: 'CURSOR_INVALID', field: 'before' }),
    )
  })
})

describe('a page', () => {
  it('continues after the previous page, until no item remains', async () => {
    const received: Row[] = []
    const sizes: number[] = []
    for (let after: string | null = null, more = true; more;) {
      const page: Awaited<ReturnType<typeof readPage<Row>>> = await readPage(
        { first: 3, after },
        keyset,
        listed,
      )
      received.push(...page.rows)
      sizes.push(page.rows.length)
      after = keyset.cursorOf(page.rows.at(-1)!)
      more = page.hasNextPage
    }
    expect(received).toEqual(rows)
    expect(sizes).toEqual([3, 3, 1])
  })

  it('read backwards continues before the previous page, in the order of the list', async () => {
    const received: Row[] = []
    for (let before: string | null = null, more = true; more;) {
      const page: Awaited<ReturnType<typeof readPage<Row>>> = await readPage(
        { last: 3, before },
        keyset,
        listed,
      )
      received.unshift(...page.rows)
      before = keyset.cursorOf(page.rows[0]!)
      more = page.hasPreviousPage
    }
    expect(received).toEqual(rows)
  })

  it.each([
    [{ first: 7 }, 7, false, false],
    [{ first: 6 }, 6, true, false],
    [{ last: 6 }, 6, false, true],
    [{ first: 2, after: cursorOf(2) }, 2, true, true],
    [{ first: 9, after: cursorOf(2) }, 4, false, true],
    [{ last: 9, before: cursorOf(2) }, 2, true, false],
    [{ first: 9, after: cursorOf(1), before: cursorOf(4) }, 2, true, true],
    [{ first: 9, after: cursorOf(6) }, 0, false, true],
  ])(
    'of %j has %d items, with a next page: %j, with a previous one: %j',
    async (page, length, next, previous) => {
      const { rows: items, hasNextPage, hasPreviousPage } = await readPage(page, keyset, listed)
      expect({ length: items.length, hasNextPage, hasPreviousPage }).toEqual({
        length,
        hasNextPage: next,
        hasPreviousPage: previous,
      })
    },
  )

  it('has 50 items by default, and counts none of the others', async () => {
    const spied = { list: vi.fn<typeof list>(async () => []), count: vi.fn<() => Promise<number>>() }
    await readPage({ first: null, after: null }, keyset, spied)
    expect(spied.list).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ limit: 51, fromEnd: false }))
    expect(spied.count).not.toHaveBeenCalled()
  })

  it.each([
    [{ first: 0 }, 'first is 0; the minimum is 1.'],
    [{ first: -1 }, 'first is -1; the minimum is 1.'],
    [{ first: 101 }, 'first is 101; the maximum is 100.'],
    [{ last: 0 }, 'last is 0; the minimum is 1.'],
    [{ last: 101 }, 'last is 101; the maximum is 100.'],
    [{ first: 1, last: 2 }, 'first is 1 and last is 2; a page is read from one end only.'],
  ])('of %j is refused before the database is read', async (page, message) => {
    const spied = { list: vi.fn<typeof list>(async () => []), count: async () => 0 }
    await expect(readPage(page, keyset, spied)).rejects.toThrow(message)
    expect(spied.list).not.toHaveBeenCalled()
  })
})
