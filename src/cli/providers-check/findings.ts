import { costMicros } from '../../engine/usage/cost.ts'
import { formatUsd } from '../../money.ts'
import { ProviderError } from '../../providers/error.ts'
import type { CallResult, Provider, ResolvedSettings } from '../../providers/provider.ts'
import { formatBytes } from '../../quantity.ts'
import { countOrDash, formatError, formatMs } from '../format.ts'
import type { CallOutcome } from './call.ts'
import type { PlannedCall } from './plan.ts'
import type { Exchange } from './traffic.ts'

/** `info`: without an expectation. */
export interface Finding {
  verdict: 'ok' | 'failed' | 'info'
  label: string
  value: string
  expected?: string
}

/** Compares the outcome with what the adapter expects. Without secrets. */
export function findingsOf(call: PlannedCall, outcome: CallOutcome, provider: Provider): Finding[] {
  const { result, error } = outcome
  const facts = [
    info('remote ID', outcome.remoteId ?? 'none: the result was returned directly'),
    info('request ID', outcome.providerRequestId ?? 'none'),
    info('time', `${formatMs(outcome.ms)}; the timeout is ${formatMs(provider.timeoutMs)}`),
  ]
  if (error !== undefined || result?.state !== 'DONE') return [...failureFindings(outcome), ...facts]
  return [
    ...imageFindings(call, outcome),
    ...usageFindings(call, outcome, result),
    ...resolvedFindings(call, result.resolved),
    ...facts,
  ]
}

function failureFindings({ error, phase }: CallOutcome): Finding[] {
  const failure = error instanceof ProviderError ? error.failure : undefined
  return [
    compare('error', failure ? failure.message : formatError(error), 'an image', false),
    ...(failure ? [info('failure', `${failure.kind}, ${failure.code}, charged: ${failure.charged}`)] : []),
    info('progress', phase),
  ]
}

function imageFindings({ request }: PlannedCall, { images }: CallOutcome): Finding[] {
  const [first] = images
  const size = first ? `${first.width}x${first.height}` : 'none'
  return [
    compare('images', String(images.length), String(request.n)),
    request.size === 'auto' ? info('size', size) : compare('size', size, request.size),
    compare('format', first?.mimeType ?? 'none', `image/${request.outputFormat.toLowerCase()}`),
    info('bytes', formatBytes(first?.byteSize ?? 0)),
  ]
}

/** Missing usage is no failure. */
function usageFindings(
  { offer, request }: PlannedCall,
  { images }: CallOutcome,
  { usage, resolved }: Extract<CallResult, { state: 'DONE' }>,
): Finding[] {
  const { size, quality } = { ...request, ...resolved }
  const cost = costMicros(usage, { images: images.length, size, quality }, offer.price)
  const tokens = `${countOrDash(usage.inputTokens)} tokens in, ${countOrDash(usage.outputTokens)} out`
  return [
    usage.source === 'UNKNOWN'
      ? info('usage', 'not reported: costs will be unknown')
      : { verdict: 'ok', label: 'usage', value: tokens },
    info('cost', cost === null ? 'unknown' : formatUsd(cost)),
  ]
}

function resolvedFindings({ request }: PlannedCall, resolved: ResolvedSettings): Finding[] {
  const values = Object.entries(resolved).map(([name, value]) => `${name} ${value}`)
  return [
    // Most providers bill by quality.
    ...(resolved.quality && request.quality !== 'AUTO'
      ? [compare('quality', resolved.quality, request.quality)]
      : []),
    ...(values.length > 0 ? [info('settings', values.join(', '))] : []),
  ]
}

export function exchangeFindings(exchanges: readonly Exchange[]): Finding[] {
  const replies = exchanges.filter(({ contentType }) => !contentType.startsWith('image/'))
  if (replies.length === 0) return []
  const statuses = [...new Set(exchanges.map(({ status }) => status))]
  const types = [...new Set(replies.map(({ contentType }) => contentType || 'no content type'))]
  const isOk = statuses.every((status) => status !== null && status >= 200 && status < 300)
  const isReadable = replies.every(({ fields }) => fields.length > 0)
  return [
    compare('status', statuses.map((status) => status ?? 'none').join(', '), '2xx', isOk),
    compare('responses', types.join(', '), 'JSON or server-sent events', isReadable),
  ]
}

function info(label: string, value: string): Finding {
  return { verdict: 'info', label, value }
}

function compare(label: string, value: string, expected: string, isExpected = value === expected): Finding {
  return { verdict: isExpected ? 'ok' : 'failed', label, value, expected }
}
