// The filter of the page Images: in its address, and for the server.
import type { ImageFilter } from '../api/generated.ts'
import { readLiveSearch, serverFilterOf, type LiveSearch } from '../live/filter.ts'

export const KINDS = ['result', 'input'] as const
export const SIZES = ['s', 'm', 'l'] as const

/** Parameters of the URL. Absent without a condition. */
export interface ImagesSearch extends Omit<LiveSearch, 'from' | 'to' | 'size'> {
  /** Results or inputs. Both by default. */
  kind?: (typeof KINDS)[number] | undefined
  /** First and last day, as 2026-11-30 in the zone of the browser. */
  from?: string | undefined
  to?: string | undefined
  /** Of the tiles. Absent for `m`. */
  size?: (typeof SIZES)[number] | undefined
}

/** Reads values from a URL; ignores those that are not valid. */
export function readImagesSearch(given: Readonly<Record<string, unknown>>): ImagesSearch {
  const { status, op, model, provider, q } = readLiveSearch(given)
  const kind = KINDS.find((one) => one === given['kind'])
  const size = SIZES.find((one) => one === given['size'])
  const from = dayOf(given['from'])
  const to = dayOf(given['to'])
  return {
    ...(status && { status }),
    ...(op && { op }),
    ...(model !== undefined && { model }),
    ...(provider !== undefined && { provider }),
    ...(q !== undefined && { q }),
    ...(kind && { kind }),
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    ...(size && size !== 'm' && { size }),
  }
}

export function imageFilterOf(search: ImagesSearch): ImageFilter {
  const { kind, from, to } = search
  const task = serverFilterOf(taskSearchOf(search))
  return {
    kinds: kind === 'result' ? ['FINAL'] : kind === 'input' ? ['INPUT'] : ['FINAL', 'INPUT'],
    ...(from !== undefined && { createdFrom: new Date(`${from}T00:00`).toISOString() }),
    ...(to !== undefined && { createdTo: dayAfter(to) }),
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

function dayAfter(day: string): string {
  const next = new Date(`${day}T00:00`)
  next.setDate(next.getDate() + 1)
  return next.toISOString()
}

function dayOf(value: unknown): string | undefined {
  const text = typeof value === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(value) ? value : undefined
  return text !== undefined && !Number.isNaN(Date.parse(text)) ? text : undefined
}
