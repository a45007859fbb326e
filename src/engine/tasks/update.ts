import type { TaskRow } from '../../db/tables/tables.ts'
import { changeLabels, lockTaskOfProject } from '../../db/tasks/tasks.ts'
import { badInput, notFound } from '../../errors.ts'
import type { Deps } from '../deps.ts'
import { checkMetadata, MAX_LABELS, type MetadataChange } from './input.ts'

/** Absent fields stay as they are. */
export interface TaskLabels {
  /** Replaces all. */
  metadata?: readonly { key: string; value: string }[] | undefined
  mergeMetadata?: readonly MetadataChange[] | undefined
  favorite?: boolean | undefined
}

/** In any state. No event: the revision rises if anything changes. Throws NOT_FOUND and BAD_USER_INPUT. */
export async function updateTask(
  { db }: Pick<Deps, 'db'>,
  projectId: string,
  id: string,
  { metadata, mergeMetadata, favorite }: TaskLabels,
): Promise<TaskRow> {
  if (metadata && mergeMetadata)
    throw badInput('mergeMetadata', 'metadata replaces all labels; send either metadata or mergeMetadata.')
  const field = metadata ? 'metadata' : 'mergeMetadata'
  const given: readonly MetadataChange[] = metadata ?? mergeMetadata ?? []
  const [problem] = checkMetadata(field, given)
  if (problem) throw badInput(...problem)
  return db.tx(async (q) => {
    const task = await lockTaskOfProject(q, projectId, id)
    if (!task) throw notFound('task', id, 'id')
    const { request } = task
    const before = new Map(Object.entries(request.metadata))
    const labels = new Map<string, string>(metadata ? [] : before)
    for (const { key, value } of given)
      if (value === null) labels.delete(key)
      else labels.set(key, value)
    if (labels.size > MAX_LABELS)
      throw badInput(field, `${id} would have ${labels.size} labels; the maximum is ${MAX_LABELS}.`)
    const isRelabeled =
      labels.size !== before.size || [...labels].some(([key, value]) => before.get(key) !== value)
    const isMarked = favorite !== undefined && favorite !== task.favorite
    if (!isRelabeled && !isMarked) return task
    return changeLabels(q, task, {
      ...(isRelabeled && { request: { ...request, metadata: Object.fromEntries(labels) } }),
      ...(isMarked && { favorite }),
    })
  })
}
