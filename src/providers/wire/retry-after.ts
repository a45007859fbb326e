import type { Dispatcher } from 'undici'

/** A date counts from the reply's own `date`. */
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

function numberOf(value: string | string[] | undefined): number | undefined {
  return typeof value === 'string' && /^\s*\d+(\.\d+)?\s*$/.test(value) ? Number(value) : undefined
}
