import type { Paint } from '../screen.ts'

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']
const CATCH_UP_MS = 300
const DRIFT_PER_SECOND = 0.012
const MAX_DRIFT = 0.04

/** `width` characters, drawn to an eighth. `fraction` is 0..1. */
export function bar(fraction: number, width: number, paint: Paint): string {
  const eighths = Math.round(Math.min(Math.max(fraction, 0), 1) * width * 8)
  const filled = '█'.repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8]
  return paint('red', filled) + paint('dim', '·'.repeat(width - filled.length))
}

/**
 * Moves to `reported`, then drifts slowly, because events are seconds apart. Never moves back; reaches 1 only
 * if `reported` does.
 */
export function advance(shown: number, reported: number, elapsedMs: number): number {
  const share = 1 - Math.exp(-elapsedMs / CATCH_UP_MS)
  if (reported >= 1) return Math.min(1, shown + (1 - shown) * share + 0.002)
  if (shown < reported) return Math.min(reported, shown + (reported - shown) * share + 0.0005)
  const max = Math.min(reported + MAX_DRIFT, 0.99)
  return Math.max(shown, Math.min(shown + (DRIFT_PER_SECOND * elapsedMs) / 1_000, max))
}
