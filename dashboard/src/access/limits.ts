// Limits in words, and as a person types them.
import type { LimitValues } from '../api/generated.ts'
import { formatBytes } from '../format/bytes.ts'

export type LimitName = keyof LimitValues

const MB = 1_024 * 1_024

export const LIMITS: readonly { name: LimitName; text: string; note: string }[] = [
  {
    name: 'requestsPerMinute',
    text: 'Requests per minute',
    note: 'GraphQL operations, all connections together',
  },
  { name: 'tasksPerMinute', text: 'New tasks per minute', note: 'With retries, without repeated requests' },
  { name: 'concurrentTasks', text: 'Tasks at once', note: 'Queued or running' },
  { name: 'uploadBytesPerMinute', text: 'Uploads per minute', note: 'Megabytes of uploaded images' },
]

export function limitText(name: LimitName, value: number | null): string {
  if (value === null) return 'no limit'
  return name === 'uploadBytesPerMinute' ? formatBytes(value) : value.toLocaleString('en')
}

/** The value in the field. Empty for no limit. */
export function limitField(name: LimitName, value: number | null): string {
  if (value === null) return ''
  return String(name === 'uploadBytesPerMinute' ? value / MB : value)
}

/** Null for an empty field, undefined for anything that is not a limit. */
export function readLimit(name: LimitName, text: string): number | null | undefined {
  const plain = text.trim().replaceAll(',', '')
  if (plain === '') return null
  if (!/^\d+(?:\.\d+)?$/.test(plain)) return undefined
  const value = Number(plain) * (name === 'uploadBytesPerMinute' ? MB : 1)
  // A third of a megabyte is not a whole number of bytes.
  const whole = name === 'uploadBytesPerMinute' ? Math.round(value) : value
  return Number.isSafeInteger(whole) && whole <= 2_147_483_647 * (name === 'uploadBytesPerMinute' ? MB : 1)
    ? whole
    : undefined
}
