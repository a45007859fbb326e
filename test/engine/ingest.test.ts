import { readdir, writeFile } from 'node:fs/promises'
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

it('keeps the good images of a result beside a file that is no image, with a warning', async () => {
  const provider = scripted(async (sent) => {
    const result = await done({ ...sent, order: { ...sent.order, n: 2 } })
    const file = sent.call.newFile()
    await writeFile(file, 'no image')
    if (result.state === 'DONE') result.images.splice(1, 0, { file, revisedPrompt: null })
    return result
  })
  await using one = await openEngine({ providers: [provider] })
  const { id } = await one.create({ n: 3 })
  const { warnings } = await one.reached(id, 'SUCCEEDED')
  expect(warnings.map(({ code }) => code)).toEqual(['IMAGES_MISSING'])
  expect(await one.attempts(id)).toMatchObject([{ state: 'SUCCEEDED', charged: 'YES', images: 2 }])
})

it('records an answer on disk before its images are decoded, which may end the process', async () => {
  const provider = scripted((sent) => done(sent))
  const found: string[][] = []
  await using one = await openEngine({
    providers: [provider],
    wrap: (deps) => ({
      ...deps,
      async ingestLimit(work) {
        found.push(await readdir(deps.store.spool))
        return deps.ingestLimit(work)
      },
    }),
  })
  const { id } = await one.create()
  await one.reached(id, 'SUCCEEDED')
  const [attempt] = await one.attempts(id)
  expect(found).toEqual([expect.arrayContaining([`${attempt!.id}.receipt.json`])])
})
