import { z } from 'zod'
import { findTask, listTasks, queriesFor } from '../../db/tasks/tasks.ts'
import { badInput, notFound } from '../../errors.ts'
import { readFilter } from '../../schema/tasks/task-filter.ts'
import { WAIT } from './arguments.ts'
import { describeTask, TASK, taskAnswer } from './task-result.ts'
import { defineTool, type ToolCall } from './tool.ts'
import { waitForTask } from './wait.ts'

const MAX_TASKS = 10

export const getTaskTool = defineTool({
  name: 'get_task',
  description:
    'Returns a task with its images, cost and error. With task_id it waits for the end of a running task. Without task_id it ' +
    'lists the newest tasks of the project, which finds an image again whose id is lost. Costs nothing.',
  scope: 'READ',
  annotations: { title: 'Get task', readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({
    task_id: z.string().optional().describe('Id of one task, task_….'),
    search: z
      .string()
      .optional()
      .describe('Without task_id: words of the prompt, such as "lighthouse dusk".'),
    ...WAIT,
  }),
  output: z.object({ tasks: z.array(TASK).describe('Newest first.') }),
  async run({ task_id: id, search, wait_seconds: seconds }, call) {
    if (id === undefined) return listRecent(search, call)
    if (search !== undefined) throw badInput('search', 'Pass either task_id or search.')
    const { context } = call
    const task = await findTask(context.db.read, context.projectId, id)
    if (!task) throw notFound('task', id, 'task_id')
    const answer = await taskAnswer(context, await waitForTask(call, task, seconds * 1000))
    // Reading a task that failed is no failure.
    return { ...answer, data: { tasks: [answer.data] }, isError: false }
  },
})

async function listRecent(search: string | undefined, { context }: ToolCall) {
  const { db, projectId } = context
  const filter = readFilter({ search })
  const rows = await listTasks(queriesFor(db, filter), projectId, filter, { limit: MAX_TASKS })
  const tasks = await Promise.all(rows.map(async (row) => (await describeTask(context, row)).data))
  const lines = tasks.map(
    ({ task_id, status, cost, images, prompt }) =>
      `${task_id}: ${status}, ${cost.text}, ${images.map(({ image_id }) => image_id).join(' ') || 'no image'}: ` +
      prompt.replaceAll(/\s+/g, ' ').slice(0, 80),
  )
  return { text: lines.length > 0 ? lines.join('\n') : 'No task was found.', data: { tasks } }
}
