import { describe, expect, it } from 'vitest'
import { systemClock, type Clock } from '../../src/clock.ts'
import { createCallbackRoute } from '../../src/http/callbacks.ts'
import { createBodyBudget } from '../../src/http/security/body-budget.ts'
import { readBody, readChunks } from '../../src/http/security/body.ts'

const LIMITS = { maxBytes: 100, maxBodies: 3, maxWaiting: 2, maxWaitMs: 60_000 }
const never = new AbortController().signal
const BUSY = { code: 'SERVICE_UNAVAILABLE', retryAfterMs: 5_000 }
/** Whose every wait is over at once. */
const impatient: Clock = { ...systemClock, sleep: () => Promise.resolve() }

describe('a budget for bodies', () => {
  it('admits by bytes and by number, first in, first out', async () => {
    const budget = createBodyBudget(LIMITS, systemClock)
    const order: string[] = []
    const first = await budget.reserve(60, never)
    const large = budget.reserve(60, never).then((one) => {
      order.push('large')
      return one
    })
    // It would fit, and is not admitted before the large one.
    const small = budget.reserve(10, never).then((one) => {
      order.push('small')
      return one
    })
    await Promise.resolve()
    expect([order, budget.reservedBytes()]).toEqual([[], 60])
    first[Symbol.dispose]()
    await Promise.all([large, small])
    expect([order, budget.reservedBytes()]).toEqual([['large', 'small'], 70])

    await budget.reserve(1, never)
    const fourth = budget.reserve(1, never)
    const third = await large
    third[Symbol.dispose]()
    await fourth
    expect(budget.reservedBytes()).toBe(12)
  })

  it('counts a reservation that was disposed of twice or shrunk once', async () => {
    const budget = createBodyBudget(LIMITS, systemClock)
    const one = await budget.reserve(100, never)
    const next = budget.reserve(70, never)
    one.shrink(30)
    one.shrink(80)
    await next
    expect(budget.reservedBytes()).toBe(100)
    one[Symbol.dispose]()
    one[Symbol.dispose]()
    expect(budget.reservedBytes()).toBe(70)
  })

  it('refuses with "ask again" after the wait, and lets the next one in', async () => {
    const budget = createBodyBudget(LIMITS, impatient)
    await budget.reserve(60, never)
    const large = budget.reserve(60, never)
    const small = budget.reserve(10, never)
    await expect(large).rejects.toMatchObject(BUSY)
    await small
    expect(budget.reservedBytes()).toBe(70)
  })

  it('refuses at once when too many wait, and forgets one whose client has gone', async () => {
    const budget = createBodyBudget(LIMITS, systemClock)
    const first = await budget.reserve(100, never)
    const client = new AbortController()
    const gone = budget.reserve(100, client.signal)
    const waiting = budget.reserve(100, never)
    await expect(budget.reserve(1, never)).rejects.toMatchObject(BUSY)
    client.abort()
    await expect(gone).rejects.toMatchObject(BUSY)
    first[Symbol.dispose]()
    await waiting
    expect(budget.reservedBytes()).toBe(100)
  })
})

/** Sends the chunks, and then nothing more unless `ends`. */
function requestOf(chunks: Uint8Array[], { ends = true, length }: { ends?: boolean; length?: number } = {}) {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk)
      if (ends) controller.close()
    },
  })
  const headers: Record<string, string> = length === undefined ? {} : { 'content-length': `${length}` }
  const init = { method: 'POST', headers, body, duplex: 'half' }
  return new Request('http://localhost/callbacks/x', init)
}

describe('a body', () => {
  const KIB = new Uint8Array(1024)

  it.each([
    { length: undefined, kib: 64, reserves: [] },
    { length: undefined, kib: 65, reserves: [1_000_000] },
    { length: 64 * 1024, kib: 64, reserves: [] },
    { length: 65 * 1024, kib: 65, reserves: [65 * 1024] },
  ])('of $kib KiB with a length of $length reserves $reserves', async ({ length, kib, reserves }) => {
    const reserved: number[] = []
    const shrunk: number[] = []
    const body = await readBody(
      requestOf(
        Array.from({ length: kib }, () => KIB),
        length === undefined ? {} : { length },
      ),
      {
        maxBytes: 1_000_000,
        clock: systemClock,
        async reserve(bytes) {
          reserved.push(bytes)
          return { shrink: (to) => void shrunk.push(to), [Symbol.dispose]() {} }
        },
      },
    )
    expect(body?.length).toBe(kib * 1024)
    expect(reserved).toEqual(reserves)
    expect(shrunk).toEqual(reserves.map(() => kib * 1024))
  })

  it('that stops while it holds a reservation is refused with REQUEST_TIMEOUT', async () => {
    const slow = readChunks(requestOf([KIB], { ends: false }), impatient)
    await expect(Array.fromAsync(slow)).rejects.toMatchObject({ extensions: { code: 'REQUEST_TIMEOUT' } })
  })
})

const client = () => ({ address: null, origin: 'http://localhost' })

it('a large callback is refused with "ask again" while the budget is used up, and a small one is not', async () => {
  const memory = createBodyBudget({ ...LIMITS, maxBytes: 100_000 }, impatient)
  const held = await memory.reserve(100_000, never)
  const received: number[] = []
  const engine = {
    isKnownCallback: async () => true,
    async receiveCallback(_: string, body: string) {
      received.push(body.length)
      return 'STORED' as const
    },
  }
  const route = createCallbackRoute(engine, { memory, clock: systemClock })
  const large = () => requestOf([new Uint8Array(90_000)], { length: 90_000 })
  await expect(route(large(), client)).rejects.toMatchObject(BUSY)
  await route(requestOf([new Uint8Array(1_000)], { length: 1_000 }), client)
  held[Symbol.dispose]()
  await route(large(), client)
  expect(received).toEqual([1_000, 90_000])
  expect(memory.reservedBytes()).toBe(0)
})
