import { exposeNullable } from '../expose.ts'
import { mutation } from '../mutation.ts'
import { requires } from '../scopes.ts'
import { TaskRef } from './task.ts'

export const PERMISSION = 'Permission to pay again. Required if an attempt was or may have been charged.'

mutation('cancelTask', {
  right: requires(
    'GENERATE',
    'Cancels a task, free of charge if it was not sent. A provider that has started is paid; its result is stored and the ' +
      'task ends as CANCELED. Idempotent. Errors: NOT_FOUND; CONFLICT if the task is SUCCEEDED or FAILED.',
  ),
  input: {
    description: 'Id of the task.',
    fields: (t) => ({
      id: t.id({ required: true, description: 'Id of a task that has not ended, task_….' }),
    }),
  },
  resolve: async ({ id }, { engine, projectId }) => ({ task: await engine.cancelTask(projectId, id) }),
  payload: (t) =>
    exposeNullable(t, TaskRef, { task: 'CANCELED, or still RUNNING if a provider works on it.' }),
})

mutation('retryTask', {
  right: requires(
    'GENERATE',
    'Repeats a FAILED or CANCELED task as a new task, whose `retryOf` is the old one. Resumes a task that is ' +
      'OUTCOME_UNKNOWN. Errors: NOT_FOUND, CONFLICT for other states or after 5 possible charges, ' +
      'CHARGE_PERMISSION_REQUIRED, BUDGET_EXCEEDED, PRICE_UNKNOWN, RATE_LIMITED, SHUTTING_DOWN.',
    { paid: true },
  ),
  input: {
    description: 'Id of the task, and the permission to pay again.',
    fields: (t) => ({
      id: t.id({
        required: true,
        description: 'Id of a task, task_…, that is FAILED, CANCELED or OUTCOME_UNKNOWN.',
      }),
      acceptPossibleSecondCharge: t.boolean({ defaultValue: false, description: PERMISSION }),
    }),
  },
  resolve: async ({ id, acceptPossibleSecondCharge }, { engine, caller }) => ({
    task: await engine.retryTask(caller, id, {
      acceptPossibleSecondCharge: acceptPossibleSecondCharge ?? false,
    }),
  }),
  payload: (t) => exposeNullable(t, TaskRef, { task: 'The new task, or the resumed one.' }),
})
