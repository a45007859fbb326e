import { useEffect, useSyncExternalStore } from 'react'
import { CountImages, ListGallery, RenewPictures, type Picture } from '../api/generated.ts'
import { useSession } from '../session/context.ts'
import type { Session } from '../session/session.ts'
import { createGallery, type Gallery, type GalleryState } from './gallery.ts'
import { imageFilterOf, type ImagesSearch } from './images-search.ts'

export const PAGE_SIZE = 60
/** Filters whose images are kept. */
const MAX_KEPT = 8

const kept = new WeakMap<Session, Map<string, Gallery>>()

/** Of the session, by filter. */
function galleryOf(session: Session, search: ImagesSearch): Gallery {
  const galleries = kept.get(session) ?? new Map<string, Gallery>()
  kept.set(session, galleries)
  const { size: _, ...conditions } = search
  const key = JSON.stringify(conditions)
  const known = galleries.get(key)
  if (known) return known
  const { connection } = session
  const filter = imageFilterOf(search, Date.now())
  const gallery = createGallery({
    readPage: (after) =>
      connection.read(ListGallery, { first: PAGE_SIZE, filter, ...(after !== undefined && { after }) }),
    count: async () => (await connection.read(CountImages, { filter })).totalCount,
    renew: async (ids) => {
      const nodes = await connection.read(RenewPictures, { ids: [...ids] })
      return nodes.filter((node): node is Picture => node?.id !== undefined)
    },
  })
  galleries.set(key, gallery)
  const [oldest] = galleries.keys()
  if (galleries.size > MAX_KEPT && oldest !== undefined) galleries.delete(oldest)
  return gallery
}

/** The images that meet the conditions. Reads the first page unless `isStarted` is false. */
export function useGallery(search: ImagesSearch, isStarted = true): GalleryState & { gallery: Gallery } {
  const gallery = galleryOf(useSession(), search)
  const state = useSyncExternalStore(gallery.subscribe, gallery.state)
  useEffect(() => {
    if (isStarted) gallery.start()
  }, [gallery, isStarted])
  return { ...state, gallery }
}

/** From every list of the session. */
export function forgetImages(session: Session, ids: readonly string[]): void {
  for (const gallery of kept.get(session)?.values() ?? []) gallery.remove(ids)
}
