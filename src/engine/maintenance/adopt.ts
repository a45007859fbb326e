// Settles answers of dead workers before anything is decided about their attempts.
import { access, rm } from 'node:fs/promises'
import { ImageRejected } from '../../assets/format.ts'
import { findAnyAttempt } from '../../db/attempts/attempts.ts'
import { isValueRefused } from '../../db/connection/error-code.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import { isUnsent } from '../attempts/machine.ts'
import {
  findAnswerFile,
  readAnswerFiles,
  removeReceivedAnswer,
  setAside,
  type AnswerFile,
  type ReceivedAnswer,
} from '../attempts/received-answer.ts'
import { settle } from '../attempts/settle.ts'
import type { Deps } from '../deps.ts'
import { ingestImages } from '../images/ingest.ts'
import type { AttemptState } from '../../domain.ts'
import { ProviderError } from '../../providers/error.ts'
import { filesOf } from '../../providers/provider.ts'
import { markUnknown } from './restore.ts'

export interface RecoveryScope {
  /** Every lease but held ones: the process owns the database alone. Else only expired ones. */
  all: boolean
  /** In progress in this process: never recovered, whatever its lease says. */
  isHeld: (attemptId: string) => boolean
  /** Record names, each reported once. */
  reported: Set<string>
}

/**
 * Settles received answers, except those of attempts with a live worker. A damaged record is set aside; one
 * of another database is left alone. An error of one record is logged, and stops no other.
 */
export async function settleReceivedAnswers(
  deps: Deps,
  scope: RecoveryScope,
  exit: AbortSignal,
): Promise<void> {
  for (const file of await readAnswerFiles(deps.store.spool)) {
    if (exit.aborted) return
    await settleFile(deps, file, scope, exit).catch((error: unknown) =>
      deps.log.error({ file: file.name, err: error }, 'settling a received answer failed; retrying'),
    )
  }
}

async function settleFile(
  deps: Deps,
  file: AnswerFile,
  scope: RecoveryScope,
  exit: AbortSignal,
): Promise<void> {
  const answer = await readAnswer(deps, file, scope)
  if (!answer) return
  const attempt = await findAnyAttempt(deps.db.read, answer.attemptId)
  if (!attempt) {
    // Created after the restored backup, or in version 0.1.
    reportOnce(deps, file, scope, 'received answer left on disk: its attempt is not in this database')
    return
  }
  if (!isLeased(deps, attempt, scope)) await adopt(deps, attempt, { file, answer }, exit)
}

/** In this data folder; undefined without a usable answer. */
export async function findReceived(
  deps: Deps,
  attemptId: string,
  scope: RecoveryScope,
): Promise<Received | undefined> {
  const file = await findAnswerFile(deps.store.spool, attemptId)
  const answer = file && (await readAnswer(deps, file, scope))
  return answer && { file, answer }
}

/** With its file. */
export interface Received {
  file: AnswerFile
  answer: ReceivedAnswer
}

/** Undefined for a damaged record, which is set aside, or another database's. */
async function readAnswer(
  deps: Deps,
  file: AnswerFile,
  scope: RecoveryScope,
): Promise<ReceivedAnswer | undefined> {
  const { answer, error } = file
  if (error !== undefined) {
    reportOnce(deps, file, scope, 'reading a received-answer record failed', error)
    return undefined
  }
  if (!answer) {
    await setAside(deps, file, 'its content is not a received answer')
    return undefined
  }
  if (answer.databaseId !== null && answer.databaseId !== deps.databaseId) {
    reportOnce(deps, file, scope, 'received answer left on disk: it belongs to another database')
    return undefined
  }
  return answer
}

export function isLeased(
  { clock }: Deps,
  { id, leaseUntil }: AttemptRow,
  { all, isHeld }: RecoveryScope,
): boolean {
  if (isHeld(id)) return true
  return !all && leaseUntil !== null && leaseUntil > clock.now()
}

/** Throws when settling failed and may succeed later. */
export async function adopt(
  deps: Deps,
  attempt: AttemptRow,
  { file, answer }: Received,
  exit: AbortSignal,
): Promise<void> {
  const { id } = attempt
  if (!SETTLED.has(attempt.state)) {
    // The database was restored from a backup that is older than the answer.
    if (isUnsent(attempt.state) && !(await markUnknown(deps, attempt)))
      throw new Error(`${id} has a received answer, but no charge is permitted to its task.`)
    const received = await withExistingFiles(answer)
    if (received.length === 0 && answer.images.length > 0)
      return setAside(deps, file, 'its images are missing')
    try {
      const isRecorded = Promise.resolve(true)
      const ingested = await ingestImages(deps, attempt, received, exit, { isRecorded, maxTries: 1 })
      const { usage, resolved, costMicros, evidence } = answer
      await settle(deps, attempt, evidence, { state: 'DONE', ...ingested, usage, resolved, costMicros })
    } catch (error) {
      if (isValueRefused(error)) return setAside(deps, file, 'the database refuses its values')
      if (!(error instanceof ProviderError && error.failure.cause instanceof ImageRejected)) throw error
      await settle(deps, attempt, answer.evidence, { state: 'FAILED', failure: error.failure })
      return setAside(deps, file, 'it has a file that is not a usable image')
    }
    deps.log.warn({ attempt: id }, 'answer received before a crash settled')
  }
  await removeReceivedAnswer(deps, id)
  for (const image of filesOf(answer.images)) await rm(image, { force: true })
}

/** FETCHING: the addresses are stored already. An image disproves other ends. */
const SETTLED: ReadonlySet<AttemptState> = new Set(['SUCCEEDED', 'CANCELED', 'FETCHING'])

async function withExistingFiles({ images }: ReceivedAnswer): Promise<ReceivedAnswer['images']> {
  const exist = await Promise.all(
    images.map(async (image) => {
      if ('url' in image) return true
      return access(image.file).then(
        () => true,
        () => false,
      )
    }),
  )
  return images.filter((_, nth) => exist[nth])
}

function reportOnce(
  { log }: Deps,
  { name, answer }: AnswerFile,
  { reported }: RecoveryScope,
  message: string,
  err?: unknown,
): void {
  if (reported.has(name)) return
  reported.add(name)
  const { attemptId: attempt, databaseId = null } = answer ?? {}
  log.warn({ file: name, attempt, databaseId, ...(err !== undefined && { err }) }, message)
}
