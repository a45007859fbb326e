// The life of an attempt. Claims and these moves are the only ways its state changes; each is a compare-and-set, so an
// arrow that is not here cannot happen.
//
//   PLANNED → LEASED → SENDING → ACCEPTED
//                         └────────┴──→ SUCCEEDED | REJECTED | FAILED | UNKNOWN
//   SENDING → NOT_SENT           provably nothing left
//   UNKNOWN → ACCEPTED | SUCCEEDED | …      late news is believed: proof beats ownership
import type { AttemptState } from '../domain.ts'

interface Move {
  from: readonly AttemptState[]
  to: AttemptState
}

export const MOVES = {
  /** Intent: committed before the first byte leaves, together with a charge permit. */
  send: { from: ['LEASED'], to: 'SENDING' },
  /** The lease was lost or given up before anything was sent. */
  release: { from: ['LEASED'], to: 'PLANNED' },
  /** The provider took it and will answer later. */
  accept: { from: ['SENDING', 'UNKNOWN'], to: 'ACCEPTED' },
  /** Still waiting for the provider. */
  wait: { from: ['ACCEPTED'], to: 'ACCEPTED' },
  succeed: { from: ['SENDING', 'ACCEPTED', 'UNKNOWN'], to: 'SUCCEEDED' },
  /** The provider said no, and certainly charges nothing. */
  reject: { from: ['SENDING', 'ACCEPTED', 'UNKNOWN'], to: 'REJECTED' },
  /** Given up before it was sent, under the lease of whoever gave it up. */
  giveUp: { from: ['LEASED', 'SENDING'], to: 'NOT_SENT' },
  /** Not one byte of the request left. */
  unsent: { from: ['SENDING', 'UNKNOWN'], to: 'NOT_SENT' },
  /** It ended badly and may have been charged. */
  fail: { from: ['SENDING', 'ACCEPTED', 'UNKNOWN'], to: 'FAILED' },
  /** Nobody can say how it ended. Never sent again without permission. */
  lose: { from: ['SENDING', 'ACCEPTED'], to: 'UNKNOWN' },
  /** The remote id of an attempt given up for lost turned up: it can be asked about again. */
  adopt: { from: ['UNKNOWN'], to: 'ACCEPTED' },
  /** Its remote id is known now, and there is no place for it any more. */
  stayLost: { from: ['UNKNOWN'], to: 'UNKNOWN' },
  /** Its owner changed their mind before anything was sent. */
  cancel: { from: ['PLANNED', 'LEASED'], to: 'CANCELED' },
} as const satisfies Record<string, Move>
