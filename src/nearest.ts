import { closest, distance } from 'fastest-levenshtein'

/** Ignores case; undefined if none is similar. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const byLowerCase = new Map(candidates.map((candidate) => [candidate.toLowerCase(), candidate]))
  if (byLowerCase.size === 0) return undefined
  const lower = word.toLowerCase()
  const found = closest(lower, [...byLowerCase.keys()])
  // `prot` for `port` is two edits.
  const maxEdits = Math.min(Math.max(Math.floor(lower.length / 3), lower.length < 4 ? 1 : 2), 3)
  return distance(lower, found) <= maxEdits ? byLowerCase.get(found) : undefined
}

/** ` Did you mean `port`?`, or ''. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const found = nearest(word, candidates)
  return found === undefined ? '' : ` Did you mean \`${found}\`?`
}
