/** A share of a task's images that is asked for at once. */
export interface Part {
  part: number
  /** How many images. */
  n: number
  /** The place of its first image among the task's. */
  firstImage: number
}

/** Pure. Splits `n` images into as few parts as a provider that makes `maxN` at a time allows. */
export function splitIntoParts(n: number, maxN: number): Part[] {
  return Array.from({ length: Math.ceil(n / maxN) }, (_, part) => {
    const firstImage = part * maxN
    return { part, n: Math.min(maxN, n - firstImage), firstImage }
  })
}
