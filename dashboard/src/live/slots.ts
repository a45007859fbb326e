// Places of running tasks. A task keeps its place as long as it runs and for a few seconds more, so that no tile moves.

export interface SlotEntry {
  id: string
  /** Undefined while it runs. */
  endedAt?: number | undefined
}

export interface Slots {
  readonly entries: readonly (SlotEntry | undefined)[]
}

export const EMPTY_SLOTS: Slots = { entries: [] }

/** How long a finished task is shown in its place. */
export const LINGER_MS = 5_000

interface SlotRules {
  now: number
  maxSlots: number
  /** A task that is not shown any more loses its place at once. */
  isShown?: (id: string) => boolean
}

/** Returns `slots` itself if nothing changes. New tasks take the first free places, oldest first. */
export function assignSlots(
  slots: Slots,
  running: ReadonlySet<string>,
  { now, maxSlots, isShown = () => true }: SlotRules,
): Slots {
  const entries = slots.entries.map((entry) =>
    entry && isShown(entry.id) ? nextEntry(entry, running, now) : undefined,
  )
  const placed = new Set(entries.flatMap((entry) => (entry ? [entry.id] : [])))
  const waiting = [...running].filter((id) => !placed.has(id)).toSorted()
  for (let index = 0; index < maxSlots && waiting.length > 0; index++)
    if (!entries[index]) entries[index] = { id: waiting.shift() ?? '' }
  while (entries.length > 0 && !entries.at(-1)) entries.pop()
  const isSame =
    entries.length === slots.entries.length && entries.every((entry, i) => entry === slots.entries[i])
  return isSame ? slots : { entries }
}

function nextEntry(entry: SlotEntry, running: ReadonlySet<string>, now: number): SlotEntry | undefined {
  if (running.has(entry.id)) return entry.endedAt === undefined ? entry : { id: entry.id }
  if (entry.endedAt === undefined) return { id: entry.id, endedAt: now }
  return now - entry.endedAt < LINGER_MS ? entry : undefined
}
