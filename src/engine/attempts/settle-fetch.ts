import {
  listAddresses,
  recordFailedFetch,
  takeAddresses,
  type StoredAddress,
} from '../../db/attempts/addresses.ts'
import { FETCH_KEY, findAnyAttempt, type Lease } from '../../db/attempts/attempts.ts'
import type { Transaction } from '../../db/connection/database.ts'
import type { AttemptRow, TaskRow } from '../../db/tables/tables.ts'
import { insertAssets, listAssets, type NewAsset } from '../../db/tasks/assets.ts'
import { lockTask } from '../../db/tasks/tasks.ts'
import type { TaskError, Warning } from '../../domain.ts'
import type { Deps } from '../deps.ts'
import { findProvider } from '../routing/configured.ts'
import { applyTransition, leaseOf } from './apply-transition.ts'
import { concludeTask } from './conclude.ts'

/** One try of every address of an attempt. */
export interface FetchRound {
  /** Stored images. */
  fetched: NewAsset[]
  failed: FailedFetch[]
}

export interface FailedFetch {
  position: number
  /** Completes "the address …"; names no host. */
  problem: string
  /** Whether a retry would fail the same way. */
  isFinal: boolean
  failedUrl: string
  /** A newer address. */
  url?: string | undefined
}

const MIN_DELAY_MS = 1000
const MAX_DELAY_MS = 300_000
/** Also when the provider's time was over before the first one: this server was down, or a clock was set. */
const MIN_TRIES = 3

/**
 * Records a round of downloads. The attempt ends once all images are stored, when the provider no longer
 * keeps the others, or when no other try can succeed. Stored images then count, with a warning about the
 * others. Idempotent.
 */
export async function settleFetch(
  deps: Deps,
  claimed: AttemptRow,
  { fetched, failed }: FetchRound,
): Promise<void> {
  const { id, taskId } = claimed
  await deps.db.tx(async (q) => {
    const task = await lockTask(q, taskId)
    // Of two workers, the first one counts an image.
    const taken = await takeAddresses(
      q,
      id,
      fetched.map(({ position }) => position),
    )
    await insertAssets(
      q,
      fetched.filter(({ position }) => taken.has(position)),
    )
    for (const one of failed) await recordFailedFetch(q, { attemptId: id, position: one.position }, one)
    const attempt = await findAnyAttempt(q, id)
    if (attempt?.state !== 'FETCHING') return
    const images = (await listAssets(q, [taskId])).filter(
      ({ attemptId, kind }) => attemptId === id && kind === 'FINAL',
    ).length
    const state = { images, left: await listAddresses(q, [id]), lease: leaseOf(claimed) }
    if (isGone(deps, attempt, state.left, failed)) await end(q, deps, task, attempt, state)
    else await wait(q, deps, task, attempt, state)
  })
}

function isGone(
  { providers }: Pick<Deps, 'providers'>,
  { provider }: AttemptRow,
  left: readonly StoredAddress[],
  failed: readonly FailedFetch[],
): boolean {
  const { ttlMs = 0 } = findProvider(providers, provider)?.results ?? {}
  const final = new Set(failed.filter(({ isFinal }) => isFinal).map(({ position }) => position))
  return left.every(
    ({ position, ageMs, tries }) => (ageMs >= ttlMs && tries >= MIN_TRIES) || final.has(position),
  )
}

interface Progress {
  /** All stored ones. */
  images: number
  left: readonly StoredAddress[]
  /** Images count whichever worker stored them. */
  lease: Lease
}

async function wait(
  q: Transaction,
  deps: Deps,
  task: TaskRow,
  attempt: AttemptRow,
  { images, left, lease }: Progress,
): Promise<void> {
  const at = deps.clock.now()
  const dueInMs = nextDelayMs(deps, attempt, left)
  const waiting = await applyTransition(q, attempt.id, 'scheduleFetch', { at, images, dueInMs, lease })
  q.wakeUp(FETCH_KEY)
  if (waiting && task.cancelRequestedAt !== null) await concludeTask(q, deps, task, waiting, at)
}

/** Exponential with jitter. The last try is at the end of the provider's time. */
function nextDelayMs(
  { providers, random }: Pick<Deps, 'providers' | 'random'>,
  { provider }: AttemptRow,
  left: readonly StoredAddress[],
): number {
  const tries = Math.min(...left.map((address) => address.tries))
  const delayMs = Math.min(MAX_DELAY_MS, MIN_DELAY_MS * 2 ** Math.max(0, tries - 1))
  const { ttlMs = 0 } = findProvider(providers, provider)?.results ?? {}
  const restMs = Math.max(...left.map(({ ageMs }) => ttlMs - ageMs))
  const jitteredMs = Math.max(0, delayMs * (0.5 + random() / 2))
  return Math.round(restMs > 0 ? Math.min(restMs, jitteredMs) : jitteredMs)
}

async function end(
  q: Transaction,
  deps: Deps,
  task: TaskRow,
  attempt: AttemptRow,
  { images, left, lease }: Progress,
): Promise<void> {
  const at = deps.clock.now()
  const [first] = left
  const error = first ? unreachable(attempt, first) : null
  const ended =
    images > 0
      ? await applyTransition(q, attempt.id, 'succeed', { at, images, error: null, ...(first && { lease }) })
      : await applyTransition(q, attempt.id, 'fail', { at, charged: 'YES', error, lease })
  if (!ended) return
  if (error) deps.log.warn({ attempt: attempt.id, addresses: left.length }, 'result was never fetched')
  const missing = attempt.n - images
  const warnings = images > 0 && missing > 0 ? [missingImages(missing, error)] : []
  await concludeTask(q, deps, { ...task, warnings: [...task.warnings, ...warnings] }, ended, at)
}

function unreachable(
  { provider, providerRequestId }: AttemptRow,
  { problem, tries }: StoredAddress,
): TaskError {
  const times = tries === 1 ? 'once' : `${tries} times`
  return {
    code: 'RESULT_UNREACHABLE',
    message: `${provider} finished the image, but the address of the result ${problem ?? 'was not tried'}. It was tried ${times}.`,
    retryable: false,
    charged: 'YES',
    providerRequestId,
  }
}

function missingImages(count: number, error: TaskError | null): Warning {
  const images = count === 1 ? 'One image is' : `${count} images are`
  const reason = error?.message ?? 'the provider returned fewer than requested.'
  return { code: 'IMAGES_MISSING', field: 'n', message: `${images} missing: ${reason}` }
}
