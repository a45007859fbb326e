import type { TaskRow } from '../../db/tables/tables.ts'
import { getTask } from '../../db/tasks/tasks.ts'
import { problemOf, type Problem } from './problem.ts'
import type { CreateRequest, RestWarning } from './read-request.ts'
import { readResult, type RestResult } from './result.ts'
import type { RestDeps } from './deps.ts'
import { hasAnswer } from './wait.ts'

/** Images, or why there are none. */
export type Answer = { result: RestResult; warnings: RestWarning[] } & (
  | { problem: undefined }
  | { problem: Problem }
)

export interface AnswerOptions extends Pick<CreateRequest, 'isForm' | 'warnings'> {
  isKeyed: boolean
  /** Asking again certainly attaches to this task. */
  attaches: boolean
}

/** Returns images even if the rest is unknown or canceled: they are paid for. */
export async function answerFor(
  { db }: Pick<RestDeps, 'db'>,
  { id }: Pick<TaskRow, 'id'>,
  { isForm, isKeyed, attaches, warnings }: AnswerOptions,
): Promise<Answer> {
  const task = await getTask(db.read, id)
  const result = await readResult(db.read, task)
  const { charged, images } = result
  if (!hasAnswer(task)) {
    const problem = problemOf({ is: 'WAITING', taskId: id, charged, attaches })
    return { result, warnings, problem }
  }
  if (images.length > 0) return { result, warnings: withMissing(task, result, warnings), problem: undefined }
  const problem =
    task.status === 'SUCCEEDED'
      ? problemOf({ is: 'EXPIRED', taskId: id, charged })
      : problemOf({ is: 'TASK', task, charged, isKeyed, param: isForm ? 'image' : 'images' })
  return { result, warnings, problem }
}

function withMissing(task: TaskRow, { images }: RestResult, warnings: RestWarning[]): RestWarning[] {
  if (task.status === 'SUCCEEDED' || images.length >= task.request.n) return warnings
  const message = `${images.length} of ${task.request.n} images are here; the others are ${task.status.toLowerCase()}.`
  return [...warnings, { code: 'IMAGES_MISSING', field: 'n', message }]
}
