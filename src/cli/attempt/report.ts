import type { AuditRow } from '../../db/access/audit.ts'
import type { AttemptRow, LedgerRow, ResultAddressRow } from '../../db/tables/tables.ts'
import type { AttemptState, Charged, LedgerKind, LedgerSource, WirePhase } from '../../domain.ts'
import { adviceOf } from '../../engine/attempts/advice.ts'
import type { Resolution } from '../../engine/attempts/resolve.ts'
import { formatUsd } from '../../money.ts'
import { countOrDash, formatMs } from '../format.ts'
import type { Paint } from '../screen.ts'
import { indented, renderFacts } from '../table.ts'
import type { Evidence } from './evidence.ts'

/** Charge, evidence, next steps. */
export function report(evidence: Evidence, now: number, paint: Paint): string {
  const { attempt, task, lines, decisions, addresses } = evidence
  const { text, format } = VERDICTS[attempt.charged]
  const facts = [
    ...factsOf(evidence, now),
    ...addresses.map(addressFact),
    ...lines.map(ledgerFact),
    ...decisions.map(decisionFact),
  ]
  const title = `Attempt ${attempt.number} of ${task.id} at ${attempt.provider}: ${paint(format, text)}`
  const advice = adviceFor(evidence).map((line) => `${line === '' ? '' : `  ${line}`}\n`)
  return `${title}\n\n${indented(renderFacts(facts, paint))}\n${advice.join('')}`
}

const VERDICTS: Record<Charged, { text: string; format: 'green' | 'yellow' | 'bold' }> = {
  NO: { text: 'NOT CHARGED', format: 'green' },
  UNKNOWN: { text: 'MAY HAVE BEEN CHARGED', format: 'yellow' },
  YES: { text: 'CHARGED', format: 'bold' },
}

function factsOf({ attempt, task, lines, callbacks, images }: Evidence, now: number): [string, string][] {
  const { error } = attempt
  return [
    ['State', `${attempt.state}: ${STATES[attempt.state]}`],
    ['Progress', `${attempt.wirePhase}: ${phaseOf(attempt)}`],
    ['Sent', attempt.sentAt === null ? 'no' : formatTime(attempt.sentAt, now)],
    ['Finished', attempt.finishedAt === null ? 'no' : formatTime(attempt.finishedAt, now)],
    ['HTTP status', attempt.httpStatus === null ? 'none' : String(attempt.httpStatus)],
    ['Provider IDs', idsOf(attempt)],
    ['Reference', `${attempt.id}, sent if the provider has a field for it`],
    ['Callbacks', String(callbacks)],
    ['Error', error === null ? 'none' : `${error.code}: ${error.message}`],
    ['Usage', usageOf(attempt)],
    ['Cost', costOf(attempt, lines)],
    ...policyFact(attempt),
    ['Stored images', String(images)],
    ['Task', `${task.status}, ${task.chargesOpen} of ${task.maxCharges * task.parts} permitted charges used`],
  ]
}

const STATES: Record<AttemptState, string> = {
  PLANNED: 'queued, not sent yet',
  LEASED: 'claimed by a worker, not sent yet',
  SENDING: 'a worker is sending it, or died while sending it',
  ACCEPTED: 'accepted by the provider, which is polled for the result',
  FETCHING: 'the provider has made its images, which are downloaded from their addresses',
  UNKNOWN: 'the outcome is unknown; it is not sent again automatically',
  SUCCEEDED: 'its images are stored',
  REJECTED: 'refused by the provider without a charge',
  NOT_SENT: 'given up before anything was sent',
  FAILED: 'ended without usable images',
  CANCELED: 'canceled before it was sent',
}

const PHASES: Record<WirePhase, string> = {
  NONE: 'nothing was sent',
  INTENT: 'about to be sent; it is not on record whether it was',
  DISPATCHED: 'the request was sent; no response was received',
  HEADERS: 'the response started; its end was not received',
  BODY_DONE: 'the whole response was received',
}

function phaseOf({ state, wirePhase }: AttemptRow): string {
  // Stored when a step ends: the attempt may have got further.
  return wirePhase === 'INTENT' && state === 'SENDING'
    ? 'about to be sent; it may have got further by now'
    : PHASES[wirePhase]
}

function idsOf({ remoteId, providerRequestId }: AttemptRow): string {
  const ids = [remoteId && `remote ID ${remoteId}`, providerRequestId && `request ID ${providerRequestId}`]
  return ids.filter(Boolean).join(', ') || 'none'
}

function usageOf({ usageSource, inputTokens, outputTokens, totalTokens }: AttemptRow): string {
  if (usageSource === 'UNKNOWN') return 'unknown'
  const [input, output, total] = [inputTokens, outputTokens, totalTokens].map(countOrDash)
  const source = usageSource === 'REPORTED' ? 'reported by the provider' : 'estimated'
  return `${input} tokens in, ${output} out, ${total} in total, ${source}`
}

function policyFact({ chargePolicy }: AttemptRow): [string, string][] {
  if (chargePolicy === null) return []
  return [
    [
      'Charge decided by',
      `charges.${chargePolicy.toLowerCase()} in the configuration; the evidence is UNKNOWN`,
    ],
  ]
}

function costOf(
  { charged, costMicros, estimatedMicros, priceVersion }: AttemptRow,
  lines: readonly LedgerRow[],
): string {
  if (charged === 'NO') return 'none'
  if (costMicros === null)
    return estimatedMicros === null ? 'unknown' : `unknown, estimated at ${formatUsd(estimatedMicros)}`
  const source = lines.findLast(({ kind }) => kind === 'POST' || kind === 'ADJUST')?.source ?? null
  const list = source === 'PRICE' && priceVersion !== null ? ` ${priceVersion}` : ''
  return `${formatUsd(costMicros)}${source === null ? '' : `, ${SOURCES[source]}${list}`}`
}

const SOURCES: Record<LedgerSource, string> = {
  PRICE: 'by price list',
  REPORTED: 'reported by the provider',
  OPERATOR: 'entered by an operator',
  BILL: 'from a bill of the provider',
  ESTIMATE: 'estimated',
}

function addressFact({ url, position, tries, problem }: ResultAddressRow): [string, string] {
  const failures = problem === null ? 'not tried yet' : `tried ${tries} times: ${problem}`
  return ['Address', `${url} (image ${position + 1}, ${failures})`]
}

function ledgerFact({ kind, amountMicros, at, source }: LedgerRow): [string, string] {
  const amount = amountMicros === null ? 'an unknown amount' : formatUsd(amountMicros)
  const origin = source === null ? '' : `, ${SOURCES[source]}`
  return ['Ledger', `${new Date(at).toISOString()} ${kind} ${amount}: ${LINES[kind]}${origin}`]
}

const LINES: Record<LedgerKind, string> = {
  HOLD: 'its maximum cost',
  POST: 'its cost',
  VOID: 'released, because it was not charged',
  ADJUST: 'a correction',
}

function decisionFact({ at, detail, action }: AuditRow): [string, string] {
  const note = detail['note'] ? `: "${detail['note']}"` : ''
  const cost = detail['costMicros'] == null ? '' : ` to ${formatUsd(BigInt(detail['costMicros']))}`
  return ['Decision', `${new Date(at).toISOString()} ${detail['is'] ?? action}${cost}${note}`]
}

function formatTime(at: number, now: number): string {
  return `${new Date(at).toISOString()}, ${formatMs(Math.max(0, now - at))} ago`
}

function adviceFor({ attempt, task, addresses, provider, decisions }: Evidence): string[] {
  const advice = adviceOf(attempt, { provider, addresses: addresses.length })
  const { text, resolutions, canFetch, isRetryPaid } = advice
  return [
    text,
    ...(resolutions.length > 0 ? [''] : []),
    ...resolutions.flatMap((resolution) => [
      `  resolveAttempt(input: { id: "${attempt.id}", resolution: ${RESOLUTIONS[resolution].words} })`,
      `    ${RESOLUTIONS[resolution].effect}`,
    ]),
    ...(canFetch
      ? [`To have it downloaded now, free of charge: darkroom attempt ${attempt.id} --fetch`]
      : []),
    ...(isRetryPaid
      ? [
          `To pay for another attempt: retryTask(input: { id: "${task.id}", acceptPossibleSecondCharge: true })`,
        ]
      : []),
    ...(resolutions.length > 0 ? ['', 'A result or callback that arrives late is still accepted.'] : []),
    ...(resolutions.length > 0 && decisions.length > 0
      ? ['An operator has decided about this attempt before: see Decision.']
      : []),
  ]
}

const RESOLUTIONS: Record<Resolution['is'], { words: string; effect: string }> = {
  NOT_CHARGED: {
    words: 'NOT_CHARGED',
    effect: 'It was not charged. The permit is returned, and the task is tried again.',
  },
  CHARGED_RESULT_LOST: {
    words: 'CHARGED_RESULT_LOST',
    effect: 'It was charged, and the images are lost. The task fails.',
  },
  ADOPT_REMOTE_ID: {
    words: 'ADOPT_REMOTE_ID, remoteId: "…"',
    effect: 'The provider has this remote ID. The result is fetched from there.',
  },
}

/** For programs. Times are ISO 8601; amounts are micro-USD, null if unknown. */
export function reportData({
  attempt,
  task,
  lines,
  decisions,
  addresses,
  callbacks,
  images,
  provider,
}: Evidence) {
  const { id, number, state, wirePhase, charged, error, remoteId, providerRequestId, httpStatus } = attempt
  const { costMicros, estimatedMicros, sentAt, finishedAt } = attempt
  const advice = adviceOf(attempt, { provider, addresses: addresses.length })
  return {
    id,
    task: { id: task.id, status: task.status },
    number,
    provider: attempt.provider,
    charged,
    state,
    wirePhase,
    costMicros,
    estimatedMicros,
    httpStatus,
    remoteId,
    providerRequestId,
    error,
    sentAt: isoTime(sentAt),
    finishedAt: isoTime(finishedAt),
    callbacks,
    images,
    addresses: addresses.map(({ url, position, tries, problem }) => ({ url, position, tries, problem })),
    ledger: lines.map(({ kind, amountMicros, at }) => ({ kind, amountMicros, at: isoTime(at) })),
    decisions: decisions.map(({ at, action, detail }) => ({ at: isoTime(at), action, detail })),
    advice: { text: advice.text, resolutions: advice.resolutions },
  }
}

function isoTime(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString()
}
