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

/** As a database lists them: in the order of moment and id, one more than asked for. */
const list = async ({ first, after }: { first: number; after: Row | undefined }) =>
  rows
    .filter((row) => !after || row.at > after.at || (row.at === after.at && row.id > after.id))
    .slice(0, first + 1)

describe('a cursor of a page', () => {
  it('leads back to its place', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 47 }), (at) => {
        const row = { id: newId('task', at), at }
        expect(keyset.positionOf(keyset.cursorOf(row))).toEqual(row)
      }),
    )
  })

  it.each([
    ['nothing', ''],
    ['no cursor', 'x'],
    [
      'the cursor of another list',
      keysetOf<Row>('att', ({ at }) => at).cursorOf({ id: newId('att', 1), at: 1 }),
    ],
    ['one without a moment', Buffer.from(newId('task', 1)).toString('base64url')],
    ['one with a moment no database has', keyset.cursorOf({ id: newId('task', 1), at: 1e15 })],
    ['one with more in it', Buffer.from(`1:${newId('task', 1)} or 1=1`).toString('base64url')],
  ])('is refused when it is %s', (_, cursor) => {
    expect(() => keyset.positionOf(cursor)).toThrow(
      expect.objectContaining({ name: 'GatewayError', code: 'CURSOR_INVALID', field: 'after' }),
    )
  })
})

describe('a page', () => {
  it('continues where the one before ended, until no item is left', async () => {
    const seen: Row[] = []
    const sizes: number[] = []
    for (let after: string | null = null, more = true; more;) {
      const page = await readPage({ first: 3, after }, keyset, list)
      seen.push(...page.rows)
      sizes.push(page.rows.length)
      after = keyset.cursorOf(page.rows.at(-1)!)
      more = page.hasNextPage
    }
    expect(seen).toEqual(rows)
    expect(sizes).toEqual([3, 3, 1])
  })

  it('that ends with the list says that nothing follows', async () => {
    expect(await readPage({ first: 7 }, keyset, list)).toEqual({ rows, hasNextPage: false })
    expect(await readPage({ first: 7 }, keyset, async () => [])).toEqual({ rows: [], hasNextPage: false })
  })

  it('has 50 items unless it says otherwise', async () => {
    const ask = vi.fn<typeof list>(async () => [])
    await readPage({ first: null, after: null }, keyset, ask)
    expect(ask).toHaveBeenCalledExactlyOnceWith({ first: 50, after: undefined })
  })

  it.each([0, -1, 101])('of %d items is refused before anything is read', async (first) => {
    const ask = vi.fn<typeof list>(async () => [])
    await expect(readPage({ first }, keyset, ask)).rejects.toThrow(`first is ${first}`)
    expect(ask).not.toHaveBeenCalled()
    expect(readFirst(1)).toBe(1)
    expect(readFirst(100)).toBe(100)
  })
})
