import type { Paint } from '../screen.ts'

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']
// How quickly the bar closes in on what the server said, and how far it may run ahead of it meanwhile.
const CATCH_UP_MS = 300
const AHEAD_PER_SECOND = 0.012
const FURTHEST_AHEAD = 0.04

/** The bar itself, `width` characters wide, drawn to an eighth of a character. `fraction` is 0..1. */
export function bar(fraction: number, width: number, paint: Paint): string {
  const eighths = Math.round(Math.min(Math.max(fraction, 0), 1) * width * 8)
  const filled = '█'.repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8]
  return paint('red', filled) + paint('dim', '·'.repeat(width - filled.length))
}

/** `42%`, padded so that nothing jumps. */
export function percent(fraction: number): string {
  return `${Math.floor(fraction * 100)}%`.padStart(4)
}

/**
 * Where the bar stands `elapsedMs` after it stood at `shown`, when the server says `told`: it glides there and then
 * creeps on a little, since events are seconds apart. It never goes back, and only `told` brings it to 1.
 */
export function glide(shown: number, told: number, elapsedMs: number): number {
  if (told >= 1) return Math.min(1, shown + (1 - shown) * nearness(elapsedMs) + 0.002)
  if (shown < told) return Math.min(told, shown + (told - shown) * nearness(elapsedMs) + 0.0005)
  const furthest = Math.min(told + FURTHEST_AHEAD, 0.99)
  return Math.max(shown, Math.min(shown + (AHEAD_PER_SECOND * elapsedMs) / 1_000, furthest))
}

function nearness(elapsedMs: number): number {
  return 1 - Math.exp(-elapsedMs / CATCH_UP_MS)
}
