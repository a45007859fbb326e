import { describe, expect, it, onTestFinished } from 'vitest'
import { DATABASES, newPlace } from './support/database.ts'
import { readAftermath } from './support/aftermath.ts'
import { openEngine } from './support/engine.ts'
import { done, failure, scripted } from './support/scripted.ts'
import { compare } from './storm/books.ts'
import { runStorm } from './storm/storm.ts'

/** `npm run storm` blows longer. */
const SECONDS = 6

describe.each(DATABASES)('a storm of SIGKILLs on %s', (database) => {
  it(
    'leaves no dark charge, no second one without permission, and no lost image',
    { timeout: 120_000 },
    async () => {
      const place = await newPlace(database)
      onTestFinished(() => place.remove())
      const seed = Math.floor(Math.random() * 2 ** 32)
      const processes = database === 'sqlite' ? 1 : 3
      const weather = await runStorm({ place, processes, ms: SECONDS * 1000, minKills: 2, seed })
      expect(weather.harm, `seed ${seed}`).toEqual([])
      expect(weather.kills).toBeGreaterThan(1)
      expect(weather.charges).toBeGreaterThan(0)
    },
  )
})

describe('whoever lays the books side by side', () => {
  it('notices what should not be', async () => {
    const place = await newPlace('sqlite')
    onTestFinished(() => place.remove())
    const provider = scripted((sent, nth) => (nth === 1 ? done(sent) : Promise.reject(failure('lost'))))
    const engine = await openEngine({ place, providers: [provider] })
    const well = await engine.create({ prompt: 'well' })
    await engine.reached(well.id, 'SUCCEEDED')
    const lost = await engine.create({ prompt: 'lost' })
    await engine.reached(lost.id, 'OUTCOME_UNKNOWN')
    await engine.close()

    const aftermath = await readAftermath(place)
    const [ofWell = '', ofLost = ''] = [well, lost].map(
      ({ id }) => aftermath.attempts.find(({ taskId }) => taskId === id)?.id,
    )
    const calm = { ids: [well.id, lost.id], charges: [ofWell, ofLost], receipts: [ofWell], listed: [ofLost] }
    expect(compare(aftermath, calm)).toEqual([])
    expect(compare(aftermath, { ...calm, ids: ['task_gone'] })).toEqual(['task_gone is lost'])
    expect(compare(aftermath, { ...calm, charges: [ofLost, ofLost] })).toEqual([
      `${ofWell} says it was charged, and was not`,
      `${ofLost} was charged 2 times`,
    ])
    expect(compare(aftermath, { ...calm, charges: [ofWell, 'att_gone'] })).toEqual([
      'att_gone was charged, and is no attempt of ours',
    ])
    const free = aftermath.attempts.map((attempt) => ({ ...attempt, charged: 'NO' as const }))
    expect(compare({ ...aftermath, attempts: free }, calm)).toEqual([
      `${ofWell} was charged, and does not admit it`,
      `${ofLost} was charged, and does not admit it`,
    ])
    const again = aftermath.attempts.map((attempt) => ({ ...attempt, taskId: lost.id }))
    expect(compare({ ...aftermath, attempts: again }, calm)).toEqual([
      `${lost.id} was charged 2 times, with 1 permitted`,
    ])
    expect(compare(aftermath, { ...calm, receipts: [ofLost] })).toEqual([
      `the image of ${ofLost} was there and is lost: it is UNKNOWN`,
    ])
    expect(compare(aftermath, { ...calm, listed: [] })).toEqual([`${ofLost} is in doubt, and not listed`])
  })
})
