import { expect, it, onTestFinished } from 'vitest'
import { newPlace } from '../support/database.ts'
import { createRandom } from '../support/random.ts'
import { callThroughCuts } from './cuts.ts'

/** `npm run rest-cuts` makes 1,000 calls and kills the gateway five times. */
const LOAD = { calls: 60, kills: 2, callers: 8 }

it('every caller that asks again gets its picture, and each picture is paid for once', async () => {
  const place = await newPlace('sqlite')
  onTestFinished(() => place.remove())
  const result = await callThroughCuts({ place, ...LOAD, random: createRandom(1) })
  expect(result).toMatchObject({
    served: LOAD.calls,
    charges: LOAD.calls,
    kills: LOAD.kills,
  })
  expect(result.tasks - result.unknown).toBe(LOAD.calls)
  expect(result.cuts).toBeGreaterThan(5)
  expect(result.attached).toBeGreaterThan(0)
})
