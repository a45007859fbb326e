import type { NewAsset } from '../../db/tasks/assets.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import type { AttemptContext, Outcome } from '../attempts/outcome.ts'
import { lost } from '../attempts/outcome.ts'
import { syncReceivedAnswer, writeReceivedAnswer } from '../attempts/received-answer.ts'
import type { Deps } from '../deps.ts'
import { ingestImages, NotStored } from '../images/ingest.ts'
import { plausibleUsage } from '../usage/plausible.ts'
import { ProviderError, type Failure } from '../../providers/error.ts'
import type { CallResult } from '../../providers/provider.ts'
import { isStorable } from '../../text.ts'
import { toStorableResult } from './storable-result.ts'

/** Ingests the images that arrived with a result. Throws ProviderError `broken`, and NotStored. */
export async function toOutcome(
  deps: Deps,
  { task, attempt, evidence }: AttemptContext,
  result: CallResult,
  exit: AbortSignal,
): Promise<Outcome> {
  if (result.state === 'ACCEPTED' && !isStorable(result.remoteId)) throw new ProviderError(UNUSABLE_REMOTE_ID)
  if (result.state !== 'DONE') return result
  const { images: received, usage: reported, resolved, costMicros } = toStorableResult(result)
  const { usage, implausible } = plausibleUsage(reported, attempt.model, task.request, resolved, attempt.n)
  if (implausible.length > 0)
    deps.log.warn({ attempt: attempt.id, counts: implausible }, 'implausible token counts dropped')
  if (costMicros === null)
    deps.log.warn({ attempt: attempt.id }, 'unusable reported cost dropped; the cost is unknown')
  const record = { attemptId: attempt.id, images: received, usage, resolved, costMicros, evidence }
  const writing = writeReceivedAnswer(deps, record)
  const syncing = writing.then(() => syncReceivedAnswer(deps, record))
  // The result is settled without the record too.
  const isRecorded = syncing.then(
    () => true,
    (error: unknown) => {
      deps.log.warn({ attempt: attempt.id, err: error }, 'writing a received-answer record failed')
      return false
    },
  )
  // From here on a crash loses nothing, not even one of the decoder.
  await writing.catch(() => {})
  const ingested = await deps.tracing.span('ingest', {}, () =>
    ingestImages(deps, attempt, received, exit, { isRecorded, isSynced: isRecorded }),
  )
  await isRecorded
  countBytes(deps, attempt, ingested.images)
  return { state: 'DONE', ...ingested, usage, resolved, costMicros }
}

export function countBytes(
  { metrics }: Pick<Deps, 'metrics'>,
  { provider }: AttemptRow,
  images: readonly NewAsset[],
): void {
  const bytes = images.reduce((sum, { byteSize }) => sum + byteSize, 0)
  metrics.imageBytes.inc({ provider }, bytes)
}

const UNUSABLE_REMOTE_ID = lost(
  'The provider accepted the request under an id that contains NUL or half of a surrogate pair, which cannot be stored. ' +
    'Whether the image was made and charged is unknown; it was not sent again.',
)

/** Throws NotStored. Other errors than ProviderError are bugs: only the wire phase is certain. */
export function toFailure(
  { log }: Pick<Deps, 'log'>,
  { attempt, evidence }: AttemptContext,
  error: unknown,
): Failure {
  if (error instanceof ProviderError) return error.failure
  if (error instanceof NotStored) throw error
  log.error({ attempt: attempt.id, err: error }, 'attempt failed with an unexpected error')
  const cause = { isInternal: true, cause: error }
  if (evidence.wirePhase !== 'NONE') {
    const unknown = 'whether the image was made and charged is unknown.'
    return lost(`The gateway failed while the provider was working; ${unknown}`, cause)
  }
  // A kind that is retried: the database may be down.
  const message = 'The gateway failed before anything was sent.'
  return { kind: 'unreached', code: 'INTERNAL', message, charged: 'NO', ...cause }
}
