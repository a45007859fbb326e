// What is left of a deleted task: attempts, ledger, sums, and the columns by which reports group them.
import { and, eq, inArray } from 'drizzle-orm'
import type { ImageRequest, InputImage, TaskError } from '../../domain.ts'
import type { Transaction } from '../connection/database.ts'
import type { AttemptRow, TaskRow } from '../tables/tables.ts'
import { labelsOf } from '../tasks/filter.ts'
import { removeDeliveriesOfTask } from './retention.ts'

/** Replaces texts of the provider, which may repeat the prompt. */
const DELETED = 'Deleted with its task.'

/** Removes a task's content after its images are deleted. Hold its lock. */
export async function eraseTask(
  q: Transaction,
  task: TaskRow,
  attempts: readonly AttemptRow[],
  at: number,
): Promise<void> {
  const { id } = task
  const { attempts: attemptsTable, callbacks, resultAddresses, tasks } = q.tables
  await q.sql
    .update(tasks)
    .set({
      request: withoutContent(task.request),
      fingerprint: '',
      warnings: [],
      error: withoutText(task.error),
      favorite: false,
      deletedAt: at,
    })
    .where(eq(tasks.id, id))
  for (const attempt of attempts.filter(({ error }) => error !== null))
    await q.sql
      .update(attemptsTable)
      .set({ error: withoutText(attempt.error) })
      .where(eq(attemptsTable.id, attempt.id))
  const attemptIds = attempts.map((attempt) => attempt.id)
  await q.sql.delete(resultAddresses).where(inArray(resultAddresses.attemptId, attemptIds))
  await q.sql.delete(callbacks).where(inArray(callbacks.attemptId, attemptIds))
  await removeDeliveriesOfTask(q, id)
  await removeFromIndexes(q, task)
}

async function removeFromIndexes(q: Transaction, task: TaskRow): Promise<void> {
  const { id: taskId, projectId, createdAt, request } = task
  const { taskInputs, taskLabels, tasksWithoutWords, taskWords } = q.tables
  await q.sql.delete(taskWords).where(eq(taskWords.taskId, taskId))
  await q.sql.delete(tasksWithoutWords).where(eq(tasksWithoutWords.taskId, taskId))
  // By their keys: neither table has an index of tasks.
  const { label } = taskLabels
  const isOfTask = and(eq(taskLabels.createdAt, createdAt), eq(taskLabels.taskId, taskId))
  const isLabel = and(eq(taskLabels.projectId, projectId), inArray(label, labelsOf(task)))
  await q.sql.delete(taskLabels).where(and(isLabel, isOfTask))
  const inputs = [...request.images, request.mask, request.markup]
  const ids = inputs.flatMap((input) => (input && 'assetId' in input ? input.assetId : []))
  await q.sql.delete(taskInputs).where(and(inArray(taskInputs.assetId, ids), eq(taskInputs.taskId, taskId)))
}

/** Keeps what reports group by, and the number of input images, which limits the cost. */
function withoutContent(request: ImageRequest): ImageRequest {
  return {
    ...request,
    prompt: '',
    images: request.images.map(nameless),
    mask: request.mask && nameless(request.mask),
    // Tasks of version 0.2 have no such field.
    markup: request.markup ? nameless(request.markup) : null,
    extra: null,
    callbackUrl: null,
  }
}

function nameless(image: InputImage): InputImage {
  return 'assetId' in image ? image : { assetId: '' }
}

function withoutText(error: TaskError | null): TaskError | null {
  return error && { ...error, message: DELETED }
}
