import { describe, expect, it } from 'vitest'
import { listAssets } from '../../src/db/tasks/assets.ts'
import { DATABASES } from '../support/database.ts'
import { openEngine } from '../support/engine.ts'
import { offer } from '../support/offers.ts'
import { done, failure, scripted, type Sent } from '../support/scripted.ts'
import { ANONYMOUS } from '../support/plain-input.ts'

/** Makes at most two images per call; `script` returns the result of the `nth` call. */
const twoAtATime = (script: (sent: Sent, nth: number) => ReturnType<typeof done>) =>
  scripted(script, { offers: [offer({ maxN: 2 })], concurrency: 1 })

describe.each(DATABASES)('more images than a provider makes per call, on %s', (database) => {
  it('are requested in parts, and returned in order', async () => {
    const provider = twoAtATime((sent) => done(sent))
    await using one = await openEngine({ database, providers: [provider] })
    const { id } = await one.create({ n: 5 })
    expect(await one.reached(id, 'SUCCEEDED')).toMatchObject({ parts: 3, chargesOpen: 3, warnings: [] })
    expect(provider.sent.map(({ order }) => order.n).toSorted((a, b) => a - b)).toEqual([1, 2, 2])
    const assets = await listAssets(one.db.read, [id])
    expect(assets.map(({ position }) => position).toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4])
    const attempts = await one.attempts(id)
    expect(attempts.map(({ number, part, n, firstImage }) => [number, part, n, firstImage])).toEqual([
      [1, 0, 2, 0],
      [2, 1, 2, 2],
      [3, 2, 1, 4],
    ])
  })

  it('succeed with the received images, and a warning about the missing ones', async () => {
    const provider = twoAtATime((sent, nth) => (nth === 1 ? Promise.reject(failure('rejected')) : done(sent)))
    await using one = await openEngine({ database, providers: [provider] })
    const { id } = await one.create({ n: 4 })
    const task = await one.reached(id, 'SUCCEEDED')
    expect(task.warnings).toEqual([
      { code: 'IMAGES_MISSING', field: 'n', message: '2 images are missing: It was rejected.' },
    ])
    expect(task).toMatchObject({ chargesOpen: 1, error: null })
  })

  it('are OUTCOME_UNKNOWN while one part is, and only that part is sent again', async () => {
    const provider = twoAtATime((sent, nth) => (nth === 1 ? Promise.reject(failure('lost')) : done(sent)))
    await using one = await openEngine({ database, providers: [provider] })
    const { id } = await one.create({ n: 4 })
    expect(await one.reached(id, 'OUTCOME_UNKNOWN')).toMatchObject({ chargesOpen: 2 })
    await one.engine.retryTask(ANONYMOUS, id, { acceptPossibleSecondCharge: true })
    expect(await one.reached(id, 'SUCCEEDED')).toMatchObject({ chargesOpen: 3 })
    expect(provider.sent).toHaveLength(3)
    expect(await listAssets(one.db.read, [id])).toHaveLength(4)
  })

  it('are each paid at most once more with RESEND', async () => {
    const provider = twoAtATime(() => Promise.reject(failure('lost')))
    await using one = await openEngine({ database, providers: [provider], tuning: { maxAttempts: 9 } })
    const { id } = await one.create({ n: 4, onUnknownOutcome: 'RESEND', maxCharges: 2 })
    await expect.poll(() => provider.sent.length).toBe(4)
    expect(await one.reached(id, 'OUTCOME_UNKNOWN')).toMatchObject({ chargesOpen: 4 })
    expect(provider.sent).toHaveLength(4)
  })
})
