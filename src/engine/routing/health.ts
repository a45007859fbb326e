// How providers are, by how their calls end: what is noticed here becomes a rest in the database, which every process
// keeps. Money is never lost by a rest: what is queued waits.
import { ALL_MODELS, listRests, putRest, removeRest, type RestRow } from '../../db/providers/cooldowns.ts'
import type { Queries } from '../../db/connection/database.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import type { Failure } from '../../providers/error.ts'
import type { Deps } from '../deps.ts'

/** Wrong credentials or an empty account are mended by people. */
const REFUSED_REST_MS = 300_000
/** How long a provider rests when too many of its calls went wrong. */
const ILL_REST_MS = 30_000

/** A call ended well: a rest that is over is lifted. One that is not stays, for the call may have begun before it. */
export async function noteSuccess(deps: Deps, { provider, model }: AttemptRow): Promise<void> {
  deps.breaker.note(provider, model, 'WELL', deps.clock.now())
  const over = await findOver(deps, provider, model)
  if (over.length === 0) return
  await deps.db.tx(async (q) => {
    for (const rest of over) await removeRest(q, rest, { paused: false })
  })
}

/** A call went wrong: some failures are reasons to rest by themselves, others when there are many, or after a rest. */
export async function noteFailure(deps: Deps, attempt: AttemptRow, failure: Failure): Promise<void> {
  if (failure.ours) return
  const { provider, model } = attempt
  const ill = ['unreached', 'lost', 'broken'].includes(failure.kind)
  const now = deps.clock.now()
  const opened = deps.breaker.note(provider, model, ill ? 'ILL' : 'WELL', now)
  const probed = ill && (await findOver(deps, provider, model)).length > 0
  const rest = restFor(failure, opened || probed)
  if (!rest) return
  deps.log.warn({ provider, model, ms: rest.forMs, code: failure.code }, 'a provider is given a rest')
  // In the provider's words, which may repeat the prompt.
  deps.log.debug({ provider, model }, rest.reason)
  const which = rest.wide ? ALL_MODELS : model
  await deps.db.tx((q) =>
    putRest(q, { provider, model: which, forMs: rest.forMs, reason: rest.reason, since: now }),
  )
}

function restFor(
  failure: Failure,
  isIll: boolean,
): { wide: boolean; forMs: number; reason: string } | undefined {
  if (failure.code === 'PROVIDER_QUOTA' || failure.code === 'PROVIDER_MISCONFIGURED') {
    return { wide: true, forMs: REFUSED_REST_MS, reason: failure.message }
  }
  if (failure.kind === 'busy' && failure.retryAfterMs !== undefined) {
    return { wide: false, forMs: failure.retryAfterMs, reason: failure.message }
  }
  return isIll
    ? { wide: false, forMs: ILL_REST_MS, reason: `Too many calls failed, the last so: ${failure.message}` }
    : undefined
}

/** The rests whose time is over and which nothing has lifted yet. */
async function findOver({ db }: Deps, provider: string, model: string): Promise<RestRow[]> {
  return (await listRests(db.read)).filter((rest) => !rest.resting && concerns(rest, provider, model))
}

/** Which providers, or models of them, are given no work right now. */
export async function findResting(q: Queries): Promise<(provider: string, model: string) => boolean> {
  const rests = (await listRests(q)).filter(({ resting }) => resting)
  return (provider, model) => rests.some((rest) => concerns(rest, provider, model))
}

function concerns(rest: RestRow, provider: string, model: string): boolean {
  return rest.provider === provider && (rest.model === ALL_MODELS || rest.model === model)
}
