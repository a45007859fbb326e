import type { AttemptState, Charged } from '../../../domain.ts'
import { hasEnded } from '../../attempts/machine.ts'
import { ensure, type Invariant } from './invariant.ts'

/** How long recovery and checks may take. */
const MAX_DELAY_MS = 60_000

const CHARGES: Record<AttemptState, readonly Charged[]> = {
  PLANNED: ['NO'],
  LEASED: ['NO'],
  SENDING: ['UNKNOWN'],
  ACCEPTED: ['UNKNOWN'],
  FETCHING: ['YES'],
  UNKNOWN: ['UNKNOWN'],
  SUCCEEDED: ['YES'],
  REJECTED: ['NO'],
  NOT_SENT: ['NO'],
  FAILED: ['NO', 'UNKNOWN', 'YES'],
  CANCELED: ['NO'],
}
const LEASABLE: ReadonlySet<AttemptState> = new Set(['LEASED', 'SENDING', 'ACCEPTED', 'FETCHING'])

/** After the end: images never downloaded. */
const ADDRESSED: ReadonlySet<AttemptState> = new Set(['FETCHING', 'FAILED', 'SUCCEEDED'])

export const ATTEMPT_INVARIANTS: readonly Invariant[] = [
  {
    id: 'I1',
    sentence: 'What was sent counts as possibly charged until its outcome is known',
    checkPage: ({ attempts }) =>
      attempts.flatMap(({ id, state, charged }) =>
        ensure(CHARGES[state].includes(charged), `${id} is ${state}, but charged is ${charged}`),
      ),
  },
  {
    id: 'I11',
    sentence: 'An expired lease is recovered within a minute',
    checkPage: ({ attempts, now }) =>
      attempts
        .filter(({ leaseUntil }) => leaseUntil !== null && leaseUntil < now - MAX_DELAY_MS)
        .map(({ id, state, leaseOwner, leaseUntil }) => {
          const seconds = secondsSince(leaseUntil, now)
          return `${id} is ${state}; the lease of ${leaseOwner} expired ${seconds} s ago. Is a server running?`
        }),
  },
  {
    id: 'I13',
    sentence: 'An accepted attempt is checked within a minute after a callback',
    checkPage({ attempts, callbacks, now }) {
      const before = now - MAX_DELAY_MS
      const called = new Set(
        callbacks.filter(({ receivedAt }) => receivedAt < before).map(({ attemptId }) => attemptId),
      )
      return attempts
        .filter(({ id, state, leaseOwner }) => called.has(id) && state === 'ACCEPTED' && leaseOwner === null)
        .filter(({ runAfter }) => runAfter < before)
        .map(({ id, runAfter }) => `${id}: check after a callback is ${secondsSince(runAfter, now)} s late`)
    },
  },
  {
    id: 'I17',
    sentence: 'Every attempt with an unknown outcome can be listed for review',
    checkPage: ({ attempts }) =>
      // In order of sending.
      attempts.flatMap(({ id, state, sentAt }) =>
        ensure(state !== 'UNKNOWN' || sentAt !== null, `${id} is UNKNOWN, but sentAt is null`),
      ),
  },
  {
    id: 'I20',
    sentence: 'Only an attempt in progress has a lease, and only an ended attempt has an end',
    checkPage: ({ attempts }) =>
      attempts.flatMap(({ id, state, leaseOwner, finishedAt }) => [
        ...ensure((finishedAt !== null) === hasEnded(state), `${id} is ${state}; finishedAt: ${finishedAt}`),
        ...ensure(leaseOwner === null || LEASABLE.has(state), `${id} is ${state}; lease: ${leaseOwner}`),
      ]),
  },
  {
    id: 'I22',
    sentence: 'An attempt that fetches its images has their addresses, and only paid attempts have any',
    checkPage({ attempts, addresses }) {
      const counts = Map.groupBy(addresses, ({ attemptId }) => attemptId)
      return attempts.flatMap(({ id, state, charged }) => {
        const count = counts.get(id)?.length ?? 0
        return [
          ...ensure(state !== 'FETCHING' || count > 0, `${id} is FETCHING without an address`),
          ...ensure(
            count === 0 || (ADDRESSED.has(state) && charged === 'YES'),
            `${id} is ${state}, charged ${charged}; it has ${count} addresses`,
          ),
        ]
      })
    },
  },
]

function secondsSince(time: number | null, now: number): number {
  return Math.round((now - (time ?? now)) / 1000)
}
