import type { KeyRow } from '../api/generated.ts'
import { formatAge, formatExactTime, formatWait } from '../format/time.ts'

export interface KeyState {
  text: string
  tone: 'good' | 'warn' | 'bad' | 'off'
}

const SOON_MS = 7 * 24 * 3_600_000

/** Whether the key can be used, and until when. */
export function keyState(
  { revokedAt, expiresAt }: Pick<KeyRow, 'revokedAt' | 'expiresAt'>,
  now: number,
): KeyState {
  if (revokedAt !== null) return { text: `revoked ${formatAge(revokedAt, now)}`, tone: 'off' }
  if (expiresAt === null) return { text: 'active', tone: 'good' }
  const leftMs = Date.parse(expiresAt) - now
  if (leftMs <= 0) return { text: `expired ${formatAge(expiresAt, now)}`, tone: 'off' }
  return { text: `expires in ${formatWait(leftMs)}`, tone: leftMs < SOON_MS ? 'warn' : 'good' }
}

export function lastUsedText({ lastUsedAt }: Pick<KeyRow, 'lastUsedAt'>, now: number): string {
  return lastUsedAt === null ? 'never used' : formatAge(lastUsedAt, now)
}

export function exactOf(at: string | null): string | undefined {
  return at === null ? undefined : formatExactTime(at)
}
