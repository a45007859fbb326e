// An attempt on one screen: first whether it cost money, then what shows it, then what to do.
import type { AuditRow } from '../../db/access/audit.ts'
import type { AttemptRow, LedgerRow } from '../../db/tables/tables.ts'
import type { AttemptState, Charged, LedgerKind, WirePhase } from '../../domain.ts'
import { formatUsd } from '../../money.ts'
import { countOrDash, formatMs } from '../format.ts'
import type { Paint } from '../screen.ts'
import { renderFacts } from '../table.ts'
import { adviceFor } from './advice.ts'
import type { Evidence } from './evidence.ts'

/** What `darkroom attempt` prints. `now` is in milliseconds since 1970. */
export function report(evidence: Evidence, now: number, paint: Paint): string {
  const { attempt, task } = evidence
  const { word, format } = VERDICTS[attempt.charged]
  const rows = [...rowsOf(evidence, now), ...evidence.lines.map(lineOf), ...evidence.decisions.map(rowOf)]
  return `${[
    `Attempt ${attempt.number} of ${task.id} at ${attempt.provider}: ${paint(format, word)}`,
    '',
    ...renderFacts(rows, paint).map((line) => `  ${line}`),
    '',
    ...adviceFor(evidence).map((line) => (line === '' ? '' : `  ${line}`)),
  ].join('\n')}\n`
}

const VERDICTS: Record<Charged, { word: string; format: 'green' | 'yellow' | 'bold' }> = {
  NO: { word: 'NOT CHARGED', format: 'green' },
  UNKNOWN: { word: 'MAY HAVE BEEN CHARGED', format: 'yellow' },
  YES: { word: 'CHARGED', format: 'bold' },
}

function rowsOf({ attempt, task, callbacks, images }: Evidence, now: number): [string, string][] {
  const { error } = attempt
  return [
    ['State', `${attempt.state}: ${STATES[attempt.state]}`],
    ['How far it got', `${attempt.wirePhase}: ${phaseOf(attempt)}`],
    ['Sent', attempt.sentAt === null ? 'never' : moment(attempt.sentAt, now)],
    ['Ended', attempt.finishedAt === null ? 'not yet' : moment(attempt.finishedAt, now)],
    ['HTTP status', attempt.httpStatus === null ? 'none was seen' : String(attempt.httpStatus)],
    ["Upstream's ids", idsOf(attempt)],
    ['Our reference', `${attempt.id}, sent along where the upstream has a field for one`],
    ['Called back', callbacks === 0 ? 'no' : `${callbacks} ${callbacks === 1 ? 'time' : 'times'}`],
    ['Error', error === null ? 'none' : `${error.code}: ${error.message}`],
    ['Usage', usageOf(attempt)],
    ['Cost', costOf(attempt)],
    ['Images stored', String(images)],
    [
      'Its task',
      `${task.status}, ${task.chargesOpen} of ${task.maxCharges * task.parts} permitted charges taken`,
    ],
  ]
}

const STATES: Record<AttemptState, string> = {
  PLANNED: 'it waits in the queue, nothing has been sent',
  LEASED: 'a worker has taken it up and has not sent it yet',
  SENDING: 'a worker is sending it, or died while it did',
  ACCEPTED: 'the upstream took it and is asked how it goes',
  UNKNOWN: 'nobody can say how it ended; it is not sent again by itself',
  SUCCEEDED: 'its images came and are stored',
  REJECTED: 'the upstream said no, and charges nothing for that',
  NOT_SENT: 'it was given up before a byte of it left',
  FAILED: 'it ended without usable images',
  CANCELED: 'its owner stopped it before it was sent',
}

const PHASES: Record<WirePhase, string> = {
  NONE: 'nothing was sent, no byte of it left this machine',
  INTENT: 'sending it was decided; whether it left is not on record',
  DISPATCHED: 'the request left; no answer was seen',
  HEADERS: 'an answer had begun; its end was not seen',
  BODY_DONE: 'the whole answer was received',
}

function phaseOf({ state, wirePhase }: AttemptRow): string {
  // Written down with the end of a step: while one runs, or after a crash, it may have got further.
  return wirePhase === 'INTENT' && state === 'SENDING'
    ? 'sending it was decided; it may be further by now'
    : PHASES[wirePhase]
}

function idsOf({ remoteId, providerRequestId }: AttemptRow): string {
  const ids = [
    ...(remoteId === null ? [] : [`order ${remoteId}`]),
    ...(providerRequestId === null ? [] : [`request ${providerRequestId}`]),
  ]
  return ids.join(', ') || 'it gave none'
}

function usageOf({ usageSource, inputTokens, outputTokens, totalTokens }: AttemptRow): string {
  if (usageSource === 'UNKNOWN') return 'unknown'
  const [input, output, total] = [inputTokens, outputTokens, totalTokens].map(countOrDash)
  const source = usageSource === 'REPORTED' ? 'as the upstream reported' : 'estimated'
  return `${input} tokens in, ${output} out, ${total} together, ${source}`
}

function costOf({ charged, costMicros, priceVersion }: AttemptRow): string {
  if (charged === 'NO') return 'nothing'
  if (costMicros === null) return 'unknown'
  return `${formatUsd(costMicros)}${priceVersion === null ? '' : `, by the prices of ${priceVersion}`}`
}

function lineOf({ kind, amountMicros, at }: LedgerRow): [string, string] {
  const amount = amountMicros === null ? 'an unknown amount' : formatUsd(amountMicros)
  return ['Ledger', `${new Date(at).toISOString()} ${kind} ${amount}${LINES[kind]}`]
}

const LINES: Record<LedgerKind, string> = {
  HOLD: ', the most it could cost',
  POST: ', its cost',
  VOID: ', free again: it cost nothing',
  ADJUST: ', a correction',
}

function rowOf({ at, detail, action }: AuditRow): [string, string] {
  const note = detail['note'] ? `: “${detail['note']}”` : ''
  const cost = detail['costMicros'] == null ? '' : ` to ${formatUsd(BigInt(detail['costMicros']))}`
  return ['Decision', `${new Date(at).toISOString()} ${detail['is'] ?? action}${cost}${note}`]
}

function moment(at: number, now: number): string {
  return `${new Date(at).toISOString()}, ${formatMs(Math.max(0, now - at))} ago`
}
