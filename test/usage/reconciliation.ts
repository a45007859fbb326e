// Runs many concurrent tasks over all six dialects, whose upstreams fail in many ways and write bills by their own price
// tables. Then compares the bills, the ledger and the report, to the micro-USD.
import { setTimeout as pause } from 'node:timers/promises'
import sharp from 'sharp'
import { join } from 'node:path'
import { openDirectoryStore } from '../../src/assets/directory.ts'
import type { Database } from '../../src/db/connection/database.ts'
import { openDatabase } from '../../src/db/open.ts'
import { DEFAULT_PROJECT } from '../../src/db/access/projects.ts'
import type { AttemptRow, LedgerRow } from '../../src/db/tables/tables.ts'
import { applyTransition } from '../../src/engine/attempts/apply-transition.ts'
import { reportUsage, type UsageTotals } from '../../src/engine/usage/report.ts'
import { createLog } from '../../src/log.ts'
import { compareCharges } from '../providers/charge-audit.ts'
import { startFleet, type Fleet } from '../providers/fleet.ts'
import type { Scenario } from '../providers/upstreams/fake.ts'
import type { OpenaiScenario } from '../providers/upstreams/openai.ts'
import { CONFIGURED_PRICES } from '../providers/upstreams/tariff.ts'
import type { Client } from '../support/client.ts'
import { newPlace, type DatabaseKind, type Place } from '../support/database.ts'
import { openGateway } from '../support/gateway.ts'
import { endCooldownsEarly } from '../support/end-cooldowns.ts'
import { checkInvariants } from '../support/invariants.ts'
import { createRandom, type Random } from '../support/random.ts'

export interface Reconciliation {
  /** One sentence per difference between the bills, the ledger and the report. */
  differences: string[]
  tasks: number
  attempts: number
  /** Charges on the upstreams' bills, and their sum. */
  bills: number
  billedMicros: number
  /** The reported cost before the bills were recorded, and the number of unknown costs then. */
  reportedMicros: number
  unknown: number
}

export interface ReconciliationOptions {
  place: Place
  tasks: number
  seed: string
}

/** Runs `tasks` tasks to their end, compares, records the bills of attempts with an unknown cost, and compares again. */
export async function reconcile({ place, tasks, seed }: ReconciliationOptions): Promise<Reconciliation> {
  const fleet = await startFleet({ timeoutMs: TIMEOUT_MS })
  try {
    await runTasks(place, fleet, tasks, createRandom(seed))
    const db = await openDatabase({ ...place, onWakeUp: () => {}, log: createLog('silent') })
    try {
      return await compare(db, fleet, place)
    } finally {
      await db.close()
    }
  } finally {
    await fleet.close()
  }
}

const TIMEOUT_MS = 2000
const BATCH_SIZE = 100
const RETRY_MS = 1000
/** Each query takes CPU time from the gateway. */
const SETTLE_POLL_MS = 250

async function runTasks(place: Place, fleet: Fleet, tasks: number, random: Random): Promise<void> {
  const priced = fleet.entries.map((entry) => {
    const price = CONFIGURED_PRICES[entry['name'] as keyof typeof CONFIGURED_PRICES]
    return { ...entry, concurrency: 20, models: [price ? { name: 'gpt-image-2', price } : 'gpt-image-2'] }
  })
  const sandbox = { name: 'sandbox', dialect: 'sandbox', durationMs: 0, timeoutMs: TIMEOUT_MS }
  const stopped = new AbortController()
  await using server = await openGateway({
    place,
    providers: [...priced, sandbox],
    engine: {
      pollMs: 50,
      reapMs: 200,
      lookupDelaysMs: Array.from({ length: 100 }, (_, nth) => (nth + 1) * 500),
    },
  })
  const cooldowns = endCooldownsEarly(place, stopped.signal)
  try {
    for (let number = 0; number < tasks; number += BATCH_SIZE) {
      script(fleet, random)
      const inputs = Array.from({ length: Math.min(BATCH_SIZE, tasks - number) }, (_, nth) =>
        randomInput(number + nth, random),
      )
      const ids = await Promise.all(inputs.map((input) => generate(server, input)))
      // Cancel some, in any state.
      for (const id of ids.filter(() => random.next() < 0.04))
        await server.execute('mutation ($id: ID!) { cancelTask(input: { id: $id }) { task { id } } }', { id })
      await waitUntilSettled(server, fleet)
    }
  } finally {
    stopped.abort()
    await cooldowns
  }
}

/** As clients do, asks again when the server refuses for want of the database, without a task. */
async function generate(server: Client, input: Record<string, unknown>): Promise<string> {
  for (;;) {
    try {
      return await server.generate(input)
    } catch (error) {
      if (!String(error).includes('SERVICE_UNAVAILABLE')) throw error
      await pause(RETRY_MS)
    }
  }
}

const refusal = (status: number, code: string) => ({
  status,
  body: { error: { message: `Failed with ${code}.`, type: code, code } },
})
const SUCCESSES = Array.from({ length: 14 }, () => 'ok' as const)
const SCENARIOS: readonly Scenario[] = [
  ...SUCCESSES,
  'drip',
  'truncated',
  'empty-data',
  'reset-at-accept',
  'reset-after-request',
  refusal(429, 'rate_limit_exceeded'),
  refusal(400, 'content_policy_violation'),
  refusal(500, 'server_error'),
]
const OPENAI_SCENARIOS: readonly OpenaiScenario[] = [
  ...SCENARIOS,
  'ok-json',
  'ok-stream',
  'stream-error',
  'final-before-partials',
]

/** Chooses the scenario of each request to each upstream, and the form of pmock's results. */
function script(fleet: Fleet, random: Random): void {
  const many = <T>(scenarios: readonly T[]) =>
    Array.from({ length: BATCH_SIZE }, () => random.pick(scenarios))
  fleet.openai.script(...many(OPENAI_SCENARIOS))
  for (const name of ['basic', 'pmock', 'jimmy', 'acedata'] as const) fleet[name].script(...many(SCENARIOS))
  fleet.acedata.scriptCallbacks(...many(['nested', 'flat', 'twice', 'early', 'never', 'failing'] as const))
  fleet.pmock.give(random.pick(['images', 'images', 'text', 'list', 'link']))
}

const dataUrl = `data:image/png;base64,${(
  await sharp({ create: { width: 16, height: 16, channels: 3, background: 'teal' } })
    .png()
    .toBuffer()
).toString('base64')}`
const EDITORS = ['openai', 'pmock', 'jimmy', 'acedata']

function randomInput(number: number, random: Random): Record<string, unknown> {
  const isEdit = random.next() < 0.2
  const eligible = isEdit ? EDITORS : [...EDITORS, 'basic']
  // The sandbox is slow and writes no bills.
  const isSandbox = random.next() < 0.03
  const first = isSandbox ? 'sandbox' : random.pick(eligible)
  return {
    prompt: `reconcile-${number}: a red fox`,
    providers: [...new Set([first, random.pick(eligible)])],
    size: isSandbox ? '1024x640' : '1024x1024',
    n: isSandbox ? 1 : random.pick([1, 1, 1, 2, 3]),
    quality: random.pick(['AUTO', 'LOW', 'HIGH']),
    partialImages: isSandbox ? 0 : random.pick([0, 0, 2]),
    ...(isEdit && { images: [{ dataUrl }] }),
    ...(random.next() < 0.3 && { onUnknownOutcome: 'RESEND', maxCharges: 2 }),
  }
}

async function waitUntilSettled(client: Client, { acedata }: Fleet): Promise<void> {
  const query = `{
    tasks(first: 1, filter: { statuses: [QUEUED, RUNNING] }) { nodes { id } }
    attemptsNeedingReview(first: 100) { nodes { id remoteId } }
  }`
  interface Open {
    tasks: { nodes: unknown[] }
    attemptsNeedingReview: { nodes: { id: string; remoteId: string | null }[] }
  }
  for (;;) {
    const { tasks, attemptsNeedingReview: needingReview } = await client.get<Open>(query)
    // Wait for the look-up of attempts that the upstream can find.
    const findable = needingReview.nodes.filter(({ id, remoteId }) => remoteId === null && acedata.knows(id))
    if (tasks.nodes.length === 0 && findable.length === 0) return
    await pause(SETTLE_POLL_MS)
  }
}

async function compare(db: Database, fleet: Fleet, place: Place): Promise<Reconciliation> {
  const store = await openDirectoryStore(join(place.dataDir, 'assets'))
  const bills = billsOf(fleet)
  const before = await readState(db)
  const readBills = new Map([...bills].map(([provider, ofProvider]) => [provider, byAttempt(ofProvider)]))
  const differences = [
    ...compareWithLedger(before),
    ...[...readBills].flatMap(([provider, bill]) => [...compareWithBills(provider, bill, before)]),
    ...(await checkInvariants(place, store)),
    ...compareCharges(fleet, { tasks: before.tasks, attempts: before.attempts, assets: [], violated: [] }),
  ]
  await recordBills(db, readBills, before.attempts)
  const after = await readState(db)
  differences.push(...compareWithLedger(after))
  for (const [provider, bill] of readBills) {
    const [billed, reported] = [sum([...bill.values()]), after.reported.get(provider)]
    if (reported?.costMicros !== billed || reported.unknownCosts !== 0)
      differences.push(
        `${provider} billed ${billed}, but ${reported?.costMicros} is reported after its bill was recorded`,
      )
  }
  // A recorded bill resolves an attempt; the invariants of its task are not tested here.
  differences.push(
    ...(await checkInvariants(place, store)).filter((sentence) => /^I(?:5|6|15|21):/.test(sentence)),
  )
  const all = [...bills.values()].flat()
  return {
    differences,
    tasks: before.tasks.length,
    attempts: before.attempts.length,
    bills: all.length,
    billedMicros: sum(all.map(({ micros }) => micros)),
    reportedMicros: before.totals.costMicros,
    unknown: before.totals.unknownCosts,
  }
}

interface Bill {
  clientRef: string
  micros: number
}

function billsOf({ openai, basic, pmock, jimmy, acedata }: Fleet): Map<string, Bill[]> {
  return new Map(
    Object.entries({ openai, basic, pmock, jimmy, acedata }).map(([name, { ledger }]) => [name, ledger]),
  )
}

function byAttempt(bills: Bill[]): Map<string, number> {
  const sums = new Map<string, number>()
  for (const { clientRef, micros } of bills) sums.set(clientRef, (sums.get(clientRef) ?? 0) + micros)
  return sums
}

type StoredState = Awaited<ReturnType<typeof readState>>

async function readState(db: Database) {
  const { sql, tables } = db.read
  const query = {
    projectId: DEFAULT_PROJECT,
    from: Date.now() - 86_400_000,
    to: null,
    groupBy: ['PROVIDER'] as const,
    filter: {},
    timeZone: 'UTC',
    metadataKey: null,
  }
  const { rows, totals } = await reportUsage(db.read, query, Date.now())
  const reported = new Map<string, UsageTotals>(rows.map(({ keys, counts }) => [keys.provider ?? '', counts]))
  const [tasks, attempts, lines] = [
    await sql.select().from(tables.tasks),
    await sql.select().from(tables.attempts),
    await sql.select().from(tables.ledger),
  ]
  return { reported, totals, tasks, attempts, lines }
}

/** The report must equal the sum of the ledger, per provider and in total. */
function* compareWithLedger({ reported, totals, attempts, lines }: StoredState): Generator<string> {
  const providerOf = new Map(attempts.map(({ id, provider }) => [id, provider]))
  const posted = lines.filter(({ kind }) => kind === 'POST' || kind === 'ADJUST')
  const byProvider = Map.groupBy(posted, ({ attemptId }) => providerOf.get(attemptId))
  for (const [provider, { costMicros }] of reported) {
    const ledger = amountOf(byProvider.get(provider) ?? [])
    if (ledger !== costMicros)
      yield `the ledger of ${provider} has the sum ${ledger}, but ${costMicros} is reported`
  }
  if (amountOf(posted) !== totals.costMicros)
    yield `the ledger has the sum ${amountOf(posted)}, but ${totals.costMicros} is reported`
}

function amountOf(lines: LedgerRow[]): number {
  return sum(lines.map(({ amountMicros }) => amountMicros ?? 0))
}

/** A known cost must equal the bill of its attempt; other billed attempts must count as unknown costs. */
function* compareWithBills(
  provider: string,
  bill: Map<string, number>,
  { attempts, reported }: StoredState,
): Generator<string> {
  const ofProvider = attempts.filter((attempt) => attempt.provider === provider)
  const known = ofProvider.filter(({ costMicros }) => costMicros !== null)
  for (const { id, costMicros } of known)
    if (bill.get(id) !== costMicros)
      yield `${id} at ${provider} is billed ${bill.get(id)}, but its cost is ${costMicros}`
  const unknown = ofProvider.filter(({ charged, costMicros }) => charged !== 'NO' && costMicros === null)
  const counts = reported.get(provider)
  if (counts?.unknownCosts !== unknown.length)
    yield `${unknown.length} costs at ${provider} are unknown, but ${counts?.unknownCosts} are reported`
  if (counts?.costMicros !== sum(known.map(({ id }) => bill.get(id) ?? 0)))
    yield `${counts?.costMicros} is reported for ${provider}`
  const counted = new Set([...known, ...unknown].map(({ id }) => id))
  for (const id of bill.keys())
    if (!counted.has(id)) yield `${id} at ${provider} is on its bill, but not counted`
}

/** Resolves every attempt with an unknown cost by the bill, as an operator does. */
async function recordBills(
  db: Database,
  bills: Map<string, Map<string, number>>,
  attempts: AttemptRow[],
): Promise<void> {
  for (const { id, provider, state, charged, costMicros } of attempts) {
    const bill = bills.get(provider)
    if (!bill || charged === 'NO' || costMicros !== null) continue
    const billed = bill.get(id) ?? 0
    const change = { at: Date.now(), charged: billed === 0 ? ('NO' as const) : ('YES' as const) }
    await db.tx((q) =>
      state === 'UNKNOWN'
        ? applyTransition(q, id, 'fail', { ...change, ...(billed > 0 && { costMicros: billed }) })
        : applyTransition(q, id, 'adjustCost', { ...change, costMicros: billed }),
    )
  }
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, one) => total + one, 0)
}

/** Reconciles on a new, temporary database. */
export async function reconcileOn(
  kind: DatabaseKind,
  options: Omit<ReconciliationOptions, 'place'>,
): Promise<Reconciliation> {
  const place = await newPlace(kind)
  try {
    return await reconcile({ ...options, place })
  } finally {
    await place.remove()
  }
}
