// Compares the ledgers of the upstreams with ours: each request names its attempt, so each charge upstream must belong to
// one attempt that was or may have been charged, and each charged attempt must have its charge upstream.
import type { AttemptRow } from '../../src/db/tables/tables.ts'
import type { FinalState } from '../support/final-state.ts'
import type { Fleet } from './fleet.ts'

/** One sentence per difference between the ledgers of a fleet and ours. */
export function auditBooks(fleet: Fleet, { tasks, attempts }: FinalState): string[] {
  const ledgers = ledgersOf(fleet)
  const ours = attempts.filter(({ provider, sentAt }) => ledgers.has(provider) && sentAt !== null)
  const known = new Set(ours.map(nameOf))
  const paid = Map.groupBy(
    [...ledgers].flatMap(([provider, refs]) => refs.map((id) => nameOf({ provider, id }))),
    (name) => name,
  )
  return [
    ...[...paid.keys()]
      .filter((name) => !known.has(name))
      .map((name) => `${name} was charged, and is not ours`),
    ...ours.flatMap((attempt) => [...aboutAttempt(attempt, paid.get(nameOf(attempt))?.length ?? 0)]),
    ...tasks.flatMap(({ id, request, parts }) => {
      const most = request.onUnknownOutcome === 'RESEND' ? request.maxCharges * parts : parts
      const times = ours.filter((attempt) => attempt.taskId === id && paid.has(nameOf(attempt))).length
      return times > most ? [`${id} was paid ${times} times, and ${most} are permitted`] : []
    }),
  ]
}

function* aboutAttempt(attempt: AttemptRow, times: number): Generator<string> {
  const { charged } = attempt
  if (times > 1) yield `${nameOf(attempt)} was charged ${times} times`
  if (times > 0 && charged === 'NO') yield `${nameOf(attempt)} was charged, which is not so here`
  if (times === 0 && charged === 'YES') yield `${nameOf(attempt)} was not charged, which it was here`
}

function nameOf({ provider, id }: Pick<AttemptRow, 'provider' | 'id'>): string {
  return `${id} at ${provider}`
}

/** By provider, the attempt that each charge is for. */
function ledgersOf({ openai, ...fleet }: Fleet): Map<string, string[]> {
  const others = (['basic', 'pmock', 'jimmy', 'acedata'] as const).map(
    (name) => [name, fleet[name].ledger.map(({ clientRef }) => clientRef)] as const,
  )
  const ofOpenai = [...openai.charges].flatMap(([ref, times]) => Array.from({ length: times }, () => ref))
  return new Map([['openai', ofOpenai], ...others])
}
