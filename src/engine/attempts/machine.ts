// The state machine of an attempt, pure. Only claims (db/attempts/claim.ts) and these transitions change the state.
//
//   PLANNED → LEASED → SENDING → ACCEPTED
//                         └────────┴──→ SUCCEEDED | REJECTED | FAILED | UNKNOWN
//   SENDING, ACCEPTED, UNKNOWN → FETCHING → SUCCEEDED | FAILED      the result arrived as addresses
//   SENDING → NOT_SENT           provably no byte left
//   PLANNED, LEASED → CANCELED   nothing was sent; UNKNOWN after a restore from a backup
//   UNKNOWN → ACCEPTED | SUCCEEDED | …      late evidence counts, whichever worker holds the lease
//   FAILED, REJECTED, NOT_SENT → FETCHING | SUCCEEDED      a late image disproves them
import type { AttemptRow } from '../../db/tables/tables.ts'
import type { AttemptState, Charged, LedgerKind } from '../../domain.ts'

interface TransitionRule {
  from: readonly AttemptState[]
  /** BILLED: SUCCEEDED stays, other ends become FAILED. */
  to: AttemptState | 'SAME' | 'BILLED'
  charged: Charged | 'INPUT' | 'SAME'
}

/** Disproved by an image that another worker has received. */
const DISPROVED = ['FAILED', 'REJECTED', 'NOT_SENT'] as const

export const TRANSITIONS = {
  /** With a charge permit, committed before the first byte leaves. */
  send: { from: ['LEASED'], to: 'SENDING', charged: 'UNKNOWN' },
  release: { from: ['LEASED'], to: 'PLANNED', charged: 'NO' },
  /** From UNKNOWN: the remote id was found later. */
  accept: { from: ['SENDING', 'UNKNOWN'], to: 'ACCEPTED', charged: 'UNKNOWN' },
  scheduleCheck: { from: ['ACCEPTED'], to: 'ACCEPTED', charged: 'UNKNOWN' },
  /** The images are made. Their addresses are stored before the first download. */
  receive: { from: ['SENDING', 'ACCEPTED', 'UNKNOWN', ...DISPROVED], to: 'FETCHING', charged: 'YES' },
  /** After the end: an operator wants another try. */
  scheduleFetch: { from: ['FETCHING', 'FAILED', 'SUCCEEDED'], to: 'FETCHING', charged: 'YES' },
  succeed: {
    from: ['SENDING', 'ACCEPTED', 'FETCHING', 'UNKNOWN', ...DISPROVED],
    to: 'SUCCEEDED',
    charged: 'YES',
  },
  /** Refused, certainly free of charge. */
  reject: { from: ['SENDING', 'ACCEPTED', 'UNKNOWN'], to: 'REJECTED', charged: 'NO' },
  /** Decided by the worker that holds the lease. */
  giveUp: { from: ['LEASED', 'SENDING'], to: 'NOT_SENT', charged: 'NO' },
  /** Provably no byte left. */
  markNotSent: { from: ['SENDING', 'UNKNOWN'], to: 'NOT_SENT', charged: 'NO' },
  fail: { from: ['SENDING', 'ACCEPTED', 'FETCHING', 'UNKNOWN'], to: 'FAILED', charged: 'INPUT' },
  /** Never sent again without permission. */
  markUnknown: { from: ['SENDING', 'ACCEPTED'], to: 'UNKNOWN', charged: 'UNKNOWN' },
  /** It may have been sent after the backup. */
  restore: { from: ['PLANNED', 'LEASED'], to: 'UNKNOWN', charged: 'UNKNOWN' },
  /** Its remote id is known, but the part has another live attempt. */
  keepUnknown: { from: ['UNKNOWN'], to: 'UNKNOWN', charged: 'UNKNOWN' },
  cancel: { from: ['PLANNED', 'LEASED'], to: 'CANCELED', charged: 'NO' },
  adjustCost: { from: ['SUCCEEDED', 'FAILED'], to: 'SAME', charged: 'YES' },
  /** Posts an amount until the cost is known. */
  estimateCost: { from: ['SUCCEEDED', 'FAILED'], to: 'SAME', charged: 'SAME' },
  /** Its provider charged it, whatever is on record here. */
  bill: { from: ['SUCCEEDED', 'REJECTED', 'NOT_SENT', 'FAILED', 'CANCELED'], to: 'BILLED', charged: 'YES' },
  /** Its provider did not charge it. */
  waive: { from: ['FAILED'], to: 'SAME', charged: 'NO' },
} as const satisfies Record<string, TransitionRule>

export type Trigger = keyof typeof TRANSITIONS

/** `heldMicros`: worst case; unknown amounts are null. */
export type AttemptFacts = Pick<
  AttemptRow,
  'state' | 'charged' | 'heldMicros' | 'costMicros' | 'finishedAt'
> &
  Partial<Pick<AttemptRow, 'estimatedMicros' | 'billedWithoutPermit'>>

export interface TransitionInput {
  at: number
  /** For `fail`; default UNKNOWN. */
  charged?: Charged | undefined
  /** Absent: unchanged. */
  costMicros?: number | null | undefined
  /** For `estimateCost`. */
  estimatedMicros?: number | undefined
}

export interface Transition {
  set: Omit<AttemptFacts, 'heldMicros'>
  /** Takes an estimate back. Written before `line`. */
  reversal: { kind: LedgerKind; amountMicros: number } | null
  /** 1 takes a charge permit, -1 returns it. */
  permits: number
  line: { kind: LedgerKind; amountMicros: number | null } | null
}

const ENDED: ReadonlySet<AttemptState> = new Set(['SUCCEEDED', 'REJECTED', 'NOT_SENT', 'FAILED', 'CANCELED'])

/** Afterwards only the cost changes. */
export function hasEnded(state: AttemptState): boolean {
  return ENDED.has(state)
}

/** Queued or in progress. */
export function isLive(state: AttemptState): boolean {
  return state !== 'UNKNOWN' && !hasEnded(state)
}

/** Live, with work left to the provider: at most one per part. */
export function isUnanswered(state: AttemptState): boolean {
  return isLive(state) && state !== 'FETCHING'
}

export function isUnsent(state: AttemptState): boolean {
  return state === 'PLANNED' || state === 'LEASED'
}

/** Undefined if not allowed in this state. */
export function transition(
  attempt: AttemptFacts,
  trigger: Trigger,
  input: TransitionInput,
): Transition | undefined {
  const rule: TransitionRule = TRANSITIONS[trigger]
  if (!rule.from.includes(attempt.state)) return undefined
  const state = stateAfter(attempt, rule)
  const charged = chargeAfter(attempt, rule, input)
  const finishedAt = hasEnded(state) ? (attempt.finishedAt ?? input.at) : null
  const after: AttemptFacts = {
    ...attempt,
    state,
    charged,
    finishedAt,
    ...amountsAfter(attempt, trigger, input),
  }
  // A bill of nothing for what was not charged changes nothing.
  if (trigger === 'bill' && attempt.charged === 'NO' && !after.costMicros) return undefined
  if (trigger === 'estimateCost' && (!isHeld(attempt) || isHeld(after))) return undefined
  const permits = Number(holdsPermit(after)) - Number(holdsPermit(attempt))
  if (permits <= 0 || trigger === 'send' || trigger === 'restore') return change(attempt, after, permits)
  // A permit is taken only before anything can have been sent. Bills and images are facts, with or without
  // one. A returned hold cannot be held again: the cost must be known.
  return FACTS.has(trigger) && after.costMicros !== null
    ? change(attempt, { ...after, billedWithoutPermit: true }, 0)
    : undefined
}

const FACTS: ReadonlySet<Trigger> = new Set(['bill', 'receive', 'succeed'])

function stateAfter({ state }: AttemptFacts, { to }: TransitionRule): AttemptState {
  if (to === 'BILLED') return state === 'SUCCEEDED' ? state : 'FAILED'
  return to === 'SAME' ? state : to
}

function chargeAfter(
  attempt: AttemptFacts,
  { charged }: TransitionRule,
  input: TransitionInput,
): AttemptFacts['charged'] {
  if (charged === 'SAME') return attempt.charged
  return charged === 'INPUT' ? (input.charged ?? 'UNKNOWN') : charged
}

function amountsAfter(
  { state, costMicros, estimatedMicros }: AttemptFacts,
  trigger: Trigger,
  input: TransitionInput,
): Pick<AttemptFacts, 'costMicros' | 'estimatedMicros'> {
  // A posted cost becomes 0, so that its lines still sum to it.
  if (trigger === 'waive') return { costMicros: costMicros === null ? null : 0, estimatedMicros: null }
  if (trigger === 'estimateCost') return { costMicros, estimatedMicros: input.estimatedMicros ?? null }
  // A price does not replace the bill of an ended attempt.
  const isLate = hasEnded(state) && (trigger === 'receive' || trigger === 'succeed')
  const known =
    input.costMicros === undefined || (isLate && costMicros !== null) ? costMicros : input.costMicros
  return { costMicros: known, ...(estimatedMicros != null && known !== null && { estimatedMicros: null }) }
}

function change(before: AttemptFacts, after: AttemptFacts, permits: number): Transition {
  const { state, charged, costMicros, estimatedMicros, billedWithoutPermit, finishedAt } = after
  const set = {
    state,
    charged,
    costMicros,
    finishedAt,
    ...(estimatedMicros !== undefined && { estimatedMicros }),
    ...(billedWithoutPermit !== undefined && { billedWithoutPermit }),
  }
  return { set, permits, reversal: reversalOf(before, after), line: lineOf(before, after) }
}

/** Whether a charge permit counts it. */
export function holdsPermit({ charged, billedWithoutPermit }: AttemptFacts): boolean {
  return charged !== 'NO' && billedWithoutPermit !== true
}

/** Whether its worst case is held: it may cost something, but no amount is posted. */
export function isHeld({
  state,
  charged,
  costMicros,
  estimatedMicros,
}: Omit<AttemptFacts, 'finishedAt' | 'heldMicros'>): boolean {
  return costMicros === null && estimatedMicros == null && !(hasEnded(state) && charged === 'NO')
}

export function firstLine({ heldMicros }: Pick<AttemptFacts, 'heldMicros'>): NonNullable<Transition['line']> {
  return { kind: 'HOLD', amountMicros: heldMicros }
}

function reversalOf(before: AttemptFacts, after: AttemptFacts): Transition['reversal'] {
  if (!before.estimatedMicros || after.estimatedMicros != null) return null
  return { kind: 'ADJUST', amountMicros: -before.estimatedMicros }
}

function lineOf(before: AttemptFacts, after: AttemptFacts): Transition['line'] {
  if (isHeld(after)) return null
  if (isHeld(before)) {
    return after.charged === 'NO'
      ? { kind: 'VOID', amountMicros: before.heldMicros }
      : { kind: 'POST', amountMicros: after.costMicros ?? after.estimatedMicros ?? null }
  }
  const difference = (after.costMicros ?? 0) - (before.costMicros ?? 0)
  return difference === 0 ? null : { kind: 'ADJUST', amountMicros: difference }
}
