import type { Dispatcher } from 'undici'

type Headers = Dispatcher.ResponseData['headers']

/**
 * How long the upstream asks us to wait, in milliseconds; undefined when it does not say. A date is read against the
 * reply's own `date`, so that neither its clock nor ours matters.
 */
export function retryAfterMs(headers: Headers): number | undefined {
  // Not in a standard: OpenAI's servers send it, and its SDKs prefer it (github.com/openai/openai-node, src/client.ts).
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
