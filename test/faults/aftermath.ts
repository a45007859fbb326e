// What every fault must leave behind: a database in which everything holds, and no charge that is on no attempt.
import { expect } from 'vitest'
import type { AttemptRow } from '../../src/db/tables/tables.ts'
import { readFinalState, type FinalState } from '../support/final-state.ts'
import type { Place } from '../support/database.ts'

/**
 * Reads what is left once every gateway is closed. `charged` are the upstream's own books, one entry for each
 * charge: the id of the attempt that it is for.
 * Fails when something does not hold that always must, or when an upstream was paid without our knowledge.
 */
export async function expectNoHarm(place: Place, charged: Iterable<string>): Promise<FinalState> {
  const aftermath = await readFinalState(place)
  expect(aftermath.violated).toEqual([])
  expect(darkCharges(aftermath.attempts, charged)).toEqual([])
  return aftermath
}

/** What upstreams charged for and no attempt admits, or not so often. */
export function darkCharges(attempts: AttemptRow[], charged: Iterable<string>): string[] {
  const admitted = new Set(attempts.filter((attempt) => attempt.charged !== 'NO').map(({ id }) => id))
  return [...charged].filter((id) => !admitted.delete(id))
}
