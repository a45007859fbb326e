// What must hold of attempts. Each answers the violations among the attempts of a page.
import type { IntegrityPage } from '../../../db/maintenance/integrity-pages.ts'
import type { AttemptState, Charged } from '../../../domain.ts'

/** How long a thing may lie that somebody should be taking care of. */
const PATIENCE_MS = 60_000

/** What an attempt in a state may say about its charge; a FAILED one may say anything. */
const CHARGES: Record<AttemptState, readonly Charged[]> = {
  PLANNED: ['NO'],
  LEASED: ['NO'],
  SENDING: ['UNKNOWN'],
  ACCEPTED: ['UNKNOWN'],
  UNKNOWN: ['UNKNOWN'],
  SUCCEEDED: ['YES'],
  REJECTED: ['NO'],
  NOT_SENT: ['NO'],
  FAILED: ['NO', 'UNKNOWN', 'YES'],
  CANCELED: ['NO'],
}
const OPEN: ReadonlySet<AttemptState> = new Set(['PLANNED', 'LEASED', 'SENDING', 'ACCEPTED', 'UNKNOWN'])
const LEASABLE: ReadonlySet<AttemptState> = new Set(['LEASED', 'SENDING', 'ACCEPTED'])

/** I1. */
export function chargeFollowsState({ attempts }: IntegrityPage): string[] {
  return attempts
    .filter(({ state, charged }) => !CHARGES[state].includes(charged))
    .map(({ id, state, charged }) => `${id} is ${state}, and charged is ${charged}`)
}

/** I11. */
export function leasesAreRenewed({ attempts, now }: IntegrityPage): string[] {
  return attempts
    .filter(({ leaseUntil }) => leaseUntil !== null && leaseUntil < now - PATIENCE_MS)
    .map(
      ({ id, state, leaseOwner, leaseUntil }) =>
        `${id} is ${state}, and ${leaseOwner} let go of it ${secondsSince(leaseUntil, now)} s ago: is a server running?`,
    )
}

/** I13. */
export function callbacksAreFollowed({ attempts, callbacks, now }: IntegrityPage): string[] {
  const called = new Set(
    callbacks.filter(({ receivedAt }) => receivedAt < now - PATIENCE_MS).map(({ attemptId }) => attemptId),
  )
  return attempts
    .filter(({ id, state, leaseOwner }) => called.has(id) && state === 'ACCEPTED' && leaseOwner === null)
    .filter(({ runAfter }) => runAfter < now - PATIENCE_MS)
    .map(
      ({ id, runAfter }) =>
        `${id} was called back about, and nobody has looked for ${secondsSince(runAfter, now)} s`,
    )
}

/** I17: the list for review goes by the moment of sending. */
export function unknownOutcomesAreListed({ attempts }: IntegrityPage): string[] {
  return attempts
    .filter(({ state, sentAt }) => state === 'UNKNOWN' && sentAt === null)
    .map(({ id }) => `${id} is UNKNOWN, and does not say when it was sent`)
}

/** I20. */
export function leaseAndEndFollowState({ attempts }: IntegrityPage): string[] {
  return attempts.flatMap(({ id, state, leaseOwner, finishedAt }) => [
    ...((finishedAt === null) === OPEN.has(state)
      ? []
      : [`${id} is ${state}, and finishedAt is ${finishedAt}`]),
    ...(leaseOwner === null || LEASABLE.has(state) ? [] : [`${id} is ${state} and leased to ${leaseOwner}`]),
  ])
}

function secondsSince(moment: number | null, now: number): number {
  return Math.round((now - (moment ?? now)) / 1000)
}
