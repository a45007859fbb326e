import { describe, expect, it } from 'vitest'
import { DATABASES } from '../support/database.ts'
import { openEngine } from '../support/engine.ts'
import { done, held, scripted } from '../support/scripted.ts'

describe.each(DATABASES)('stopping on %s', (database) => {
  it('waits for a paid call, and refuses new tasks meanwhile', async () => {
    const gate = held()
    const provider = scripted((sent) => gate.answer(sent))
    await using one = await openEngine({ database, providers: [provider] })
    const { id } = await one.create()
    await one.reached(id, 'RUNNING')
    const stopped = one.close({ deadlineMs: 20_000 })
    await expect(async () => one.create()).rejects.toMatchObject({ code: 'SHUTTING_DOWN' })
    expect(await one.task(id)).toMatchObject({ status: 'RUNNING' })
    gate.resolveWith((sent) => done(sent))
    await stopped

    await using two = await openEngine({ place: one.place, providers: [provider], start: false })
    expect(await two.task(id)).toMatchObject({ status: 'SUCCEEDED' })
  })

  it('cuts a call at the deadline, with an unknown outcome', async () => {
    const provider = scripted((sent) => held().answer(sent))
    await using one = await openEngine({ database, providers: [provider] })
    const { id } = await one.create()
    await one.reached(id, 'RUNNING')
    await one.close({ deadlineMs: 50 })

    await using two = await openEngine({ place: one.place, providers: [provider] })
    expect(await two.task(id)).toMatchObject({ status: 'OUTCOME_UNKNOWN', chargesOpen: 1 })
    expect(provider.sent).toHaveLength(1)
  })

  it('leaves queued attempts to the next process', async () => {
    const gate = held()
    const provider = scripted((sent) => gate.answer(sent), { concurrency: 1 })
    await using one = await openEngine({ database, providers: [provider] })
    const first = await one.create()
    await one.reached(first.id, 'RUNNING')
    const second = await one.create()
    await one.close()

    const next = scripted((sent) => done(sent))
    await using two = await openEngine({ place: one.place, providers: [next] })
    await two.reached(second.id, 'SUCCEEDED')
    expect(next.sent).toHaveLength(1)
  })
})
