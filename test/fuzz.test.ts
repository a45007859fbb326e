import { expect, it } from 'vitest'
import { newPlace } from './support/database.ts'
import { fuzz } from './fuzz/fuzz.ts'

// `npm run fuzz` takes any seed and any time.
it('no request breaks the gateway, causes an unrequested charge, or leaks memory', async () => {
  const place = await newPlace('sqlite')
  await using _ = { [Symbol.asyncDispose]: () => place.remove() }
  const found = await fuzz({ place, seed: 20_261_120, until: { requests: 1_000 } })
  expect(found.problems).toEqual([])
  // The requests must reach the code behind the checks.
  expect(found.responses['200']).toBeGreaterThan(150)
  expect(found.responses['400']).toBeGreaterThan(50)
  expect(found.sockets).toBeGreaterThan(20)
  expect(found.grownBytes).toBeLessThan(100e6)
})
