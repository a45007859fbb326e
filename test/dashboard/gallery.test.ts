import { describe, expect, it, vi } from 'vitest'
import type { GalleryImage } from '../../dashboard/src/api/generated.ts'
import { createGallery, type GallerySource } from '../../dashboard/src/images/gallery.ts'
import { imageFilterOf, isFiltered, readImagesSearch } from '../../dashboard/src/images/images-search.ts'

const imageOf = (id: string) => ({ id, url: `https://paint.example/${id}` }) as GalleryImage

/** A project with the images of `ids`, newest first, in pages of three. */
function openGallery(ids: string[], part: Partial<GallerySource> = {}) {
  const images = ids.map(imageOf)
  const gallery = createGallery({
    async readPage(after) {
      const start = after === undefined ? 0 : images.findIndex(({ id }) => id === after) + 1
      const nodes = images.slice(start, start + 3)
      const isMore = start + 3 < images.length
      return { nodes, pageInfo: { endCursor: nodes.at(-1)?.id ?? null, hasNextPage: isMore } }
    },
    count: async () => images.length,
    renew: async (given) => given.map((id) => ({ ...imageOf(id), url: `https://paint.example/${id}?new` })),
    ...part,
  })
  const read = async (action: () => void) => {
    action()
    await vi.waitFor(() => expect(gallery.state().isReading).toBe(false))
    return gallery.state().images?.map(({ id }) => id)
  }
  return { gallery, images, read }
}

describe('a gallery', () => {
  it('reads page by page, each once', async () => {
    const { gallery, read } = openGallery(['e', 'd', 'c', 'b', 'a'])
    expect(await read(() => gallery.start())).toEqual(['e', 'd', 'c'])
    expect(await read(() => [gallery.readMore(), gallery.readMore()])).toEqual(['e', 'd', 'c', 'b', 'a'])
    expect(await read(() => gallery.readMore())).toEqual(['e', 'd', 'c', 'b', 'a'])
    await vi.waitFor(() => expect(gallery.state()).toMatchObject({ total: 5, hasMore: false }))
    expect(await read(() => gallery.start())).toHaveLength(5)
  })

  it('puts new images first, and starts over where there may be a gap', async () => {
    const { gallery, images, read } = openGallery(['d', 'c', 'b', 'a'])
    await read(() => gallery.start())
    await read(() => gallery.readMore())
    images.unshift(imageOf('e'))
    expect(await read(() => void gallery.refresh())).toEqual(['e', 'd', 'c', 'b', 'a'])
    images.unshift(imageOf('i'), imageOf('h'), imageOf('g'), imageOf('f'))
    expect(await read(() => void gallery.refresh())).toEqual(['i', 'h', 'g'])
    expect(await read(() => gallery.readMore())).toEqual(['i', 'h', 'g', 'f', 'e', 'd'])
  })

  it('keeps what it has after an error, which the next read removes', async () => {
    let isLost = false
    const page = { nodes: [imageOf('b')], pageInfo: { endCursor: 'b', hasNextPage: true } }
    const readPage = async () => {
      if (isLost) throw new Error('lost')
      return page
    }
    const { gallery, read } = openGallery([], { readPage })
    await read(() => gallery.start())
    isLost = true
    expect(await read(() => gallery.readMore())).toEqual(['b'])
    expect(gallery.state().error?.message).toBe('lost')
    isLost = false
    await read(() => gallery.readMore())
    expect(gallery.state().error).toBeUndefined()
  })

  it('renews expired addresses of one moment together', async () => {
    const renewed: string[][] = []
    const { gallery, read } = openGallery(['c', 'b', 'a'], {
      renew: async (ids) => {
        renewed.push([...ids])
        return ids.map((id) => ({ ...imageOf(id), url: 'new' }))
      },
    })
    await read(() => gallery.start())
    for (const id of ['a', 'c', 'a']) gallery.renew(id)
    await vi.waitFor(() =>
      expect(gallery.state().images?.map(({ url }) => url)).toEqual(['new', expect.any(String), 'new']),
    )
    expect(renewed).toEqual([['a', 'c']])
  })

  it('counts removed images down', async () => {
    const { gallery, read } = openGallery(['c', 'b', 'a'])
    await read(() => gallery.start())
    await vi.waitFor(() => expect(gallery.state().total).toBe(3))
    gallery.remove(['b', 'of another list'])
    expect(gallery.state()).toMatchObject({ total: 2, images: [{ id: 'c' }, { id: 'a' }] })
  })
})

describe('the filter of the page Images', () => {
  it('reads the address, and ignores what is not valid', () => {
    const search = readImagesSearch({
      kind: 'input',
      q: 'fox',
      model: 'gpt-image-2',
      from: '2026-11-01',
      to: 'never',
      size: 'm',
      status: 'FAILED,NONE',
    })
    expect(search).toEqual({
      kind: 'input',
      q: 'fox',
      model: 'gpt-image-2',
      from: '2026-11-01',
      status: ['FAILED'],
    })
    expect(readImagesSearch({ kind: 'mask', from: '2026-13-01', size: 'xl', view: 'table' })).toEqual({})
  })

  it('is that of the server: results and inputs by default, and times of the image', () => {
    const now = Date.parse('2026-11-30T12:00:00Z')
    expect(imageFilterOf({}, now)).toEqual({ kinds: ['FINAL', 'INPUT'] })
    const filter = imageFilterOf(
      { kind: 'result', from: '2h', to: '2026-11-30T11:00:00Z', provider: 'sandbox' },
      now,
    )
    expect(filter).toEqual({
      kinds: ['FINAL'],
      createdFrom: '2026-11-30T10:00:00.000Z',
      createdTo: '2026-11-30T11:00:00.000Z',
      task: { providers: ['sandbox'] },
    })
    expect([isFiltered({ size: 'l' }), isFiltered({ to: '2026-11-01' })]).toEqual([false, true])
  })
})
