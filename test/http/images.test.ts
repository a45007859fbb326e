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

  it('are filtered by the task that they belong to', async () => {
    await using gateway = await openGateway({ database })
    const [fox, owl] = await Promise.all(
      [
        { prompt: 'a red fox', model: 'gpt-image-2', metadata: [{ key: 'team', value: 'a' }] },
        { prompt: 'an owl', model: 'gpt-image-2.5-flare' },
      ].map((input) => gateway.generate({ size: '1024x1024', ...input })),
    )
    await Promise.all([fox!, owl!].map((id) => gateway.ended(id)))
    const tasksOf = async (task: object) => {
      const { images } = await gateway.get<Listed>(IMAGES, { filter: { task } })
      expect(images.totalCount).toBe(images.nodes.length)
      return images.nodes.map((image) => image.task.id)
    }
    expect(await tasksOf({ search: 'FOX' })).toEqual([fox])
    expect(await tasksOf({ models: ['gpt-image-2.5-flare'] })).toEqual([owl])
    expect(
      await tasksOf({ metadata: [{ key: 'team', value: 'a' }], search: 're* fox' }).catch(String),
    ).toContain('filter.search has the prefix re*')
    expect(await tasksOf({ metadata: [{ key: 'team', value: 'a' }] })).toEqual([fox])
    expect(await tasksOf({ providers: ['sandbox'] })).toHaveLength(2)
    expect(await tasksOf({ operation: 'EDIT' })).toEqual([])
  })

  it('name the tasks that began with them, by id or as the same bytes', async () => {
    await using gateway = await openGateway({ database })
    const run = async (input: object) => {
      const id = await gateway.generate({ prompt: 'a fox', size: '1024x1024', ...input })
      await gateway.ended(id)
      return id
    }
    const usedBy = async (filter: object, first = 50) => {
      const { images } = await gateway.get<{ images: { nodes: { usedBy: { id: string }[] }[] } }>(
        'query ($filter: ImageFilter, $first: Int) { images(first: 10, filter: $filter) { nodes { usedBy(first: $first) { id } } } }',
        { filter, first },
      )
      return images.nodes.map((image) => image.usedBy.map(({ id }) => id)).toReversed()
    }
    await run({})
    const { images } = await gateway.get<{ images: { nodes: { id: string; dataUrl: string }[] } }>(
      '{ images(first: 1) { nodes { id dataUrl } } }',
    )
    const [{ id, dataUrl }] = images.nodes as [{ id: string; dataUrl: string }]
    const byId = await run({ images: [{ imageId: id }] })
    const uploaded = await run({ images: [{ dataUrl }] })
    await run({ prompt: 'a lynx' })

    expect(await usedBy({ kinds: ['FINAL'] })).toEqual([[uploaded, byId], [], [], []])
    expect(await usedBy({ kinds: ['INPUT'] })).toEqual([[uploaded, byId]])
    expect((await usedBy({}, 1))[0]).toEqual([uploaded])
    const { errors } = await gateway.execute('{ images(first: 10) { nodes { usedBy(first: 101) { id } } } }')
    expect(errors?.[0]?.message).toBe('first is 101; the maximum is 100.')
  })
})
