import { eq } from 'drizzle-orm'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { idempotencyKeyOf, identityOf } from '../../src/http/mcp/call-key.ts'
import { DATABASES } from '../support/database.ts'
import { openEngine } from '../support/engine.ts'
import { ANONYMOUS as caller } from '../support/plain-input.ts'
import { done, failure, scripted } from '../support/scripted.ts'

const HOUR_MS = 3_600_000

describe.each(DATABASES)('the key of a call on %s', (database) => {
  it('is that of the same call of the last day, unless that one failed without a charge', async () => {
    const provider = scripted((sent, nth) => {
      if (nth === 1) throw failure('rejected', { charged: 'NO' })
      return done(sent)
    })
    await using one = await openEngine({ database, providers: [provider] })
    const identity = identityOf('generate_image', { variant: 1 }, caller)
    const keyIn = (hours: number) => {
      const clock = { ...systemClock, now: () => systemClock.now() + hours * HOUR_MS }
      return idempotencyKeyOf({ db: one.db, clock, caller }, identity)
    }
    const first = await keyIn(0)
    expect(first).toMatch(/^mcp[0-9a-f]{40}000001$/)
    expect(await keyIn(0)).toBe(first)
    await one.reached((await one.create({ idempotencyKey: first })).id, 'FAILED')
    const second = await keyIn(0)
    expect(second).toBe(first.replace(/1$/, '2'))
    await one.reached((await one.create({ idempotencyKey: second })).id, 'SUCCEEDED')
    expect([await keyIn(0), await keyIn(23)]).toEqual([second, second])
    const third = await keyIn(25)
    expect(third).toBe(first.replace(/1$/, '3'))
    const others = [
      identityOf('generate_image', { variant: 2 }, caller),
      identityOf('edit_image', { variant: 1 }, caller),
      identityOf('generate_image', { variant: 1 }, { ...caller, apiKeyId: 'key_other' }),
    ]
    for (const other of others)
      expect(await idempotencyKeyOf({ db: one.db, clock: systemClock, caller }, other)).toMatch(/000001$/)
  })

  it('is a new one after the task of the same call was deleted', async () => {
    await using one = await openEngine({ database, providers: [scripted((sent) => done(sent))] })
    const identity = identityOf('generate_image', { variant: 1 }, caller)
    const context = { db: one.db, clock: systemClock, caller }
    const first = await idempotencyKeyOf(context, identity)
    const { id } = await one.create({ idempotencyKey: first })
    await one.reached(id, 'SUCCEEDED')
    await one.db.tx(async ({ sql, tables: { tasks } }) => {
      await sql.update(tasks).set({ deletedAt: Date.now() }).where(eq(tasks.id, id))
    })
    expect(await idempotencyKeyOf(context, identity)).toBe(first.replace(/1$/, '2'))
    await one.db.tx(async ({ sql, tables: { tasks } }) => {
      await sql.update(tasks).set({ deletedAt: null }).where(eq(tasks.id, id))
    })
  })

  it('is the same for concurrent calls, and one of them creates the task', async () => {
    await using one = await openEngine({ database, providers: [scripted((sent) => done(sent))] })
    const identity = identityOf('generate_image', { variant: 1 }, caller)
    const tasks = await Promise.all(
      Array.from({ length: 50 }, async () =>
        one.create({
          idempotencyKey: await idempotencyKeyOf({ db: one.db, clock: systemClock, caller }, identity),
        }),
      ),
    )
    expect(new Set(tasks.map(({ id }) => id)).size).toBe(1)
    await one.reached(tasks[0]!.id, 'SUCCEEDED')
  })
})
