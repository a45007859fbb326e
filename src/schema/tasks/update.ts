import { builder, withoutNulls } from '../builder.ts'
import { exposeNullable } from '../expose.ts'
import { mutation } from '../mutation.ts'
import { requires } from '../scopes.ts'
import { MetadataInput } from './generate-image.ts'
import { TaskRef } from './task.ts'

const MetadataChangeInput = builder.inputType('MetadataChangeInput', {
  description: 'A label to set on a task, or to remove from it.',
  fields: (t) => ({
    key: t.string({ required: true, description: '1 to 64 letters, digits, dots, dashes and underscores.' }),
    value: t.string({ description: 'Text of up to 500 characters. Null removes the label.' }),
  }),
})

mutation('updateTask', {
  right: requires(
    'GENERATE',
    'Changes labels of a task in any state; filters and searches find the new ones at once. Raises `Task.revision`; no event ' +
      'reports it. Usage reports group all attempts of the task by its current labels. Idempotent. Errors: NOT_FOUND.',
  ),
  input: {
    description: 'Labels to change. An absent field, or null, stays as it is.',
    fields: (t) => ({
      id: t.id({ required: true, description: 'Id of a task in any state, task_….' }),
      metadata: t.field({
        type: [MetadataInput],
        description: 'Replaces all labels: at most 16 with unique keys. An empty list removes all.',
      }),
      mergeMetadata: t.field({
        type: [MetadataChangeInput],
        description: 'Labels to set or to remove; the others stay. Not together with `metadata`.',
      }),
      favorite: t.boolean({ description: 'Whether to mark it, for `TaskFilter.favorite`.' }),
    }),
  },
  async resolve({ id, mergeMetadata, ...change }, { engine, projectId }) {
    const merged = mergeMetadata?.map(({ key, value }) => ({ key, value: value ?? null }))
    return {
      task: await engine.updateTask(projectId, id, { ...withoutNulls(change), mergeMetadata: merged }),
    }
  },
  payload: (t) => exposeNullable(t, TaskRef, { task: 'The task with its new labels and revision.' }),
})
