// The end of an ordeal: wait until every task has ended or stands as unknown, then lay the upstream's books beside ours.
import { setTimeout as pause } from 'node:timers/promises'
import { compare, type Outside } from '../storm/books.ts'
import { readFinalState } from '../support/final-state.ts'
import type { Place } from '../support/database.ts'
import type { GatewayProcess } from '../support/gateway-process.ts'

export interface Settled {
  /** How the tasks ended, by status. */
  ends: Record<string, number>
  /** How long it took until everything was settled or stood as unknown. */
  settledMs: number
  /** What should not be, in sentences. */
  harm: string[]
}

/** The promise: by then every unknown outcome is listed. */
const SETTLED_WITHIN_MS = 45_000

/** Asks the first gateway until all is settled, stops them all, and compares. */
export async function settle(
  place: Place,
  gateways: GatewayProcess[],
  outside: Omit<Outside, 'listed'>,
): Promise<Settled> {
  const [gateway] = gateways
  if (!gateway) throw new Error('No gateway is left to ask.')
  const { ids } = outside
  const at = performance.now()
  let open = ids
  while (open.length > 0 && performance.now() - at < SETTLED_WITHIN_MS) {
    await pause(200)
    open = await listOpen(gateway, open).catch(() => open)
  }
  const settledMs = Math.round(performance.now() - at)
  const listed = await listUnknownOutcomes(gateway)
  await Promise.all(gateways.map((one) => one[Symbol.asyncDispose]()))

  const aftermath = await readFinalState(place)
  const ends: Record<string, number> = {}
  for (const { status } of aftermath.tasks) ends[status] = (ends[status] ?? 0) + 1
  const harm = [
    ...open.map((id) => `${id} has neither ended nor is it unknown`),
    ...(aftermath.tasks.length === ids.length
      ? []
      : [`there are ${aftermath.tasks.length} tasks, not ${ids.length}`]),
    ...compare(aftermath, { ...outside, listed }),
  ]
  return { ends, settledMs, harm }
}

async function listOpen(gateway: GatewayProcess, ids: string[]): Promise<string[]> {
  const open: string[] = []
  for (let at = 0; at < ids.length; at += 100) {
    const some = ids.slice(at, at + 100)
    const { nodes } = await gateway.get<{ nodes: ({ status: string } | null)[] }>(
      'query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Task { status } } }',
      { ids: some },
    )
    open.push(...some.filter((_, i) => ['QUEUED', 'RUNNING', undefined].includes(nodes[i]?.status)))
  }
  return open
}

interface Review {
  attemptsNeedingReview: {
    nodes: { id: string }[]
    pageInfo: { hasNextPage: boolean; endCursor: string | null }
  }
}

async function listUnknownOutcomes(gateway: GatewayProcess): Promise<string[]> {
  const ids: string[] = []
  for (let after: string | null = null; ;) {
    const { attemptsNeedingReview: page }: Review = await gateway.get<Review>(
      'query ($after: String) { attemptsNeedingReview(first: 100, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } }',
      { after },
    )
    ids.push(...page.nodes.map(({ id }) => id))
    if (!page.pageInfo.hasNextPage) return ids
    after = page.pageInfo.endCursor
  }
}
