import type { AttemptRow, TaskRow } from '../../db/tables/tables.ts'
import { findAnyAttempt } from '../../db/attempts/attempts.ts'
import { isValueRefused } from '../../db/connection/error-code.ts'
import { getTask } from '../../db/tasks/tasks.ts'
import { release } from '../attempts/apply-transition.ts'
import type { AttemptContext } from '../attempts/outcome.ts'
import { removeReceivedAnswer } from '../attempts/received-answer.ts'
import { settle } from '../attempts/settle.ts'
import { settleFetch } from '../attempts/settle-fetch.ts'
import type { Call } from '../../providers/provider.ts'
import type { Deps, ShutdownSignals } from '../deps.ts'
import { findProvider } from '../routing/configured.ts'
import { openCall } from './call.ts'
import { check } from './check.ts'
import { attributesOf } from './instrumented-call.ts'
import { fetchImages } from './fetch-images.ts'
import { send } from './send.ts'

/** Sends, checks or fetches a claimed attempt, and settles the outcome. No state remains in memory between steps. */
export async function takeStep(deps: Deps, attempt: AttemptRow, signals: ShutdownSignals): Promise<void> {
  const task = await getTask(deps.db.read, attempt.taskId)
  deps.metrics.claims.inc({ provider: attempt.provider })
  const options = { kind: 'CONSUMER', parent: task.traceparent, attributes: attributesOf(attempt) } as const
  await deps.tracing.span('attempt', options, () => takeOwnStep(deps, task, attempt, signals))
}

async function takeOwnStep(
  deps: Deps,
  task: TaskRow,
  attempt: AttemptRow,
  signals: ShutdownSignals,
): Promise<void> {
  const { abortCalls, exit } = signals
  // The runner claims only for configured providers.
  const { timeoutMs } = findProvider(deps.providers, attempt.provider)!
  const { call, evidence, end, close } = openCall(deps, task, attempt, timeoutMs, abortCalls)
  const of = { task, attempt, evidence }
  if (attempt.state === 'FETCHING') await fetchAndSettle(deps, of, call, signals)
  else {
    const outcome =
      attempt.state === 'ACCEPTED'
        ? await check(deps, of, call, signals)
        : await send(deps, of, call, signals)
    await end()
    await deps.tracing.span('settle', { attributes: { 'darkroom.outcome': outcome.state } }, () =>
      persist(deps, attempt, exit, () => settle(deps, attempt, evidence, outcome)),
    )
    await removeReceivedAnswer(deps, attempt.id)
    // At once: a signed address may be short-lived, and the queue long.
    if (outcome.state === 'DONE' && outcome.addresses.length > 0)
      await fetchAndSettle(deps, of, call, signals)
  }
  await close()
}

async function fetchAndSettle(
  deps: Deps,
  { task, attempt: claimed }: AttemptContext,
  call: Call,
  { abortCalls, exit }: ShutdownSignals,
): Promise<void> {
  const attempt = await findAnyAttempt(deps.db.read, claimed.id)
  const isOwn = attempt?.leaseOwner === claimed.leaseOwner && attempt?.leaseEpoch === claimed.leaseEpoch
  if (attempt?.state !== 'FETCHING' || !isOwn) return
  const round = await deps.tracing.span('fetch', {}, () => fetchImages(deps, task, attempt, call, abortCalls))
  if (!round) return release(deps, attempt)
  await persist(deps, attempt, exit, () => settleFetch(deps, attempt, round))
}

/** Longer than a database failover. */
const PERSIST_MS = 600_000
const MAX_PAUSE_MS = 5000

/**
 * Repeats a write that records what was paid for. Throws after PERSIST_MS, on exit, and for a row that can never be
 * stored: the received-answer record stays for the next start.
 */
async function persist(
  { clock, log }: Deps,
  { id }: AttemptRow,
  exit: AbortSignal,
  write: () => Promise<void>,
): Promise<void> {
  const until = clock.monotonic() + PERSIST_MS
  for (let pauseMs = 50; ; pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
    try {
      return await write()
    } catch (error) {
      if (exit.aborted || clock.monotonic() >= until || isValueRefused(error)) throw error
      log.warn({ attempt: id, err: error }, 'recording an outcome failed; retrying')
      await clock.sleep(pauseMs, exit)
    }
  }
}
