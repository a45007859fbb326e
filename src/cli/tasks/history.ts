import { z } from 'zod'
import { OperationRefused } from '../graphql.ts'
import type { ServerClient } from '../server-client.ts'
import { learnEstimate, type Estimate } from '../terminal/estimate.ts'
import type { FoundTask } from './find.ts'

const FINISHED = z.object({
  provider: z.object({ name: z.string() }).nullable(),
  quality: z.string(),
  size: z.string(),
  n: z.number(),
  startedAt: z.string().nullable(),
  finishedAt: z.string().nullable(),
})

type FinishedTask = z.output<typeof FINISHED>

const QUERY = `query ($filter: TaskFilter!) {
  tasks(filter: $filter, first: 100) { nodes { ${Object.keys(FINISHED.shape).join(' ').replace('provider', 'provider { name }')} } }
}`

/** With fewer, tasks with other settings count too. */
const ENOUGH = 5

export interface History {
  estimate: Estimate
  /** In milliseconds; none if the caller may not read tasks. */
  durationsMs: number[]
}

/** Of the latest tasks of the same model that succeeded, preferably with the same settings. */
export async function readHistory(client: ServerClient, { task, projectId }: FoundTask): Promise<History> {
  const shape = z.object({ tasks: z.object({ nodes: z.array(FINISHED) }) })
  const variables = { filter: { statuses: ['SUCCEEDED'], models: [task.model] } }
  const { tasks } = await client
    .run({ query: QUERY, variables, shape, projectId })
    .catch((error: unknown) => {
      if (error instanceof OperationRefused) return { tasks: { nodes: [] } }
      throw error
    })
  const durationsMs = mostSimilar(tasks.nodes, task).flatMap(durationOf)
  return { estimate: learnEstimate(durationsMs), durationsMs }
}

/** The narrowest set that is large enough, else the widest. */
function mostSimilar(all: readonly FinishedTask[], task: FoundTask['task']): readonly FinishedTask[] {
  const sameQuality = all.filter(({ quality }) => quality === task.quality)
  const sameSettings = sameQuality.filter(({ size, n }) => size === task.size && n === task.n)
  const sameProvider = sameSettings.filter(({ provider }) => provider?.name === task.provider?.name)
  return [sameProvider, sameSettings, sameQuality].find(({ length }) => length >= ENOUGH) ?? all
}

function durationOf({ startedAt, finishedAt }: FinishedTask): number[] {
  if (startedAt === null || finishedAt === null) return []
  return [Math.max(0, Date.parse(finishedAt) - Date.parse(startedAt))]
}
