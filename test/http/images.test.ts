import { describe, expect, it } from 'vitest'
import { DATABASES } from '../support/database.ts'
import { openGateway } from '../support/gateway.ts'

interface Listed {
  images: {
    nodes: { id: string; kind: string; task: { id: string } }[]
    totalCount: number
  }
}

const IMAGES = `query ($filter: ImageFilter, $last: Int) {
  images(filter: $filter, last: $last) { nodes { id kind task { id } } totalCount }
}`

describe.each(DATABASES)('images on %s', (database) => {
  it('are listed newest first, with the task that made them', async () => {
    await using gateway = await openGateway({ database })
    const first = await gateway.generate({ prompt: 'a fox', size: '1024x1024', partialImages: 1 })
    await gateway.ended(first)
    const {
      images: { nodes: before },
    } = await gateway.get<Listed>(IMAGES, { filter: {} })
    expect(before).toEqual([{ id: expect.any(String), kind: 'FINAL', task: { id: first } }])
    const original = before[0]!.id
    const second = await gateway.generate({
      prompt: 'a red fox',
      size: '1024x1024',
      images: [{ imageId: original }],
    })
    await gateway.ended(second)

    const results = (await gateway.get<Listed>(IMAGES)).images
    expect(results.totalCount).toBe(2)
    expect(results.nodes.map(({ task }) => task.id)).toEqual([second, first])
    expect(results.nodes[1]).toEqual({
      id: original,
      kind: 'FINAL',
      task: { id: first },
    })
    const oldest = await gateway.get<Listed>(IMAGES, { last: 1 })
    expect(oldest.images.nodes.map(({ id }) => id)).toEqual([original])
    const previews = await gateway.get<Listed>(IMAGES, { filter: { kinds: ['PARTIAL'] } })
    expect(previews.images.nodes.map(({ kind, task }) => [kind, task.id])).toEqual([['PARTIAL', first]])
    const none = await gateway.get<Listed>(IMAGES, { filter: { createdTo: '2020-01-01T00:00:00Z' } })
    expect(none.images).toEqual({ nodes: [], totalCount: 0 })
  })
})
