import type { AttemptRow } from '../../src/db/tables.ts'
import type { Aftermath } from '../support/aftermath.ts'

/** What the world outside knows at the end of a storm. */
export interface Outside {
  /** Every task that a client was told of. */
  ids: string[]
  /** The prompt of every order that an upstream charged for, once for each charge. */
  charges: string[]
  /** The attempts whose answer lay in the spool when a process died. */
  receipts: Iterable<string>
  /** The attempts that are listed for review. */
  listed: string[]
}

/** Lays the upstreams' books beside ours: what should not be, in sentences. */
export function compare({ tasks, attempts, assets, violated }: Aftermath, outside: Outside): string[] {
  const charged = Map.groupBy(outside.charges, (prompt) => prompt)
  const ofTask = Map.groupBy(attempts, ({ taskId }) => taskId)
  const known = new Set(tasks.map(({ id }) => id))
  const byId = new Map(attempts.map((attempt) => [attempt.id, attempt]))
  const withImage = new Set(assets.filter(({ kind }) => kind === 'FINAL').map(({ attemptId }) => attemptId))
  const listed = new Set(outside.listed)
  return [
    ...violated,
    ...outside.ids.filter((id) => !known.has(id)).map((id) => `${id} is lost`),
    ...tasks.flatMap(({ id, request, maxCharges }) => {
      const paid = charged.get(request.prompt)?.length ?? 0
      const admitted = (ofTask.get(id) ?? []).filter((attempt) => attempt.charged !== 'NO').length
      return [
        ...(paid > admitted ? [`${id} was charged ${paid} times, and admits ${admitted}`] : []),
        ...(paid > maxCharges ? [`${id} was charged ${paid} times, with ${maxCharges} permitted`] : []),
      ]
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
