import type { AttemptRow } from '../../src/db/tables/tables.ts'
import type { Aftermath } from '../support/aftermath.ts'

/** What the world outside knows at the end of a storm. */
export interface Outside {
  /** Every task that a client was told of. */
  ids: string[]
  /** The attempt of every order that an upstream charged for, once for each charge. */
  charges: string[]
  /** The attempts whose answer lay in the spool when a process died. */
  receipts: Iterable<string>
  /** The attempts that are listed for review. */
  listed: string[]
}

/** Lays the upstreams' books beside ours, charge by charge and attempt by attempt: what should not be, in sentences. */
export function compare({ tasks, attempts, assets, violated }: Aftermath, outside: Outside): string[] {
  const paid = Map.groupBy(outside.charges, (id) => id)
  const ofTask = Map.groupBy(attempts, ({ taskId }) => taskId)
  const known = new Set(tasks.map(({ id }) => id))
  const byId = new Map(attempts.map((attempt) => [attempt.id, attempt]))
  const withImage = new Set(assets.filter(({ kind }) => kind === 'FINAL').map(({ attemptId }) => attemptId))
  const listed = new Set(outside.listed)
  return [
    ...violated,
    ...outside.ids.filter((id) => !known.has(id)).map((id) => `${id} is lost`),
    ...[...paid.keys()]
      .filter((id) => !byId.has(id))
      .map((id) => `${id} was charged, and is no attempt of ours`),
    ...attempts.flatMap(({ id, charged }) => {
      const times = paid.get(id)?.length ?? 0
      return [
        ...(times > 1 ? [`${id} was charged ${times} times`] : []),
        ...(times > 0 && charged === 'NO' ? [`${id} was charged, and does not admit it`] : []),
        ...(times === 0 && charged === 'YES' ? [`${id} says it was charged, and was not`] : []),
      ]
    }),
    ...tasks.flatMap(({ id, maxCharges }) => {
      const times = (ofTask.get(id) ?? []).filter((attempt) => paid.has(attempt.id)).length
      return times > maxCharges ? [`${id} was charged ${times} times, with ${maxCharges} permitted`] : []
    }),
    ...[...outside.receipts]
      .filter((id) => byId.get(id)?.state !== 'SUCCEEDED' || !withImage.has(id))
      .map((id) => `the image of ${id} was there and is lost: it is ${byId.get(id)?.state}`),
    ...attempts
      .filter(isInDoubt)
      .filter(({ id }) => !listed.has(id))
      .map(({ id }) => `${id} is in doubt, and not listed`),
    ...attempts
      .filter(({ state }) => state === 'LEASED' || state === 'SENDING')
      .map(({ id, state }) => `${id} is ${state}`),
  ]
}

function isInDoubt({ state }: AttemptRow): boolean {
  return state === 'UNKNOWN'
}
