// Stores attempts of every kind directly in the tables, and computes the expected report from each of them,
// independently of the implementation.
import type { Database } from '../../src/db/connection/database.ts'
import { DEFAULT_PROJECT } from '../../src/db/access/projects.ts'
import type { AttemptRow, Tables } from '../../src/db/tables/tables.ts'
import { addUsage, USAGE_COUNTS, type UsageCounts } from '../../src/db/money/usage.ts'
import type { AttemptState, Charged, Quality, TaskStatus } from '../../src/domain.ts'
import { countsOf } from '../../src/engine/attempts/ledger.ts'
import type { UsageQuery } from '../../src/engine/usage/query.ts'
import type { UsageReport, UsageRow } from '../../src/engine/usage/report.ts'
import { newId } from '../../src/ids.ts'
import { createRandom, type Random } from '../support/random.ts'
import { plainRequest } from '../support/rows.ts'

export const OTHER_PROJECT = 'prj_00000000000000000000000001'

type NewTask = Tables['tasks']['$inferInsert']

export interface Stored {
  task: NewTask
  attempt: AttemptRow
}

const STATES: [AttemptState, Charged, TaskStatus][] = [
  ['SUCCEEDED', 'YES', 'SUCCEEDED'],
  ['SUCCEEDED', 'YES', 'SUCCEEDED'],
  ['SUCCEEDED', 'YES', 'SUCCEEDED'],
  ['PLANNED', 'NO', 'QUEUED'],
  ['REJECTED', 'NO', 'FAILED'],
  ['CANCELED', 'NO', 'CANCELED'],
  ['FAILED', 'UNKNOWN', 'FAILED'],
  ['FAILED', 'YES', 'FAILED'],
  ['UNKNOWN', 'UNKNOWN', 'OUTCOME_UNKNOWN'],
]

/** Stores `count` tasks with one or two attempts each, at random times from `from` to `to`. */
export async function storeAttempts(
  db: Database,
  seed: string,
  { count, from, to }: { count: number; from: number; to: number },
): Promise<Stored[]> {
  const random = createRandom(seed)
  const stored = Array.from({ length: count }).flatMap(() => {
    const at = Math.floor(from + random.next() * (to - from))
    const task = makeTask(random, at)
    const number = random.next() < 0.2 ? [1, 2] : [1]
    return number.map((nth) => ({ task, attempt: makeAttempt(random, task, nth, at + (nth - 1) * 61_000) }))
  })
  await db.tx(async (q) => {
    const { projects, tasks, attempts } = q.tables
    await q.sql.insert(projects).values({ id: OTHER_PROJECT, name: 'other', createdAt: from })
    for (const rows of chunks([...new Set(stored.map(({ task }) => task))]))
      await q.sql.insert(tasks).values(rows)
    for (const rows of chunks(stored.map(({ attempt }) => attempt))) await q.sql.insert(attempts).values(rows)
    for (const { attempt } of stored) await addUsage(q, attempt, countsOf(attempt))
  })
  return stored
}

function* chunks<T>(rows: T[]): Generator<T[]> {
  for (let at = 0; at < rows.length; at += 100) yield rows.slice(at, at + 100)
}

function makeTask(random: Random, createdAt: number): NewTask {
  const [, , status] = random.pick(STATES)
  const finished = ['SUCCEEDED', 'FAILED', 'CANCELED'].includes(status)
  return {
    id: newId('task', createdAt),
    projectId: random.pick([DEFAULT_PROJECT, DEFAULT_PROJECT, OTHER_PROJECT]),
    apiKeyId: random.pick([null, 'key_a', 'key_b']),
    status,
    operation: random.pick(['GENERATE', 'GENERATE', 'EDIT'] as const),
    model: random.pick(['gpt-image-2', 'gpt-image-1.5']),
    request: {
      ...plainRequest,
      size: random.pick(['auto', '1024x1024', '1536x1024']),
      quality: random.pick<Quality>(['AUTO', 'LOW', 'HIGH']),
      user: random.pick([null, 'ann', 'bob', 'O’Neil, "Jr."']),
      metadata: random.pick<Record<string, string>>([
        {},
        { team: 'red' },
        { team: 'blue', 'cost.center': '7' },
      ]),
    },
    fingerprint: 'none',
    maxCharges: 2,
    warnings: [],
    createdAt,
    finishedAt: finished ? createdAt : null,
  }
}

function makeAttempt(random: Random, task: NewTask, number: number, createdAt: number): AttemptRow {
  const [state, charged] =
    number === 1 && random.next() < 0.1 ? (['REJECTED', 'NO'] as const) : random.pick(STATES)
  const paid = charged === 'YES'
  const reported = paid && random.next() < 0.8
  const costMicros = paid && random.next() < 0.8 ? Math.floor(random.next() * 300_000) : null
  const isEstimated = state === 'FAILED' && costMicros === null && random.next() < 0.5
  const tokens = (max: number) => (reported && random.next() < 0.9 ? Math.floor(random.next() * max) : null)
  return {
    id: newId('att', createdAt),
    taskId: task.id,
    projectId: task.projectId,
    apiKeyId: task.apiKeyId ?? null,
    number,
    part: number - 1,
    n: 1,
    firstImage: 0,
    provider: random.pick(['openai', 'jimmy', 'acedata']),
    model: task.model,
    state,
    charged,
    runAfter: createdAt,
    leaseOwner: null,
    leaseEpoch: 0,
    leaseUntil: null,
    dataFolderId: null,
    remoteId: null,
    missingChecks: 0,
    failedChecks: 0,
    unobservedMs: 0,
    callbackSha256: null,
    wirePhase: 'NONE',
    httpStatus: null,
    providerRequestId: null,
    error: null,
    resolved: random.pick<Record<string, string> | null>([
      null,
      {},
      { size: '1024x1024', quality: 'MEDIUM' },
    ]),
    inputTokens: tokens(1000),
    outputTokens: tokens(9000),
    totalTokens: tokens(10_000),
    inputTextTokens: tokens(100),
    inputImageTokens: tokens(900),
    outputTextTokens: tokens(10),
    svgInputTokens: tokens(9000),
    svgOutputTokens: tokens(9000),
    svgReasoningTokens: tokens(900),
    svgCostMicros: costMicros === null ? null : Math.floor(costMicros / 3),
    outputImageTokens: tokens(9000),
    usageSource: reported ? 'REPORTED' : 'UNKNOWN',
    images: state === 'SUCCEEDED' ? random.pick([1, 1, 4]) : 0,
    heldMicros: random.pick([null, 50_000, 123_457]),
    costMicros,
    estimatedMicros: isEstimated ? random.pick([0, 40_000, 77_777]) : null,
    chargePolicy: null,
    billedWithoutPermit: false,
    priceVersion: null,
    createdAt,
    sentAt: createdAt,
    finishedAt: null,
  }
}

/** The expected rows and totals of a report. */
export function expectedReport(
  stored: readonly Stored[],
  query: UsageQuery,
): Pick<UsageReport, 'totals'> & { rows: { name: string; counts: UsageCounts }[] } {
  const selected = stored.filter((one) => isSelected(one, query))
  const groups = Map.groupBy(selected, (one) => nameOf(one, query))
  return {
    totals: sumOf(selected),
    rows:
      query.groupBy.length === 0
        ? []
        : [...groups].map(([name, of]) => ({ name, counts: sumOf(of) })).toSorted(byName),
  }
}

/** The rows of a report in the form of expectedReport. */
export function namedRows(rows: readonly UsageRow[]): { name: string; counts: UsageCounts }[] {
  return rows
    .map(({ hour, day, month, keys, counts }) => {
      const labels = { HOUR: hour?.label, DAY: day?.label, MONTH: month?.label }
      const name = JSON.stringify([...Object.values(labels).map((label) => label ?? ''), sortedKeys(keys)])
      return { name, counts }
    })
    .toSorted(byName)
}

function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : 1
}

function sortedKeys(keys: object): [string, unknown][] {
  return Object.entries(keys).toSorted(([a], [b]) => (a < b ? -1 : 1))
}

const passes = (names: readonly (string | null)[] | undefined, name: string | null | undefined) =>
  names?.includes(name ?? null) ?? true

function isSelected({ task, attempt }: Stored, { projectId, from, to, filter }: UsageQuery): boolean {
  const properties = propertiesOf({ task, attempt })
  return (
    (projectId === null || attempt.projectId === projectId) &&
    attempt.createdAt >= from &&
    attempt.createdAt < (to ?? Infinity) &&
    passes(filter.apiKeyIds, attempt.apiKeyId) &&
    passes(filter.providers, attempt.provider) &&
    passes(filter.models, attempt.model) &&
    passes(filter.users, properties.user) &&
    passes(filter.operations, properties.operation) &&
    passes(filter.qualities, properties.quality) &&
    passes(filter.sizes, properties.size) &&
    passes(filter.statuses, properties.status) &&
    (filter.metadata ?? []).every(({ key, value }) => task.request.metadata[key] === value)
  )
}

function propertiesOf({ task, attempt }: Stored) {
  return {
    user: task.request.user,
    operation: task.operation,
    status: task.status,
    quality: attempt.resolved?.['quality'] ?? task.request.quality,
    size: attempt.resolved?.['size'] ?? task.request.size,
  }
}

function nameOf({ task, attempt }: Stored, { groupBy, timeZone, metadataKey }: UsageQuery): string {
  const local = localText(attempt.createdAt, timeZone)
  const labels = {
    HOUR: groupBy.includes('HOUR')
      ? `${local.slice(0, 13)}:00${offsetText(attempt.createdAt, timeZone)}`
      : '',
    DAY: groupBy.includes('DAY') ? local.slice(0, 10) : '',
    MONTH: groupBy.includes('MONTH') ? local.slice(0, 7) : '',
  }
  const properties = propertiesOf({ task, attempt })
  const all: Record<string, [string, string | null]> = {
    PROJECT: ['projectId', attempt.projectId],
    API_KEY: ['apiKeyId', attempt.apiKeyId],
    USER: ['user', properties.user],
    PROVIDER: ['provider', attempt.provider],
    MODEL: ['model', attempt.model],
    OPERATION: ['operation', properties.operation],
    QUALITY: ['quality', properties.quality],
    SIZE: ['size', properties.size],
    STATUS: ['status', properties.status],
    METADATA: ['metadata', task.request.metadata[metadataKey ?? ''] ?? null],
  }
  const keys = Object.fromEntries(groupBy.flatMap((dimension) => (all[dimension] ? [all[dimension]] : [])))
  return JSON.stringify([...Object.values(labels), sortedKeys(keys)])
}

/** The local time, as 2026-11-20T14:05. */
function localText(at: number, timeZone: string): string {
  const format =
    formats.get(timeZone) ??
    new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' })
  formats.set(timeZone, format)
  return format.format(at).replace(' ', 'T')
}

const formats = new Map<string, Intl.DateTimeFormat>()

const two = (value: number) => String(Math.floor(value)).padStart(2, '0')

function offsetText(at: number, timeZone: string): string {
  const minutes = Math.round(
    (Date.parse(`${localText(at, timeZone)}Z`) - Math.floor(at / 60_000) * 60_000) / 60_000,
  )
  if (minutes === 0) return 'Z'
  return `${minutes < 0 ? '-' : '+'}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`
}

function sumOf(stored: readonly Stored[]): UsageCounts {
  const sum = Object.fromEntries(USAGE_COUNTS.map((count) => [count, 0])) as UsageCounts
  for (const { attempt } of stored) {
    const counts = countsOf(attempt)
    for (const count of USAGE_COUNTS) sum[count] += counts[count]
  }
  return sum
}
