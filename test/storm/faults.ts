// Counts injected faults, and deals them so that every kind is injected often enough.
import type { Random } from '../support/random.ts'

/** How often each kind of fault was injected, by its name. */
export type FaultCounts = Map<string, number>

export interface FaultTally {
  counts: FaultCounts
  /** Kinds that are never injected. */
  without: ReadonlySet<string>
  add(kind: string): void
  /** Kinds that were not injected yet. */
  missing(): string[]
  /** From now on no deck has a fault. */
  stop(): void
  isOver(): boolean
}

export function createTally(without: readonly string[] = []): FaultTally {
  const counts: FaultCounts = new Map()
  let isOver = false
  return {
    counts,
    without: new Set(without),
    add: (kind) => void counts.set(kind, (counts.get(kind) ?? 0) + 1),
    stop() {
      isOver = true
    },
    isOver: () => isOver,
    missing: () => [...counts].flatMap(([kind, count]) => (count === 0 ? [kind] : [])),
  }
}

/**
 * Deals shuffled cards, each once per round: `faultless` cards are null, and the others are faults. The first round has at most
 * as many faultless cards as faults, so that each kind is injected early.
 */
export function createDeck<Fault>(
  random: Random,
  tally: FaultTally,
  faults: Record<string, Fault>,
  faultless: number,
): () => { kind: string; fault: Fault } | null {
  const injected = Object.entries(faults)
    .filter(([kind]) => !tally.without.has(kind))
    .map(([kind, fault]) => ({ kind, fault }))
  const cards = [...injected, ...Array.from({ length: faultless }, () => null)]
  for (const { kind } of injected) tally.counts.set(kind, 0)
  let left = shuffle(cards.slice(0, 2 * injected.length), random)
  return () => {
    if (tally.isOver()) return null
    if (left.length === 0) left = shuffle(cards, random)
    return left.pop() ?? null
  }
}

function shuffle<T>(from: readonly T[], random: Random): T[] {
  return from
    .map((value) => ({ value, order: random.next() }))
    .toSorted((a, b) => a.order - b.order)
    .map(({ value }) => value)
}
