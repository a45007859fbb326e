import { z } from 'zod'
import { REVIEW_REASONS } from '../../db/attempts/review.ts'
import { formatUsd } from '../../money.ts'
import { formatCount } from '../../quantity.ts'
import { listProjects, type AdminClient } from '../admin-client.ts'
import type { Paint } from '../screen.ts'
import { indented, renderTable } from '../table.ts'

export interface ReviewOptions {
  /** Null: all. */
  reasons: string[] | null
  /** As the GraphQL input `ReviewFilter`. */
  filter: Record<string, unknown>
}

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
): Promise<string> {
  const rows: string[][] = []
  for (const { id: projectId, name } of await listProjects(client, projectName)) {
    const { reviewCounts } = await client.run({
      query: `query ($reasons: [ReviewReason!], $filter: ReviewFilter) {
        reviewCounts(reasons: $reasons, filter: $filter) { ${Object.keys(COUNT.shape).join(' ')} }
      }`,
      variables: { reasons, filter },
      shape: z.object({ reviewCounts: z.array(COUNT) }),
      projectId,
    })
    for (const one of reviewCounts)
      rows.push([
        name,
        one.provider,
        one.reason.toLowerCase(),
        formatCount(one.attempts),
        formatUsd(one.amountMicros),
        formatCount(one.unpriced),
        toMinute(one.oldestAt),
      ])
  }
  if (rows.length === 0) return 'No attempts need review.\n'
  const columns = [
    ...['Project', 'Provider', 'Reason'].map((head) => ({ head })),
    ...['Attempts', 'Amount', 'No amount'].map((head) => ({ head, align: 'right' as const })),
    { head: 'Oldest' },
  ]
  return indented(renderTable({ columns, rows }, paint))
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
): Promise<string> {
  const rows: string[][] = []
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
      for (const { id, provider, heldMicros, estimatedMicros, sentAt, error } of page.nodes) {
        const amount = estimatedMicros ?? heldMicros
        rows.push([
          name,
          id,
          provider.name,
          reason.toLowerCase(),
          error?.code.toLowerCase() ?? '–',
          amount === null ? '?' : formatUsd(amount),
          toMinute(sentAt),
        ])
      }
    }
  if (rows.length === 0) return 'No attempts need review.\n'
  const heads = ['Project', 'ID', 'Provider', 'Reason', 'Error', 'Amount', 'Sent']
  return indented(renderTable({ columns: heads.map((head) => ({ head })), rows }, paint))
}

function toMinute(date: string | null): string {
  return date?.slice(0, 16).replace('T', ' ') ?? '–'
}
