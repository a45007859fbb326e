import { expect, it } from 'vitest'
import { newPlace } from './support/database.ts'
import { fuzz } from './fuzz/fuzz.ts'

// `npm run fuzz` throws for as long as one likes, with any seed.
it('nothing that is thrown at the gateway breaks it, makes it pay unasked, or grow', async () => {
  const place = await newPlace('sqlite')
  await using _ = { [Symbol.asyncDispose]: () => place.remove() }
  const found = await fuzz({ place, seed: 20_261_120, until: { requests: 1_000 } })
  expect(found.wrong).toEqual([])
  // It must have come through to what it is meant to try.
  expect(found.answers['200']).toBeGreaterThan(150)
  expect(found.answers['400']).toBeGreaterThan(50)
  expect(found.sockets).toBeGreaterThan(20)
  expect(found.grownBytes).toBeLessThan(100e6)
})
