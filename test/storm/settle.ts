// The end of a run with crashes or outages: waits for all tasks, and compares the records.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { readFinalState } from '../support/final-state.ts'
import type { Place } from '../support/database.ts'
import type { GatewayProcess } from '../support/gateway-process.ts'
import { findDiscrepancies } from './discrepancies.ts'

export interface Settled {
  /** The number of tasks by status. */
  ends: Record<string, number>
  /** The time until every task had ended or had an unknown outcome. */
  settledMs: number
  /** Discrepancies, in sentences. */
  discrepancies: string[]
}

const MAX_SETTLE_MS = 120_000

/** Waits for all tasks at the first gateway, stops all gateways, and compares the records. */
export async function settle(
  place: Place,
  gateways: GatewayProcess[],
  records: { ids: string[]; charges: () => string[]; received?: Iterable<string> },
): Promise<Settled> {
  const [gateway] = gateways
  if (!gateway) throw new Error('No gateway is running.')
  const { ids, charges, received = [] } = records
  const startedAt = performance.now()
  let open = ids
  while (open.length > 0 && performance.now() - startedAt < MAX_SETTLE_MS) {
    await pause(200)
    open = await listOpen(gateway, open).catch(() => open)
  }
  const settledMs = Math.round(performance.now() - startedAt)
  const listed = await listUnknownOutcomes(gateway)
  await Promise.all(gateways.map((one) => one[Symbol.asyncDispose]()))

  const final = await readFinalState(place)
  const ends: Record<string, number> = {}
  for (const { status } of final.tasks) ends[status] = (ends[status] ?? 0) + 1
  const discrepancies = [
    ...open.map((id) => `${id} has neither ended nor an unknown outcome`),
    ...(final.tasks.length === ids.length
      ? []
      : [`there are ${final.tasks.length} tasks, not ${ids.length}`]),
    ...findDiscrepancies(final, { ids, charges: charges(), received, listed }),
  ]
  return { ends, settledMs, discrepancies }
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

const RECEIVED_ANSWER = '.receipt.json'

/** The folder of received answers, and of files that are being received. */
export function spoolOf({ dataDir }: Place): string {
  return join(dataDir, 'assets', 'spool')
}

export function isReceivedAnswer(fileName: string | null): boolean {
  return fileName?.endsWith(RECEIVED_ANSWER) ?? false
}

/** The attempts whose received answer is in the spool. */
export async function listReceived(place: Place): Promise<string[]> {
  const names = await readdir(spoolOf(place)).catch(() => [])
  return names.filter(isReceivedAnswer).map((name) => name.replace(RECEIVED_ANSWER, ''))
}
