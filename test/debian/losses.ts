// Attempts of unknown outcome at the provider `sandbox`.
import { expect } from 'vitest'
import type { TaskStatus } from '../../src/domain.ts'
import type { Client } from '../support/client.ts'

export interface Losses {
  /** Sends tasks at once, and returns their ids when their outcomes are unknown. */
  lose(count: number): Promise<string[]>
  /** Until no outcome is unknown: tasks that were decided as not charged run again, and are lost again. */
  settle(): Promise<void>
}

const RESOLVE = `mutation {
  resolveAttempts(
    input: { filter: {}, reasons: [OUTCOME_UNKNOWN], resolution: CHARGED_RESULT_LOST, note: "end of a test" }
  ) { resolved }
}`

export function createLosses(operator: Client): Losses {
  /** Failures put the provider into a cooldown, in which later tasks would wait. */
  async function resume(): Promise<void> {
    await operator.get('mutation { resumeProvider(input: { name: "sandbox" }) { provider { health } } }')
  }

  async function count(...statuses: TaskStatus[]): Promise<number> {
    const { tasks } = await operator.get<{ tasks: { nodes: unknown[] } }>(
      'query ($statuses: [TaskStatus!]) { tasks(filter: { statuses: $statuses }) { nodes { id } } }',
      { statuses },
    )
    return tasks.nodes.length
  }

  return {
    async lose(size) {
      const inputs = Array.from({ length: size }, (_, index) => ({
        prompt: `lost ${index} [sandbox:vanish]`,
        providers: ['sandbox'],
      }))
      const { generateImages } = await operator.get<{
        generateImages: { outcomes: { task: { id: string } }[] }
      }>(
        'mutation ($inputs: [GenerateImageInput!]!) { generateImages(input: { inputs: $inputs }) { outcomes { task { id } } } }',
        { inputs },
      )
      await expect
        .poll(async () => {
          await resume()
          return count('QUEUED', 'RUNNING')
        })
        .toBe(0)
      await resume()
      return generateImages.outcomes.map(({ task }) => task.id)
    },
    async settle() {
      await expect
        .poll(async () => {
          await resume()
          await operator.get(RESOLVE)
          return count('QUEUED', 'RUNNING', 'OUTCOME_UNKNOWN')
        })
        .toBe(0)
    },
  }
}
