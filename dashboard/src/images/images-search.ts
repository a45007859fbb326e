// The filter of the page Images: in its address, and for the server.
import type { ImageFilter } from '../api/generated.ts'
import { readLiveSearch, serverFilterOf, timeOf, type LiveSearch } from '../live/filter.ts'

export const KINDS = ['result', 'input'] as const

/** Parameters of the URL, as those of Live. `from` and `to` are of the image. */
export interface ImagesSearch extends Omit<LiveSearch, 'view'> {
  /** Results or inputs. Both by default. */
  kind?: (typeof KINDS)[number] | undefined
}

/** Reads values from a URL; ignores those that are not valid. */
export function readImagesSearch(given: Readonly<Record<string, unknown>>): ImagesSearch {
  const kind = KINDS.find((one) => one === given['kind'])
  const { view: _, ...search } = readLiveSearch(given)
  return { ...search, ...(kind && { kind }) }
}

/** `now`: for spans that end now. */
export function imageFilterOf(search: ImagesSearch, now: number): ImageFilter {
  const { kind, from, to } = search
  const task = serverFilterOf(taskSearchOf(search))
  const [start, end] = [from, to].map((text) => (text === undefined ? undefined : timeOf(text, now)))
  return {
    kinds: kind === 'result' ? ['FINAL'] : kind === 'input' ? ['INPUT'] : ['FINAL', 'INPUT'],
    ...(start !== undefined && { createdFrom: new Date(start).toISOString() }),
    ...(end !== undefined && { createdTo: new Date(end).toISOString() }),
    ...(Object.keys(task).length > 0 && { task }),
  }
}

/** The size of the tiles is no condition. */
export function isFiltered(search: ImagesSearch): boolean {
  const { size: _, ...conditions } = search
  return Object.values(conditions).some((value) => value !== undefined)
}

/** The conditions on the task of an image. */
export function taskSearchOf(search: ImagesSearch): LiveSearch {
  const { kind: _, from: _1, to: _2, size: _3, ...ofTask } = search
  return ofTask
}
