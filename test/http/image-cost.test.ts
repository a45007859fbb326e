import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { costShare } from '../../src/engine/usage/cost-share.ts'
import { openGatewayWithKeys } from '../access/gateway-with-keys.ts'
import { DATABASES } from '../support/database.ts'

interface Image {
  id: string
  costMicros: number | null
  srcset: string
  renditions: { url: string; width: number; height: number }[]
}

const TASK = `query ($id: ID!) { task(id: $id) { costMicros
  images { ...Image } inputImages { ...Image } } }
  fragment Image on Image { id costMicros
    srcset(widths: [64, 2000, 300, 128], format: WEBP)
    renditions(widths: [100, 5, 4000]) { url width height } }`

it('the shares of an attempt sum to its cost, and do not depend on the others that are left', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 1_000_000_000_000 }),
      fc.uniqueArray(fc.nat(50), { minLength: 1, maxLength: 10 }),
      (costMicros, positions) => {
        const shares = positions.map((one) => costShare({ costMicros, finishedAt: 1 }, positions, one)!)
        expect(shares.reduce((sum, share) => sum + share, 0)).toBe(costMicros)
        expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1)
      },
    ),
  )
  expect(costShare({ costMicros: null, finishedAt: 1 }, [0], 0)).toBeNull()
  expect(costShare({ costMicros: 5, finishedAt: null }, [0], 0)).toBeNull()
})

describe.each(DATABASES)('an image on %s', (database) => {
  it('has its share of the cost, also after another one is deleted, and signed URLs of renditions', async () => {
    await using keyed = await openGatewayWithKeys({ database })
    const client = keyed.operator()
    const read = async (id: string) =>
      (
        await client.get<{ task: { costMicros: number; images: Image[]; inputImages: Image[] } }>(TASK, {
          id,
        })
      ).task
    const made = async (input: object) => {
      const id = await client.generate({ prompt: 'a fox', size: '816x816', ...input })
      await client.ended(id)
      return { id, task: await read(id) }
    }
    const { id, task } = await made({ n: 3 })
    const costs = task.images.map(({ costMicros }) => costMicros!)
    expect(task.costMicros).toBeGreaterThan(0)
    expect(costs.reduce((sum, cost) => sum + cost, 0)).toBe(task.costMicros)
    await client.get('mutation ($id: ID!) { deleteImage(input: { id: $id }) { deletedImageId } }', {
      id: task.images[0]!.id,
    })
    const after = await read(id)
    expect(after.costMicros).toBe(task.costMicros)
    expect(after.images.map(({ costMicros }) => costMicros)).toEqual(costs.slice(1))

    const [image] = after.images
    expect(image!.renditions.map(({ width, height }) => [width, height])).toEqual([
      [5, 5],
      [100, 100],
      [816, 816],
    ])
    expect(image!.srcset.split(', ').map((one) => one.split(' ')[1])).toEqual(['64w', '128w', '300w', '816w'])
    const urls = [
      ...image!.renditions.map(({ url }) => url),
      ...image!.srcset.split(', ').map((one) => one.split(' ')[0]!),
    ]
    for (const url of urls) expect((await fetch(url)).status).toBe(200)

    const edit = await made({ prompt: 'edited', images: [{ imageId: image!.id }] })
    expect(edit.task.inputImages).toMatchObject([{ id: image!.id, costMicros: costs[1] }])
    const upload =
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
    const own = await made({ prompt: 'edited', images: [{ dataUrl: `data:image/png;base64,${upload}` }] })
    expect(own.task.inputImages).toMatchObject([{ costMicros: null }])
    const refused = await client.execute(
      'query ($id: ID!) { node(id: $id) { ... on Image { renditions(widths: [5000]) { url } } } }',
      { id: image!.id },
    )
    expect(refused.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }])
  })
})
