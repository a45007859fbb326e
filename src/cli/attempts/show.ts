import { z } from 'zod'
import { REVIEW_REASONS } from '../../db/attempts/review.ts'
import { formatUsd } from '../../money.ts'
import { formatCount } from '../../quantity.ts'
import { listProjects, type AdminClient } from '../admin-client.ts'
import type { Output } from '../output.ts'
import type { Paint } from '../screen.ts'
import { indented, renderTable } from '../table.ts'

export interface ReviewOptions {
  /** Null: all. */
  reasons: string[] | null
  /** GraphQL input `ReviewFilter`. */
  filter: Record<string, unknown>
}

const NONE = 'No attempts need review.\n'

const COUNT = z.object({
  provider: z.string(),
  reason: z.string(),
  attempts: z.number(),
  unpriced: z.number(),
  amountMicros: z.number(),
  oldestAt: z.string(),
})

export async function countAttempts(
  client: AdminClient,
  projectName: string | undefined,
  { reasons, filter }: ReviewOptions,
  paint: Paint,
): Promise<Output> {
  const found: (z.output<typeof COUNT> & { project: string })[] = []
  for (const { id: projectId, name } of await listProjects(client, projectName)) {
    const { reviewCounts } = await client.run({
      query: `query ($reasons: [ReviewReason!], $filter: ReviewFilter) {
        reviewCounts(reasons: $reasons, filter: $filter) { ${Object.keys(COUNT.shape).join(' ')} }
      }`,
      variables: { reasons, filter },
      shape: z.object({ reviewCounts: z.array(COUNT) }),
      projectId,
    })
    found.push(...reviewCounts.map((one) => ({ project: name, ...one })))
  }
  const data = { counts: found }
  if (found.length === 0) return { text: NONE, data }
  const rows = found.map((one) => [
    one.project,
    one.provider,
    one.reason.toLowerCase(),
    formatCount(one.attempts),
    formatUsd(one.amountMicros),
    formatCount(one.unpriced),
    toMinute(one.oldestAt),
  ])
  const columns = [
    ...['Project', 'Provider', 'Reason'].map((head) => ({ head })),
    ...['Attempts', 'Amount', 'No amount'].map((head) => ({ head, align: 'right' as const })),
    { head: 'Oldest' },
  ]
  return { text: indented(renderTable({ columns, rows }, paint)), data }
}

const LISTED = z.object({
  id: z.string(),
  provider: z.object({ name: z.string() }),
  state: z.string(),
  heldMicros: z.number().nullable(),
  estimatedMicros: z.number().nullable(),
  sentAt: z.string().nullable(),
  error: z.object({ code: z.string() }).nullable(),
})

/** At most 100 per reason and project. */
export async function listAttempts(
  client: AdminClient,
  projectName: string | undefined,
  { reasons, filter }: ReviewOptions,
  paint: Paint,
): Promise<Output> {
  const found: (z.output<typeof LISTED> & { project: string; reason: string })[] = []
  for (const { id: projectId, name } of await listProjects(client, projectName))
    for (const reason of reasons ?? REVIEW_REASONS) {
      const { page } = await client.run({
        query: `query ($reason: ReviewReason, $filter: ReviewFilter) {
          page: attemptsNeedingReview(reason: $reason, filter: $filter, first: 100) {
            nodes { id provider { name } state heldMicros estimatedMicros sentAt error { code } }
          }
        }`,
        variables: { reason, filter },
        shape: z.object({ page: z.object({ nodes: z.array(LISTED) }) }),
        projectId,
      })
      found.push(...page.nodes.map((one) => ({ project: name, reason, ...one })))
    }
  const data = { attempts: found }
  if (found.length === 0) return { text: NONE, data }
  const rows = found.map((one) => {
    const amount = one.estimatedMicros ?? one.heldMicros
    return [
      one.project,
      one.id,
      one.provider.name,
      one.reason.toLowerCase(),
      one.error?.code.toLowerCase() ?? '–',
      amount === null ? '?' : formatUsd(amount),
      toMinute(one.sentAt),
    ]
  })
  const heads = ['Project', 'ID', 'Provider', 'Reason', 'Error', 'Amount', 'Sent']
  const text = indented(renderTable({ columns: heads.map((head) => ({ head })), rows }, paint))
  return { text, data }
}

function toMinute(date: string | null): string {
  return date?.slice(0, 16).replace('T', ' ') ?? '–'
}
