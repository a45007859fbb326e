import { formatDuration } from '../format/time.ts'
import type { ProviderStats } from './use-providers.ts'

/** Of the attempts that ended; `none` without one. */
export function successText({ succeeded, failedUncharged, unknown }: ProviderStats): string {
  const ended = succeeded + failedUncharged + unknown
  if (ended === 0) return 'none sent'
  const percent = Math.floor((succeeded / ended) * 1_000) / 10
  return `${percent} % of ${ended}`
}

export function timesText({ p50Ms, p95Ms }: ProviderStats): string {
  if (p50Ms === null || p95Ms === null) return 'no success yet'
  return `${formatDuration(p50Ms)} / ${formatDuration(p95Ms)}`
}
