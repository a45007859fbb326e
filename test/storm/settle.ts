// The end of a run with crashes or outages: waits for all tasks, and compares the records.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { inspectDatabase } from '../../src/db/connection/inspect.ts'
import type { AttemptRow } from '../../src/db/tables/tables.ts'
import { findAttention } from '../../src/engine/maintenance/attention.ts'
import { readFinalState } from '../support/final-state.ts'
import type { Place } from '../support/database.ts'
import type { GatewayProcess } from '../support/gateway-process.ts'
import { groupDiscrepancies } from './discrepancies.ts'
import type { Evidence } from './evidence.ts'
import { MODES, type Charge } from './upstreams.ts'
import { countPaidAgain, judge } from './verdict.ts'

export interface Settled {
  /** The number of tasks by status. */
  ends: Record<string, number>
  /** The time until every task had ended or had an unknown outcome. */
  settledMs: number
  /** Discrepancies, in sentences. */
  discrepancies: string[]
  /** The attempts that discrepancies name, and what happened to them and to the processes. */
  details: string[]
  /** The number of discrepancies of each kind. */
  counts: Record<string, number>
  /** Tasks that were charged more than once. */
  paidAgain: number
}

export interface SettleRecords {
  ids: string[]
  charges: () => string[]
  received?: Iterable<string>
  /** After the end of all tasks, before the gateways are stopped. */
  beforeStop?: (() => Promise<void>) | undefined
  /** Of a storm, whose upstreams also keep amounts. While it is busy, an unknown outcome may still be found. */
  more?: { evidence: Evidence; bills: () => readonly Charge[]; isBusy: () => Promise<boolean> }
}

/** Without progress. */
const MAX_SETTLE_MS = 120_000
/** Longer than the time between two late checks, and than it takes to record a reply. */
const QUIET_MS = 2500

/** Waits for all tasks at the first gateway, stops all gateways, and compares the records. */
export async function settle(
  place: Place,
  gateways: GatewayProcess[],
  { ids, charges, received = [], more, beforeStop }: SettleRecords,
): Promise<Settled> {
  const [gateway] = gateways
  if (!gateway) throw new Error('No gateway is running.')
  const startedAt = performance.now()
  let open = ids
  let [closedAt, progressAt] = [startedAt, startedAt]
  const quietMs = more ? QUIET_MS : 0
  while (performance.now() - closedAt <= quietMs || open.length > 0) {
    if (performance.now() - progressAt > MAX_SETTLE_MS) break
    await pause(open.length > 0 ? 200 : quietMs / 3)
    // A late check may open a task again.
    const before = open.length
    open = await listOpen(gateway, before > 0 ? open : ids).catch(() => open)
    if (open.length < before) progressAt = performance.now()
    if (open.length > 0 || (await more?.isBusy())) closedAt = performance.now()
  }
  const settledMs = Math.round(performance.now() - startedAt)
  const listed = await listUnknownOutcomes(gateway)
  await beforeStop?.()
  await Promise.all(gateways.map((one) => one[Symbol.asyncDispose]()))

  const final = await readFinalState(place)
  const ends: Record<string, number> = {}
  for (const { status } of final.tasks) ends[status] = (ends[status] ?? 0) + 1
  const records = { ids, charges: charges(), received, listed }
  const bills = more?.bills() ?? []
  const found: Record<string, string[]> = {
    open: open.map((id) => `${id} has neither ended nor an unknown outcome`),
    unrequested:
      final.tasks.length === ids.length ? [] : [`there are ${final.tasks.length} tasks, not ${ids.length}`],
    ...(more
      ? { ...judge(final, records, { ...more, bills }), attention: await listAttention(place) }
      : groupDiscrepancies(final, records)),
  }
  const discrepancies = Object.values(found).flat()
  const named = final.attempts.filter(({ id, taskId }) =>
    discrepancies.some((one) => one.includes(id) || one.includes(taskId)),
  )
  return {
    ends,
    settledMs,
    discrepancies,
    details: [...named.map(describe), ...(more?.evidence.journal.linesOf(named.map(({ id }) => id)) ?? [])],
    counts: Object.fromEntries(Object.entries(found).map(([kind, sentences]) => [kind, sentences.length])),
    paidAgain: countPaidAgain(final, bills),
  }
}

/** What the doctor reports beside the invariants. */
async function listAttention(place: Place): Promise<string[]> {
  const options = { spool: spoolOf(place), providers: MODES, now: Date.now() }
  const { result } = await inspectDatabase(place, (q) => findAttention(q, options))
  return result.flatMap(({ sentence, cases }) => cases.map((one) => `${sentence}: ${one}`))
}

const FACTS = [
  'wirePhase',
  'httpStatus',
  'remoteId',
  'leaseOwner',
  'leaseEpoch',
  'leaseUntil',
  'runAfter',
  'failedChecks',
  'missingChecks',
  'dataFolderId',
  'createdAt',
  'sentAt',
  'finishedAt',
] as const satisfies (keyof AttemptRow)[]

function describe(attempt: AttemptRow): string {
  const { id, taskId, number, provider, state, error } = attempt
  const facts = Object.fromEntries(FACTS.map((name) => [name, attempt[name]]))
  return `${id}, ${number} of ${taskId} at ${provider}: ${state}, ${error?.message}, ${JSON.stringify(facts)}`
}

async function listOpen(gateway: GatewayProcess, ids: string[]): Promise<string[]> {
  const open: string[] = []
  for (let at = 0; at < ids.length; at += 100) {
    const some = ids.slice(at, at + 100)
    const { nodes } = await gateway.get<{ nodes: (OpenTask | null)[] }>(
      'query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Task { status attempts { state } } } }',
      { ids: some },
    )
    open.push(...some.filter((_, i) => isOpen(nodes[i] ?? null)))
  }
  return open
}

interface OpenTask {
  status: string
  attempts: { state: string }[]
}

/** A late result may still be on its way to a task that has ended. */
function isOpen(task: OpenTask | null): boolean {
  if (!task || ['QUEUED', 'RUNNING'].includes(task.status)) return true
  return task.attempts.some(({ state }) => LIVE.has(state))
}

const LIVE = new Set(['PLANNED', 'LEASED', 'SENDING', 'ACCEPTED', 'FETCHING'])

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
