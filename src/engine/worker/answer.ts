// From what an adapter returned or threw to the outcome of a step.
import type { AttemptContext, Outcome } from '../attempts/outcome.ts'
import { writeReceivedAnswer } from '../attempts/received-answer.ts'
import type { Deps } from '../deps.ts'
import { ingestImages, type IngestDeps } from '../images/ingest.ts'
import { ProviderError, type Failure } from '../../providers/error.ts'
import type { Answer } from '../../providers/provider.ts'

export type AnswerDeps = IngestDeps & Pick<Deps, 'metrics' | 'tracing'>

/** The outcome of an answer, its images ingested. Throws ProviderError `broken` when they cannot be. */
export async function toOutcome(
  deps: AnswerDeps,
  of: AttemptContext,
  answer: Answer,
  over: AbortSignal,
): Promise<Outcome> {
  if (answer.state !== 'DONE') return toWaiting(answer)
  const { attempt } = of
  const { usage, resolved } = answer
  await keep(deps, of, answer)
  const images = await deps.tracing.span('landing', {}, () =>
    ingestImages(deps, attempt, answer.images, over),
  )
  const bytes = images.reduce((sum, { byteSize }) => sum + byteSize, 0)
  deps.metrics.done.imageBytes.inc({ provider: attempt.provider }, bytes)
  return { is: 'DONE', images, usage, resolved }
}

/** From here on a crash loses nothing. When the record cannot be written, the answer is still settled, only less safely. */
async function keep(
  deps: Pick<Deps, 'store' | 'log'>,
  { attempt: { id: attemptId }, evidence }: AttemptContext,
  { images, usage, resolved }: Extract<Answer, { state: 'DONE' }>,
): Promise<void> {
  const record = { attemptId, images, usage, resolved, evidence }
  await writeReceivedAnswer(deps, record).catch((error: unknown) => {
    deps.log.warn({ attempt: attemptId, err: error }, 'a received answer could not be recorded')
  })
}

function toWaiting(answer: Exclude<Answer, { state: 'DONE' }>): Outcome {
  const { checkAfterMs } = answer
  if (answer.state === 'ACCEPTED') return { is: 'ACCEPTED', remoteId: answer.remoteId, checkAfterMs }
  if (answer.state === 'PENDING') return { is: 'PENDING', progress: answer.progress, checkAfterMs }
  return { is: 'MISSING', checkAfterMs }
}

/** What was thrown, as a failure. Anything but a ProviderError is a bug, and proves only how far the request got. */
export function toFailure(
  { log }: Pick<Deps, 'log'>,
  { attempt, evidence }: AttemptContext,
  error: unknown,
): Failure {
  if (error instanceof ProviderError) return error.failure
  log.error({ attempt: attempt.id, err: error }, 'an attempt met an error that no provider reported')
  if (evidence.wirePhase === 'NONE') {
    // The database may be away, for example: no reason to give up.
    return {
      kind: 'unreached',
      code: 'INTERNAL',
      message: 'The gateway failed before anything was sent.',
      charged: 'NO',
      ours: true,
      cause: error,
    }
  }
  return {
    kind: 'lost',
    code: 'OUTCOME_UNKNOWN',
    message:
      'The gateway failed while the provider was working; whether the image was made and charged is unknown.',
    charged: 'UNKNOWN',
    ours: true,
    cause: error,
  }
}
