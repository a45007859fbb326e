import type { Dispatcher } from 'undici'

/** Dates count from the reply's `date`. */
export function retryAfterMs(headers: Dispatcher.ResponseData['headers']): number | undefined {
  // OpenAI's servers send it (github.com/openai/openai-node, src/client.ts).
  const exact = numberOf(headers['retry-after-ms'])
  if (exact !== undefined) return exact
  const value = headers['retry-after']
  const seconds = numberOf(value)
  if (seconds !== undefined) return Math.round(seconds * 1000)
  const wait = Date.parse(String(value)) - Date.parse(String(headers.date))
  return Number.isNaN(wait) ? undefined : Math.max(0, wait)
}

/** Undefined also for too many digits. */
function numberOf(value: string | string[] | undefined): number | undefined {
  if (typeof value !== 'string' || !/^\s*\d+(\.\d+)?\s*$/.test(value)) return undefined
  return Number(value) <= MAX_WAIT ? Number(value) : undefined
}

/** 300 years in seconds. */
const MAX_WAIT = 10_000_000_000
