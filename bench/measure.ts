/** The figures of one side in one round, by name. All are costs: less is better. */
export type Sample = Readonly<Record<string, number>>

/** Both sides of every round, in the order of the rounds. */
export type Rounds = readonly { ours: Sample; reference: Sample }[]

/** One figure of both sides over all rounds. */
export interface Comparison {
  /** Medians. */
  ours: number
  reference: number
  /** Ours divided by the reference in each round: median, minimum and maximum. */
  ratio: number
  lowest: number
  highest: number
}

/** Runs both sides in turn: see `rotate`. */
export function alternate(
  rounds: number,
  sides: { ours: () => Promise<Sample>; reference: () => Promise<Sample> },
): Promise<Rounds> {
  return rotate(rounds, sides)
}

/**
 * Runs all sides in turn, so that other load of the machine affects each. Each round begins with another side. A first
 * round, which warms up, does not count.
 */
export async function rotate<Name extends string>(
  rounds: number,
  sides: Readonly<Record<Name, () => Promise<Sample>>>,
): Promise<Record<Name, Sample>[]> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of a record with these names
  const names = Object.keys(sides) as Name[]
  const samples: Record<Name, Sample>[] = []
  for (let round = 0; round <= rounds; round++) {
    const first = round % names.length
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- complete after the loop
    const sample = {} as Record<Name, Sample>
    for (const name of [...names.slice(first), ...names.slice(0, first)]) sample[name] = await sides[name]()
    samples.push(sample)
  }
  return samples.slice(1)
}

/** Compares one figure of both sides. Throws when a round lacks it. */
export function compare(rounds: Rounds, name: string): Comparison {
  const ours = rounds.map((round) => figure(round.ours, name))
  const reference = rounds.map((round) => figure(round.reference, name))
  const ratios = ours.map((value, round) => value / (reference[round] ?? Number.NaN))
  return {
    ours: median(ours),
    reference: median(reference),
    ratio: median(ratios),
    lowest: Math.min(...ratios),
    highest: Math.max(...ratios),
  }
}

/** NaN for an empty list. */
export function median(values: readonly number[]): number {
  return percentile(values, 0.5)
}

/** The smallest value that at least `share` (0..1) of all values do not exceed. NaN for an empty list. */
export function percentile(values: Iterable<number>, share: number): number {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}

function figure(sample: Sample, name: string): number {
  const value = sample[name]
  if (value === undefined) throw new Error(`A round has no ${name}.`)
  return value
}
