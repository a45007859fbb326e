// The life of an attempt, whole and pure: a state and a trigger make a new state and what is written with it. Claims
// (db/claim.ts) and these moves are the only ways its state changes; an arrow that is not here cannot happen.
//
//   PLANNED → LEASED → SENDING → ACCEPTED
//                         └────────┴──→ SUCCEEDED | REJECTED | FAILED | UNKNOWN
//   SENDING → NOT_SENT           provably nothing left
//   PLANNED, LEASED → CANCELED   nothing was sent yet; UNKNOWN after a backup was restored
//   UNKNOWN → ACCEPTED | SUCCEEDED | …      late evidence is accepted: proof beats ownership
import type { AttemptState, Charged, LedgerKind } from '../../domain.ts'

/** One arrow of the machine, and what an attempt says of its charge behind it; GIVEN when the transition input has it. */
interface Move {
  from: readonly AttemptState[]
  to: AttemptState | 'SAME'
  charged: Charged | 'GIVEN'
}

export const MOVES = {
  /** Intent: committed before the first byte leaves, together with a charge permit. */
  send: { from: ['LEASED'], to: 'SENDING', charged: 'UNKNOWN' },
  /** The lease was lost or given up before anything was sent. */
  release: { from: ['LEASED'], to: 'PLANNED', charged: 'NO' },
  /** The provider took it and will answer later; or its remote id turned up after it was given up for lost. */
  accept: { from: ['SENDING', 'UNKNOWN'], to: 'ACCEPTED', charged: 'UNKNOWN' },
  /** Still waiting for the provider. */
  wait: { from: ['ACCEPTED'], to: 'ACCEPTED', charged: 'UNKNOWN' },
  succeed: { from: ['SENDING', 'ACCEPTED', 'UNKNOWN'], to: 'SUCCEEDED', charged: 'YES' },
  /** The provider said no, and certainly charges nothing. */
  reject: { from: ['SENDING', 'ACCEPTED', 'UNKNOWN'], to: 'REJECTED', charged: 'NO' },
  /** Given up before it was sent, under the lease of whoever gave it up. */
  giveUp: { from: ['LEASED', 'SENDING'], to: 'NOT_SENT', charged: 'NO' },
  /** Not one byte of the request left. */
  unsent: { from: ['SENDING', 'UNKNOWN'], to: 'NOT_SENT', charged: 'NO' },
  /** It ended badly and may have been charged. */
  fail: { from: ['SENDING', 'ACCEPTED', 'UNKNOWN'], to: 'FAILED', charged: 'GIVEN' },
  /** Nobody can say how it ended. Never sent again without permission. */
  lose: { from: ['SENDING', 'ACCEPTED'], to: 'UNKNOWN', charged: 'UNKNOWN' },
  /** A backup was restored: the attempt may have been sent after the backup was made. */
  presumeSent: { from: ['PLANNED', 'LEASED'], to: 'UNKNOWN', charged: 'UNKNOWN' },
  /** Its remote id is known now, and there is no place for it any more. */
  stayLost: { from: ['UNKNOWN'], to: 'UNKNOWN', charged: 'UNKNOWN' },
  /** Its owner changed their mind before anything was sent. */
  cancel: { from: ['PLANNED', 'LEASED'], to: 'CANCELED', charged: 'NO' },
  /** Somebody read the provider's bill: the state stays, the cost is theirs. */
  bill: { from: ['SUCCEEDED', 'FAILED'], to: 'SAME', charged: 'YES' },
} as const satisfies Record<string, Move>

export type Trigger = keyof typeof MOVES

/** What the machine knows of an attempt. */
export interface AttemptFacts {
  state: AttemptState
  charged: Charged
  /** The most it could cost; null when nobody knows. */
  heldMicros: number | null
  /** Null while its cost is unknown. */
  costMicros: number | null
  /** Null until it has ended. */
  finishedAt: number | null
}

/** What a trigger carries. */
export interface TransitionInput {
  at: number
  /** For `fail`. */
  charged?: Charged
  /** Left out while nothing new is known. */
  costMicros?: number | null
}

/** What is written with a move, in one transaction. */
export interface Transition {
  /** Columns of the attempt. */
  set: { state: AttemptState; charged: Charged; costMicros: number | null; finishedAt: number | null }
  /** Charge permits of its task that it takes (1) or gives back (-1). */
  permits: number
  /** Its line in the ledger; null for none. */
  line: { kind: LedgerKind; amountMicros: number | null } | null
}

/** True for the states that no attempt leaves; only its cost may still be put right there. */
export function hasEnded(state: AttemptState): boolean {
  return ENDS.has(state)
}

/** True for an attempt that is under way or waits to be; there is one at most for each part of a task. */
export function isLive(state: AttemptState): boolean {
  return state !== 'UNKNOWN' && !hasEnded(state)
}

/** True for an attempt that waits to be sent: it can still be canceled free of charge. */
export function isUnsent(state: AttemptState): boolean {
  return state === 'PLANNED' || state === 'LEASED'
}

const ENDS: ReadonlySet<AttemptState> = new Set(['SUCCEEDED', 'REJECTED', 'NOT_SENT', 'FAILED', 'CANCELED'])

/** Where a trigger takes an attempt and what is written with it; undefined when it cannot happen there. */
export function transition(
  attempt: AttemptFacts,
  trigger: Trigger,
  input: TransitionInput,
): Transition | undefined {
  const move: Move = MOVES[trigger]
  if (!move.from.includes(attempt.state)) return undefined
  const state = move.to === 'SAME' ? attempt.state : move.to
  const charged = move.charged === 'GIVEN' ? (input.charged ?? 'UNKNOWN') : move.charged
  const costMicros = input.costMicros === undefined ? attempt.costMicros : input.costMicros
  const finishedAt = hasEnded(state) ? (attempt.finishedAt ?? input.at) : null
  const after: AttemptFacts = { ...attempt, state, charged, costMicros, finishedAt }
  const permits = permitsOf(after) - permitsOf(attempt)
  // A permit is taken before anything can have been sent, or never.
  if (permits > 0 && trigger !== 'send' && trigger !== 'presumeSent') return undefined
  return { set: { state, charged, costMicros, finishedAt }, permits, line: lineOf(attempt, after) }
}

/** The charge permits of its task that it holds: one as soon as it may have been charged. */
function permitsOf({ charged }: AttemptFacts): number {
  return charged === 'NO' ? 0 : 1
}

/** Whether its worst case is still held: it may yet cost something, and nobody knows what. */
export function isHeld({ state, charged, costMicros }: Omit<AttemptFacts, 'finishedAt'>): boolean {
  return costMicros === null && !(hasEnded(state) && charged === 'NO')
}

/** The first line of every attempt. */
export function firstLine({ heldMicros }: Pick<AttemptFacts, 'heldMicros'>): NonNullable<Transition['line']> {
  return { kind: 'HOLD', amountMicros: heldMicros }
}

function lineOf(before: AttemptFacts, after: AttemptFacts): Transition['line'] {
  if (isHeld(after)) return null
  if (isHeld(before)) {
    return after.charged === 'NO'
      ? { kind: 'VOID', amountMicros: before.heldMicros }
      : { kind: 'POST', amountMicros: after.costMicros }
  }
  const difference = (after.costMicros ?? 0) - (before.costMicros ?? 0)
  return difference === 0 ? null : { kind: 'ADJUST', amountMicros: difference }
}
