// The status of a task, from its attempts.
import { parseSize, type AttemptState, type TaskError, type TaskStatus, type Warning } from '../../domain.ts'
import { isLive, isUnsent } from './machine.ts'

/** What a conclusion depends on of an attempt. */
export interface AttemptSummary {
  part: number
  number: number
  state: AttemptState
  /** How many images it requests. */
  n: number
  error: TaskError | null
}

/** The status of a task by all its attempts, and warnings about images that will not come. */
export interface Conclusion {
  status: TaskStatus
  error: TaskError | null
  /** One for each part that ended without its images while others have theirs. */
  warnings: Warning[]
}

/**
 * Pure. A task continues while one of its parts does. Else it is unknown when one of its parts is; it succeeds when a part
 * has its images, and fails when none has. A task with a cancel request ends as CANCELED once nothing of it is under way.
 */
export function conclude(attempts: readonly AttemptSummary[], cancelRequested: boolean): Conclusion {
  const parts = [...Map.groupBy(attempts, ({ part }) => part).values()].map(statusOfPart)
  const error =
    attempts.toSorted((a, b) => a.number - b.number).findLast((attempt) => attempt.error !== null)?.error ??
    null
  const has = (status: PartStatus['is']) => parts.some((part) => part.is === status)

  if (has('SENT')) return { status: 'RUNNING', error, warnings: [] }
  if (has('WAITING')) return { status: 'QUEUED', error, warnings: [] }
  if (cancelRequested) return { status: 'CANCELED', error, warnings: [] }
  if (has('UNKNOWN')) return { status: 'OUTCOME_UNKNOWN', error, warnings: [] }
  if (!has('DONE')) return { status: 'FAILED', error, warnings: [] }
  return {
    status: 'SUCCEEDED',
    error: null,
    warnings: parts.filter(({ is }) => is === 'ENDED').map(missingImages),
  }
}

interface PartStatus {
  is: 'SENT' | 'WAITING' | 'UNKNOWN' | 'DONE' | 'ENDED'
  latest: AttemptSummary
}

/** By its live attempt if there is one, else by all of them: an earlier one may have brought the images, or still might. */
function statusOfPart(attempts: AttemptSummary[]): PartStatus {
  const inOrder = attempts.toSorted((a, b) => a.number - b.number)
  const latest = inOrder.at(-1)!
  if (attempts.some(({ state }) => state === 'SUCCEEDED')) return { is: 'DONE', latest }
  const live = inOrder.find(({ state }) => isLive(state))
  if (live) return { is: isUnsent(live.state) ? 'WAITING' : 'SENT', latest: live }
  return { is: attempts.some(({ state }) => state === 'UNKNOWN') ? 'UNKNOWN' : 'ENDED', latest }
}

function missingImages({ latest: { n, error } }: PartStatus): Warning {
  const images = n === 1 ? 'One image is' : `${n} images are`
  return {
    code: 'IMAGES_MISSING',
    field: 'n',
    message: `${images} missing: ${error?.message ?? 'the attempt was canceled.'}`,
  }
}

/**
 * Pure. A warning when images have another size than requested; `auto` requests none. They are kept, because they were
 * paid for.
 */
export function sizeWarnings(
  requested: string,
  images: readonly { width: number; height: number }[],
): Warning[] {
  if (!parseSize(requested)) return []
  const received = new Set(images.map(({ width, height }) => `${width}x${height}`))
  received.delete(requested)
  if (received.size === 0) return []
  return [
    {
      code: 'SIZE_DIFFERS',
      field: 'size',
      message: `${requested} was asked for, and ${[...received].join(', ')} came.`,
    },
  ]
}
