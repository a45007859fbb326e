import type { FinalState } from '../support/final-state.ts'

/** What clients, upstreams and the spool know at the end of a run. */
export interface Records {
  /** Every task whose id a client received. */
  ids: string[]
  /** The attempt of every charge, as upstreams recorded them. */
  charges: string[]
  /** Attempts whose received answer was in the spool when a process died. */
  received: Iterable<string>
  /** Attempts that the API lists for review. */
  listed: string[]
}

/** Each is a list of sentences. */
export interface Discrepancies {
  violatedInvariants: string[]
  lostTasks: string[]
  /** Charges that the ledger has otherwise than the upstream. */
  ledgerDifferences: string[]
  paidTwiceWithoutPermission: string[]
  lostImages: string[]
  /** Attempts that nothing goes on with, and that no list shows. */
  unlisted: string[]
}

/** Compares the database with the records of others: one sentence for each discrepancy and each violated invariant. */
export function findDiscrepancies(state: FinalState, records: Records): string[] {
  return Object.values(groupDiscrepancies(state, records)).flat()
}

export function groupDiscrepancies(
  { tasks, attempts, assets, violated }: FinalState,
  records: Records,
): Discrepancies {
  const charges = Map.groupBy(records.charges, (id) => id)
  const attemptsOf = Map.groupBy(attempts, ({ taskId }) => taskId)
  const taskIds = new Set(tasks.map(({ id }) => id))
  const byId = new Map(attempts.map((attempt) => [attempt.id, attempt]))
  const withImage = new Set(assets.filter(({ kind }) => kind === 'FINAL').map(({ attemptId }) => attemptId))
  const listed = new Set(records.listed)
  const timesOf = (id: string) => charges.get(id)?.length ?? 0
  return {
    violatedInvariants: violated,
    lostTasks: records.ids.filter((id) => !taskIds.has(id)).map((id) => `${id} is lost`),
    ledgerDifferences: [
      ...[...charges.keys()]
        .filter((id) => !byId.has(id))
        .map((id) => `${id} was charged and does not exist`),
      ...attempts.flatMap(({ id, charged }) => [
        ...(timesOf(id) > 0 && charged === 'NO' ? [`${id} was charged and is recorded as not charged`] : []),
        ...(timesOf(id) === 0 && charged === 'YES' ? [`${id} is recorded as charged and was not`] : []),
      ]),
    ],
    paidTwiceWithoutPermission: [
      ...attempts.flatMap(({ id }) => (timesOf(id) > 1 ? [`${id} was charged ${timesOf(id)} times`] : [])),
      ...tasks.flatMap(({ id, maxCharges }) => {
        const times = (attemptsOf.get(id) ?? []).filter((attempt) => charges.has(attempt.id)).length
        return times > maxCharges ? [`${id} was charged ${times} times; the maximum is ${maxCharges}`] : []
      }),
    ],
    lostImages: [...records.received]
      .filter((id) => byId.get(id)?.state !== 'SUCCEEDED' || !withImage.has(id))
      .map((id) => `the image of ${id} was received and is lost: the attempt is ${byId.get(id)?.state}`),
    unlisted: [
      ...attempts
        .filter(({ id, state }) => state === 'UNKNOWN' && !listed.has(id))
        .map(({ id }) => `${id} is UNKNOWN and not listed`),
      ...attempts
        .filter(({ state }) => state === 'LEASED' || state === 'SENDING')
        .map(({ id, state }) => `${id} is ${state}`),
    ],
  }
}
