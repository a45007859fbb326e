import { OperationRefused } from '../graphql.ts'
import { visibleProjects, type ServerClient } from '../server-client.ts'
import { GET_TASK, type TaskDetails } from './operations.ts'

export interface FoundTask {
  task: TaskDetails
  projectId: string
}

/** In every readable project. Throws OperationRefused without one. */
export async function findTask(client: ServerClient, id: string): Promise<FoundTask> {
  for (const { id: projectId } of await visibleProjects(client)) {
    const { task } = await client.run({ ...GET_TASK, variables: { id }, projectId })
    if (task) return { task, projectId }
  }
  throw new OperationRefused(`There is no task ${id}.`, 'NOT_FOUND')
}
