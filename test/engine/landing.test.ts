import { expect, it } from 'vitest'
import { DiskError } from '../../src/assets/disk-error.ts'
import { openEngine } from '../support/engine.ts'
import { done, picture, scripted } from '../support/scripted.ts'

it('brings in twenty results and their previews four at a time, and lets none wait for one that pauses', async () => {
  const provider = scripted(
    async (sent) => {
      await sent.call.onPartial(await picture(sent.call), 0)
      return done(sent)
    },
    { concurrency: 20 },
  )
  let [atOnce, most, puts] = [0, 0, 0]
  await using one = await openEngine({
    providers: [provider],
    wrap: (deps) => ({
      ...deps,
      store: {
        ...deps.store,
        async put(file) {
          most = Math.max(most, ++atOnce)
          try {
            // Four of them meet a full disk, and pause before they try again.
            if (++puts <= 4) throw new DiskError('/assets', 'ENOSPC', undefined)
            return await deps.store.put(file)
          } finally {
            atOnce--
          }
        },
      },
    }),
  })
  const tasks = await Promise.all(Array.from({ length: 20 }, () => one.create({ partialImages: 1 })))
  for (const { id } of tasks) await one.reached(id, 'SUCCEEDED')
  expect(provider.sent).toHaveLength(20)
  expect(most).toBe(4)
})
