/** The axis from 0 to at least `max`: whole steps of 1, 2 or 5 times a power of ten, at most `maxTicks`. */
export function ticksFor(max: number, maxTicks = 5): { ticks: number[]; top: number } {
  if (max <= 0) return { ticks: [0], top: 1 }
  const rough = max / Math.max(1, maxTicks - 1)
  const power = 10 ** Math.max(0, Math.floor(Math.log10(rough)))
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough) ?? 10 * power
  const count = Math.ceil(max / step)
  return { ticks: Array.from({ length: count + 1 }, (_, index) => index * step), top: count * step }
}

/** Indexes of the labels that fit, evenly spaced, counted from the last. */
export function labelEvery(count: number, width: number, labelWidth: number): number {
  return Math.max(1, Math.ceil((count * labelWidth) / Math.max(1, width)))
}

/** The bar at a horizontal position, limited to those that exist. */
export function barAt(x: number, width: number, count: number): number {
  return Math.min(count - 1, Math.max(0, Math.floor((x / Math.max(1, width)) * count)))
}
