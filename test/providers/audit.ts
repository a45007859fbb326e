// The upstreams' books beside ours. What an upstream counts must be an attempt here that was charged or may have been,
// each one once; and what we say was charged must stand in an upstream's books.
import type { AttemptRow } from '../../src/db/tables.ts'
import type { Aftermath } from '../support/aftermath.ts'
import type { Fleet } from './fleet.ts'

/** One line of an upstream's books. */
interface Charge {
  provider: string
  /** The number of the task, from its prompt. */
  storm: string
  /** Our id of the attempt, where the upstream was told. */
  attemptId: string | undefined
  /** Its own id of the order, where it has one. */
  remoteId: string
}

/** Each sentence in which the books of a fleet and ours differ, or nothing. */
export function auditBooks(fleet: Fleet, { tasks, attempts }: Aftermath): string[] {
  const charges = [...chargesOfOpenai(fleet, attempts, stormOf), ...chargesOfOthers(fleet)]
  const atUpstreams = attempts.filter(({ provider, sentAt }) => provider !== 'sandbox' && sentAt !== null)
  return [
    ...compareGroups(charges, atUpstreams, stormOf),
    ...charges.flatMap((charge) => [...aboutCharge(charge, attempts)]),
    ...tasks.flatMap(({ id, request, parts }) => {
      const most = request.onUnknownOutcome === 'RESEND' ? request.maxCharges * parts : parts
      const paid = charges.filter(({ storm }) => storm === stormOf(id)).length
      return paid > most ? [`${id} was paid ${paid} times, and ${most} are permitted`] : []
    }),
  ]

  function stormOf(taskId: string): string {
    return numberIn(tasks.find(({ id }) => id === taskId)?.request.prompt ?? '')
  }
}

/** Between as many as we know of and as many as we hold possible, for each task and upstream. */
function compareGroups(
  charges: Charge[],
  attempts: AttemptRow[],
  stormOf: (taskId: string) => string,
): string[] {
  const groups = new Map<string, { charges: number; yes: number; unknown: number }>()
  function count(provider: string, storm: string, what: 'charges' | 'yes' | 'unknown'): void {
    const key = `${provider}, storm-${storm}`
    const group = groups.get(key) ?? { charges: 0, yes: 0, unknown: 0 }
    groups.set(key, { ...group, [what]: group[what] + 1 })
  }
  for (const { provider, storm } of charges) count(provider, storm, 'charges')
  for (const { provider, taskId, charged } of attempts) {
    if (charged === 'YES') count(provider, stormOf(taskId), 'yes')
    if (charged === 'UNKNOWN') count(provider, stormOf(taskId), 'unknown')
  }
  return [...groups].flatMap(([name, group]) =>
    group.charges < group.yes || group.charges > group.yes + group.unknown
      ? [`${name}: charged ${group.charges} times; ${group.yes} known, ${group.unknown} possible here`]
      : [],
  )
}

/** A charge whose attempt is known must be one that was charged or may have been. */
function* aboutCharge({ provider, attemptId, remoteId }: Charge, attempts: AttemptRow[]): Generator<string> {
  const same = attempts.filter(
    (attempt) => attempt.provider === provider && (attempt.id === attemptId || attempt.remoteId === remoteId),
  )
  if (attemptId !== undefined && same.length !== 1)
    yield `${provider} charged for ${attemptId}, of which there are ${same.length}`
  for (const { id, charged } of same)
    if (charged === 'NO') yield `${provider} charged for ${id}, which was not charged here`
}

function chargesOfOpenai(
  { openai }: Fleet,
  attempts: AttemptRow[],
  stormOf: (taskId: string) => string,
): Charge[] {
  return [...openai.charges].flatMap(([attemptId, times]) => {
    const attempt = attempts.find(({ id }) => id === attemptId)
    const storm = attempt ? stormOf(attempt.taskId) : '?'
    return Array.from({ length: times }, () => ({
      provider: 'openai',
      storm,
      attemptId,
      remoteId: attemptId,
    }))
  })
}

function chargesOfOthers(fleet: Fleet): Charge[] {
  return (['basic', 'pmock', 'jimmy', 'acedata'] as const).flatMap((provider) =>
    fleet[provider].ledger.map(({ order: remoteId, request }) => {
      const key = request.headers['idempotency-key']
      const attemptId = typeof key === 'string' ? key : undefined
      return { provider, storm: numberIn(request.body.toString('latin1')), attemptId, remoteId }
    }),
  )
}

function numberIn(text: string): string {
  return /storm-(\d+):/.exec(text)?.[1] ?? '?'
}
