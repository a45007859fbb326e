import { expect, it } from 'vitest'
import { DiskError } from '../../src/assets/disk-error.ts'
import { openEngine } from '../support/engine.ts'
import { done, writeImage, scripted } from '../support/scripted.ts'

it('ingests at most four images at a time, and frees the slot during a pause after a disk error', async () => {
  const provider = scripted(
    async (sent) => {
      await sent.call.onPartial(await writeImage(sent.call), 0)
      return done(sent)
    },
    { concurrency: 20 },
  )
  let [concurrent, maxConcurrent, puts] = [0, 0, 0]
  await using one = await openEngine({
    providers: [provider],
    wrap: (deps) => ({
      ...deps,
      store: {
        ...deps.store,
        async put(file) {
          maxConcurrent = Math.max(maxConcurrent, ++concurrent)
          try {
            // The first four fail on a full disk, and pause before a retry.
            if (++puts <= 4) throw new DiskError('/assets', 'ENOSPC', undefined)
            return await deps.store.put(file)
          } finally {
            concurrent--
          }
        },
      },
    }),
  })
  const tasks = await Promise.all(Array.from({ length: 20 }, () => one.create({ partialImages: 1 })))
  for (const { id } of tasks) await one.reached(id, 'SUCCEEDED')
  expect(provider.sent).toHaveLength(20)
  expect(maxConcurrent).toBe(4)
})
