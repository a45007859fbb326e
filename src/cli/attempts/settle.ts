import { z } from 'zod'
import { formatCount } from '../../quantity.ts'
import { listProjects, type AdminClient } from '../admin-client.ts'
import { UsageError } from '../command.ts'
import type { Output } from '../output.ts'
import { PROBLEM_FIELDS, PROBLEMS, printProblems } from './problems.ts'
import type { ReviewOptions } from './show.ts'

const RESOLVED = z.object({ resolved: z.number(), remaining: z.number().nullable(), problems: PROBLEMS })

export async function resolveMany(
  client: AdminClient,
  projectName: string | undefined,
  {
    ids,
    reasons,
    filter,
    resolution,
    note,
  }: ReviewOptions & { ids: string[]; resolution: string; note: string },
): Promise<Output> {
  const query = `mutation ($ids: [ID!], $reasons: [ReviewReason!], $filter: ReviewFilter, $resolution: AttemptResolution!, $note: String!) {
    result: resolveAttempts(input: { ids: $ids, reasons: $reasons, filter: $filter, resolution: $resolution, note: $note }) {
      resolved remaining problems { ${PROBLEM_FIELDS} }
    }
  }`
  const isById = ids.length > 0
  const variables = { ...(isById ? { ids } : { reasons, filter }), resolution, note }
  let resolved = 0
  const problems: z.output<typeof PROBLEMS> = []
  for (const { id: projectId } of await listProjects(client, projectName)) {
    for (;;) {
      const { result } = await client.run({
        query,
        variables,
        shape: z.object({ result: RESOLVED }),
        projectId,
      })
      resolved += result.resolved
      const isLast = result.resolved === 0 || (result.remaining ?? 0) <= result.problems.length
      if (isLast) problems.push(...result.problems)
      if (isLast) break
    }
  }
  // An id is known in one project only.
  const others =
    isById && projectName === undefined ? problems.filter(({ code }) => code !== 'NOT_FOUND') : problems
  const text = `Resolved ${formatCount(resolved)} attempts.\n${printProblems(others)}`
  return { text, data: { resolved, problems: others } }
}

const ADJUSTED = z.object({ adjusted: z.number(), unchanged: z.number(), problems: PROBLEMS })
/** The maximum of adjustCosts. */
const MAX_LINES = 1_000

export async function adjustMany(
  client: AdminClient,
  projectName: string | undefined,
  lines: readonly { attemptId?: string; amountMicros: number }[],
  note: string,
): Promise<Output> {
  const costs = lines.map(({ attemptId, amountMicros: costMicros }, nth) => {
    if (attemptId === undefined) throw new UsageError(`Charge ${nth + 1} has no attempt_id.`)
    return { attemptId, costMicros }
  })
  const query = `mutation ($lines: [CostLineInput!]!, $note: String!) {
    result: adjustCosts(input: { lines: $lines, note: $note }) { adjusted unchanged problems { ${PROBLEM_FIELDS} } }
  }`
  let [adjusted, unchanged, left] = [0, 0, costs]
  const problems = new Map<string, z.output<typeof PROBLEMS>[number]>()
  for (const { id: projectId } of await listProjects(client, projectName)) {
    const unknown = new Set<string>()
    for (let at = 0; at < left.length; at += MAX_LINES) {
      const variables = { lines: left.slice(at, at + MAX_LINES), note }
      const { result } = await client.run({
        query,
        variables,
        shape: z.object({ result: ADJUSTED }),
        projectId,
      })
      adjusted += result.adjusted
      unchanged += result.unchanged
      for (const problem of result.problems) {
        problems.set(problem.attemptId, problem)
        if (problem.code === 'NOT_FOUND') unknown.add(problem.attemptId)
      }
    }
    for (const { attemptId } of left)
      if (!unknown.has(attemptId) && problems.get(attemptId)?.code === 'NOT_FOUND') problems.delete(attemptId)
    left = left.filter(({ attemptId }) => unknown.has(attemptId))
  }
  const notDone = [...problems.values()]
  const text = `Recorded the cost of ${formatCount(adjusted)} attempts; ${formatCount(unchanged)} had it already.\n${printProblems(notDone)}`
  return { text, data: { adjusted, unchanged, problems: notDone } }
}
