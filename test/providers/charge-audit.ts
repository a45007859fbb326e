// Compares the charges of the upstreams with the attempts. Each request names its attempt, so each upstream charge must
// belong to one attempt with charged YES or UNKNOWN, and each attempt with charged YES must have its upstream charge.
import type { AttemptRow } from '../../src/db/tables/tables.ts'
import type { FinalState } from '../support/final-state.ts'
import type { Fleet } from './fleet.ts'

/** One sentence per difference between the charges of the upstreams and the attempts. */
export function compareCharges(fleet: Fleet, { tasks, attempts }: FinalState): string[] {
  const ledgers = ledgersOf(fleet)
  const stored = attempts.filter(({ provider, sentAt }) => ledgers.has(provider) && sentAt !== null)
  const known = new Set(stored.map(nameOf))
  const paid = Map.groupBy(
    [...ledgers].flatMap(([provider, refs]) => refs.map((id) => nameOf({ provider, id }))),
    (name) => name,
  )
  return [
    ...[...paid.keys()]
      .filter((name) => !known.has(name))
      .map((name) => `${name} was charged, but is not stored`),
    ...stored.flatMap((attempt) => [...compareAttempt(attempt, paid.get(nameOf(attempt))?.length ?? 0)]),
    ...tasks.flatMap(({ id, request, parts }) => {
      const permitted = request.onUnknownOutcome === 'RESEND' ? request.maxCharges * parts : parts
      const times = stored.filter((attempt) => attempt.taskId === id && paid.has(nameOf(attempt))).length
      return times > permitted ? [`${id} was paid ${times} times, but ${permitted} are permitted`] : []
    }),
  ]
}

function* compareAttempt(attempt: AttemptRow, times: number): Generator<string> {
  const { charged } = attempt
  if (times > 1) yield `${nameOf(attempt)} was charged ${times} times`
  if (times > 0 && charged === 'NO') yield `${nameOf(attempt)} was charged, but is stored as uncharged`
  if (times === 0 && charged === 'YES') yield `${nameOf(attempt)} was not charged, but is stored as charged`
}

function nameOf({ provider, id }: Pick<AttemptRow, 'provider' | 'id'>): string {
  return `${id} at ${provider}`
}

/** The attempt ids of all charges, by provider. */
function ledgersOf({ openai, ...fleet }: Fleet): Map<string, string[]> {
  const others = (['basic', 'pmock', 'jimmy', 'acedata'] as const).map(
    (name) => [name, fleet[name].ledger.map(({ clientRef }) => clientRef)] as const,
  )
  const ofOpenai = [...openai.charges].flatMap(([ref, times]) => Array.from({ length: times }, () => ref))
  return new Map([['openai', ofOpenai], ...others])
}
