import { describe, expect, it, onTestFinished } from 'vitest'
import { DATABASES, newPlace } from './support/database.ts'
import { openEngine } from './support/engine.ts'
import { readFinalState } from './support/final-state.ts'
import { done, failure, scripted } from './support/scripted.ts'
import { findDiscrepancies } from './storm/discrepancies.ts'
import { runStorm } from './storm/storm.ts'

/** Long enough for each kind of fault; `npm run storm` takes longer. */
const SECONDS = 6

describe.each(DATABASES)('a storm of faults on %s', (database) => {
  it('leaves no unrecorded charge, no second charge without permission, and no lost image', async () => {
    const place = await newPlace(database)
    onTestFinished(() => place.remove())
    const seed = Math.floor(Math.random() * 2 ** 32)
    const processes = database === 'sqlite' ? 1 : 3
    const result = await runStorm({
      place,
      processes,
      ms: SECONDS * 1000,
      seed,
    })
    const history = result.details.join('\n')
    expect(result.discrepancies, `seed ${seed}\n${history}`).toEqual([])
    const never = [...result.faults].filter(([, count]) => count === 0)
    expect(never, `seed ${seed}`).toEqual([])
    expect(result.charges).toBeGreaterThan(0)
    expect(result.arrived).toBeGreaterThan(0)
    expect(result.received).toBeGreaterThan(0)
  })
})

describe('the comparison of records', () => {
  it('finds each kind of discrepancy', async () => {
    const place = await newPlace('sqlite')
    onTestFinished(() => place.remove())
    const provider = scripted((sent, nth) => (nth === 1 ? done(sent) : Promise.reject(failure('lost'))))
    const engine = await openEngine({ place, providers: [provider] })
    const succeeded = await engine.create({ prompt: 'succeeded' })
    await engine.reached(succeeded.id, 'SUCCEEDED')
    const unknown = await engine.create({ prompt: 'unknown' })
    await engine.reached(unknown.id, 'OUTCOME_UNKNOWN')
    await engine.close()

    const final = await readFinalState(place)
    const [first = '', second = ''] = [succeeded, unknown].map(
      ({ id }) => final.attempts.find(({ taskId }) => taskId === id)?.id,
    )
    const records = {
      ids: [succeeded.id, unknown.id],
      charges: [first, second],
      received: [first],
      listed: [second],
    }
    expect(findDiscrepancies(final, records)).toEqual([])
    expect(findDiscrepancies(final, { ...records, ids: ['task_gone'] })).toEqual(['task_gone is lost'])
    expect(findDiscrepancies(final, { ...records, charges: [second, second] })).toEqual([
      `${first} is recorded as charged and was not`,
      `${second} was charged 2 times`,
    ])
    expect(findDiscrepancies(final, { ...records, charges: [first, 'att_gone'] })).toEqual([
      'att_gone was charged and does not exist',
    ])
    const free = final.attempts.map((attempt) => ({ ...attempt, charged: 'NO' as const }))
    expect(findDiscrepancies({ ...final, attempts: free }, records)).toEqual([
      `${first} was charged and is recorded as not charged`,
      `${second} was charged and is recorded as not charged`,
    ])
    const ofOneTask = final.attempts.map((attempt) => ({ ...attempt, taskId: unknown.id }))
    expect(findDiscrepancies({ ...final, attempts: ofOneTask }, records)).toEqual([
      `${unknown.id} was charged 2 times; the maximum is 1`,
    ])
    expect(findDiscrepancies(final, { ...records, received: [second] })).toEqual([
      `the image of ${second} was received and is lost: the attempt is UNKNOWN`,
    ])
    expect(findDiscrepancies(final, { ...records, listed: [] })).toEqual([
      `${second} is UNKNOWN and not listed`,
    ])
  })
})
