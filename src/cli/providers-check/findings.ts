import { costMicros } from '../../engine/usage/cost.ts'
import { formatUsd } from '../../money.ts'
import { ProviderError } from '../../providers/error.ts'
import type { CallResult, Provider, ResolvedSettings } from '../../providers/provider.ts'
import { formatBytes } from '../../quantity.ts'
import { formatMs } from '../format.ts'
import { explain } from '../explain.ts'
import type { Trial } from './plan.ts'
import type { Ending } from './call.ts'
import type { Exchange } from './traffic.ts'

/** One fact: what came, and what the adapter expects. A note has no expectation. */
export interface Finding {
  verdict: 'good' | 'wrong' | 'note'
  what: string
  seen: string
  expected?: string
}

type Done = Extract<CallResult, { state: 'DONE' }>

/** What an order's end says about the account and its adapter. Free of secrets. */
export function findingsOf(trial: Trial, ending: Ending, provider: Provider): Finding[] {
  const ids: Finding[] = [
    { verdict: 'note', what: 'remote id', seen: ending.remoteId ?? 'none: answered at once' },
    { verdict: 'note', what: 'request id', seen: ending.providerRequestId ?? 'none' },
    { verdict: 'note', what: 'time', seen: `${formatMs(ending.ms)} of ${formatMs(provider.timeoutMs)}` },
  ]
  if (ending.error !== undefined) return [...failure(ending), ...ids]
  if (ending.answer?.state !== 'DONE') {
    return [
      { verdict: 'wrong', what: 'answer', seen: String(ending.answer?.state), expected: 'DONE' },
      ...ids,
    ]
  }
  return [
    ...pictures(trial, ending),
    ...money(trial, ending, ending.answer),
    ...chosen(trial, ending.answer.resolved),
    ...ids,
  ]
}

function failure({ error, phase }: Ending): Finding[] {
  const wire: Finding = { verdict: 'note', what: 'wire', seen: phase }
  if (!(error instanceof ProviderError))
    return [{ verdict: 'wrong', what: 'error', seen: explain(error), expected: 'a picture' }, wire]
  const { kind, code, message, charged } = error.failure
  return [
    { verdict: 'wrong', what: 'error', seen: message, expected: 'a picture' },
    { verdict: 'note', what: 'kind', seen: `${kind}, ${code}, charged ${charged}` },
    wire,
  ]
}

function pictures({ order }: Trial, { images }: Ending): Finding[] {
  const [first] = images
  const size = first ? `${first.width}x${first.height}` : 'none'
  const type = `image/${order.outputFormat.toLowerCase()}`
  return [
    compare('pictures', String(images.length), String(order.n)),
    order.size === 'auto' ? { verdict: 'note', what: 'size', seen: size } : compare('size', size, order.size),
    compare('format', first?.mimeType ?? 'none', type),
    { verdict: 'note', what: 'bytes', seen: formatBytes(first?.byteSize ?? 0) },
  ]
}

function compare(what: string, seen: string, expected: string): Finding {
  return { verdict: seen === expected ? 'good' : 'wrong', what, seen, expected }
}

// Not every upstream reports it, and adapters know that; what it costs is then unknown.
function money({ offer, order }: Trial, ending: Ending, { usage, resolved }: Done): Finding[] {
  const { size, quality } = { ...order, ...resolved }
  const cost = costMicros(usage, { images: ending.images.length, size, quality }, offer.price)
  const tokens = `${usage.inputTokens ?? '?'} tokens in, ${usage.outputTokens ?? '?'} out`
  const isTold = usage.source !== 'UNKNOWN'
  return [
    {
      verdict: isTold ? 'good' : 'note',
      what: 'usage',
      seen: isTold ? tokens : 'not reported: costs will be unknown',
    },
    { verdict: 'note', what: 'cost', seen: cost === null ? 'unknown' : formatUsd(cost) },
  ]
}

function chosen({ order }: Trial, resolved: ResolvedSettings): Finding[] {
  const { quality } = resolved
  const seen = Object.entries(resolved).map(([name, value]) => `${name} ${value}`)
  return [
    // Quality is what most upstreams bill by.
    ...(quality && order.quality !== 'AUTO' ? [compare('quality', quality, order.quality)] : []),
    ...(seen.length > 0 ? [{ verdict: 'note', what: 'chosen', seen: seen.join(', ') } as const] : []),
  ]
}

/** What the exchanges say by themselves: none when the provider paints in this process. */
export function wireFindings(exchanges: readonly Exchange[]): Finding[] {
  const replies = exchanges.filter(({ contentType }) => !contentType.startsWith('image/'))
  if (replies.length === 0) return []
  const statuses = [...new Set(exchanges.map(({ status }) => status))]
  const isFine = statuses.every((status) => status !== null && status >= 200 && status < 300)
  const types = [...new Set(replies.map(({ contentType }) => contentType || 'no type'))]
  const isRead = replies.every(({ fields }) => fields.length > 0)
  return [
    {
      verdict: isFine ? 'good' : 'wrong',
      what: 'status',
      seen: statuses.map((status) => status ?? 'none').join(', '),
      expected: '2xx',
    },
    {
      verdict: isRead ? 'good' : 'wrong',
      what: 'replies',
      seen: types.join(', '),
      expected: 'JSON, or a stream of events, whatever the type says',
    },
  ]
}
