import { closest, distance } from 'fastest-levenshtein'

/** The candidate that was probably meant, letter case aside; undefined when none is near. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const byLowerCase = new Map(candidates.map((candidate) => [candidate.toLowerCase(), candidate]))
  if (byLowerCase.size === 0) return undefined
  const lower = word.toLowerCase()
  const found = closest(lower, [...byLowerCase.keys()])
  // Two letters may be wrong, as in `prot` for `port`; one in the shortest words, three in long ones.
  const tolerance = Math.min(Math.max(Math.floor(lower.length / 3), lower.length < 4 ? 1 : 2), 3)
  return distance(lower, found) <= tolerance ? byLowerCase.get(found) : undefined
}

/** ` Did you mean `port`?`, with the space before it; an empty text when no candidate is near. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const found = nearest(word, candidates)
  return found === undefined ? '' : ` Did you mean \`${found}\`?`
}
