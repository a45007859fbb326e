import { exposeNullable } from '../expose.ts'
import { mutation } from '../mutation.ts'
import { requires } from '../scopes.ts'
import { TaskRef } from './task.ts'

const AFTERWARDS =
  'Attempts, ledger and reports stay as they are. URLs answer 410, and files are removed within a minute, unless another ' +
  'image has the same bytes. '

mutation('deleteTask', {
  right: requires(
    'GENERATE',
    'Deletes a task that has ended: its prompt, images, partial and input images, index entries, provider messages and webhook ' +
      `deliveries, also pending ones. ${AFTERWARDS}\`task\` and \`node\` return null from then on, and lists and taskFeed leave it ` +
      'out; no event reports it. Its idempotency key stays used. Audited. Idempotent. Errors: NOT_FOUND; CONFLICT if it has not ' +
      'ended: cancel it first.',
  ),
  input: {
    description: 'Id of the task.',
    fields: (t) => ({
      id: t.id({
        required: true,
        description: 'Id of a task, task_…, that is SUCCEEDED, FAILED or CANCELED.',
      }),
    }),
  },
  async resolve({ id }, { engine, caller }) {
    await engine.deleteTask(caller, id)
    return { deletedTaskId: id }
  },
  payload: (t) => ({
    deletedTaskId: t.exposeID('deletedTaskId', { description: 'Id of the deleted task, for client caches.' }),
  }),
})

mutation('deleteImage', {
  right: requires(
    'GENERATE',
    `Deletes one image of a task that has ended: a result, a partial image, an input image, a mask or markup. ${AFTERWARDS}Tasks that ` +
      'began with it keep its bytes as an input image of their own. Raises `Task.revision`; no event reports it. Audited. ' +
      'Idempotent. Errors: NOT_FOUND; CONFLICT if its task has not ended.',
  ),
  input: {
    description: 'Id of the image.',
    fields: (t) => ({
      id: t.id({ required: true, description: 'Id of an image of any kind, img_….' }),
    }),
  },
  resolve: async ({ id }, { engine, caller }) => ({
    deletedImageId: id,
    task: await engine.deleteImage(caller, id),
  }),
  payload: (t) => ({
    deletedImageId: t.exposeID('deletedImageId', {
      description: 'Id of the deleted image, for client caches.',
    }),
    ...exposeNullable(t, TaskRef, { task: 'The task without the image. Null if the task is deleted.' }),
  }),
})
