import { expect } from 'vitest'
import type { AttemptRow } from '../../src/db/tables/tables.ts'
import { readFinalState, type FinalState } from '../support/final-state.ts'
import type { Place } from '../support/database.ts'

/**
 * Checks the invariants after every gateway is closed, and that each charge of an upstream is recorded. `charged` has the
 * attempt's id of each charge.
 */
export async function expectConsistency(place: Place, charged: Iterable<string>): Promise<FinalState> {
  const state = await readFinalState(place)
  expect(state.violated).toEqual([])
  expect(findUnrecordedCharges(state.attempts, charged)).toEqual([])
  return state
}

/** Charges of upstreams that no attempt records. */
export function findUnrecordedCharges(attempts: AttemptRow[], charged: Iterable<string>): string[] {
  const recorded = new Set(attempts.filter((attempt) => attempt.charged !== 'NO').map(({ id }) => id))
  return [...charged].filter((id) => !recorded.delete(id))
}
