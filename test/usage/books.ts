// Many tasks at once over all six dialects, whose upstreams do whatever upstreams do and write bills by price tables of
// their own. Then the bills, the ledger and the report are laid beside each other, to the micro-USD.
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
import { auditBooks } from '../providers/audit.ts'
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

export interface Books {
  /** Each sentence in which the bills, the ledger and the report differ. */
  differences: string[]
  tasks: number
  attempts: number
  /** Charges on the upstreams' bills, and what they come to in micro-USD. */
  bills: number
  billedMicros: number
  /** What was reported before somebody read the bills, and how many costs were unknown then. */
  reportedMicros: number
  unknown: number
}

export interface BooksOptions {
  place: Place
  tasks: number
  seed: string
}

/** Asks for `tasks` pictures, waits until all have ended, compares, reads the bills for what is in doubt, and compares again. */
export async function compareBooks({ place, tasks, seed }: BooksOptions): Promise<Books> {
  const fleet = await startFleet({ timeoutMs: TIMEOUT_MS })
  try {
    await paintAll(place, fleet, tasks, createRandom(seed))
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
const TOGETHER = 100

async function paintAll(place: Place, fleet: Fleet, tasks: number, random: Random): Promise<void> {
  const priced = fleet.entries.map((entry) => {
    const price = CONFIGURED_PRICES[entry['name'] as keyof typeof CONFIGURED_PRICES]
    return { ...entry, concurrency: 20, models: [price ? { name: 'gpt-image-2', price } : 'gpt-image-2'] }
  })
  const sandbox = { name: 'sandbox', dialect: 'sandbox', durationMs: 0, timeoutMs: TIMEOUT_MS }
  const over = new AbortController()
  await using server = await openGateway({
    place,
    providers: [...priced, sandbox],
    engine: {
      pollMs: 50,
      reapMs: 200,
      lookupDelaysMs: Array.from({ length: 100 }, (_, nth) => (nth + 1) * 500),
    },
  })
  const hastened = endCooldownsEarly(place, over.signal)
  try {
    for (let number = 0; number < tasks; number += TOGETHER) {
      script(fleet, random)
      const wishes = Array.from({ length: Math.min(TOGETHER, tasks - number) }, (_, nth) =>
        wish(number + nth, random),
      )
      const ids = await Promise.all(wishes.map((input) => server.generate(input)))
      // Their owners change their minds about some, wherever they are by then.
      for (const id of ids.filter(() => random.next() < 0.04))
        await server.ask('mutation ($id: ID!) { cancelTask(id: $id) { id } }', { id })
      await settled(server, fleet)
    }
  } finally {
    over.abort()
    await hastened
  }
}

const refusal = (status: number, code: string) => ({
  status,
  body: { error: { message: `It said ${code}.`, type: code, code } },
})
const WELL = Array.from({ length: 14 }, () => 'ok' as const)
const MOODS: readonly Scenario[] = [
  ...WELL,
  'drip',
  'truncated',
  'empty-data',
  'reset-at-accept',
  'reset-after-request',
  refusal(429, 'rate_limit_exceeded'),
  refusal(400, 'content_policy_violation'),
  refusal(500, 'server_error'),
]
const OPENAI_MOODS: readonly OpenaiScenario[] = [
  ...MOODS,
  'ok-json',
  'ok-stream',
  'stream-error',
  'final-before-partials',
]

/** Decides what each upstream will do, request for request, and whether pmock says what it used. */
function script(fleet: Fleet, random: Random): void {
  const many = <T>(moods: readonly T[]) => Array.from({ length: TOGETHER }, () => random.pick(moods))
  fleet.openai.script(...many(OPENAI_MOODS))
  for (const name of ['basic', 'pmock', 'jimmy', 'acedata'] as const) fleet[name].script(...many(MOODS))
  fleet.acedata.scriptCallbacks(...many(['nested', 'flat', 'twice', 'early', 'never', 'failing'] as const))
  fleet.pmock.give(random.pick(['images', 'images', 'text', 'list', 'link']))
}

const dataUrl = `data:image/png;base64,${(
  await sharp({ create: { width: 16, height: 16, channels: 3, background: 'teal' } })
    .png()
    .toBuffer()
).toString('base64')}`
const EDITORS = ['openai', 'pmock', 'jimmy', 'acedata']

function wish(number: number, random: Random): Record<string, unknown> {
  const isEdit = random.next() < 0.2
  const able = isEdit ? EDITORS : [...EDITORS, 'basic']
  // The sandbox takes long over its pictures, and writes no bills.
  const isPainted = random.next() < 0.03
  const first = isPainted ? 'sandbox' : random.pick(able)
  return {
    prompt: `books-${number}: a red fox`,
    providers: [...new Set([first, random.pick(able)])],
    size: isPainted ? '1024x640' : '1024x1024',
    n: isPainted ? 1 : random.pick([1, 1, 1, 2, 3]),
    quality: random.pick(['AUTO', 'LOW', 'HIGH']),
    partialImages: isPainted ? 0 : random.pick([0, 0, 2]),
    ...(isEdit && { images: [{ dataUrl }] }),
    ...(random.next() < 0.3 && { onUnknownOutcome: 'RESEND', maxCharges: 2 }),
  }
}

async function settled(client: Client, { acedata }: Fleet): Promise<void> {
  const query = `{
    tasks(first: 1, filter: { statuses: [QUEUED, RUNNING] }) { nodes { id } }
    attemptsNeedingReview(first: 100) { nodes { id remoteId } }
  }`
  interface Open {
    tasks: { nodes: unknown[] }
    attemptsNeedingReview: { nodes: { id: string; remoteId: string | null }[] }
  }
  for (;;) {
    const { tasks, attemptsNeedingReview: doubts } = await client.get<Open>(query)
    // What can be found on record is found before it is over.
    const findable = doubts.nodes.filter(({ id, remoteId }) => remoteId === null && acedata.knows(id))
    if (tasks.nodes.length === 0 && findable.length === 0) return
    await pause(50)
  }
}

async function compare(db: Database, fleet: Fleet, place: Place): Promise<Books> {
  const store = await openDirectoryStore(join(place.dataDir, 'assets'))
  const bills = billsOf(fleet)
  const before = await read(db)
  const readBills = new Map([...bills].map(([provider, ofProvider]) => [provider, byAttempt(ofProvider)]))
  const differences = [
    ...ofLedger(before),
    ...[...readBills].flatMap(([provider, bill]) => [...ofBills(provider, bill, before)]),
    ...(await checkInvariants(place, store)),
    ...auditBooks(fleet, { tasks: before.tasks, attempts: before.attempts, assets: [], violated: [] }),
  ]
  await settleByBills(db, readBills, before.attempts)
  const after = await read(db)
  differences.push(...ofLedger(after))
  for (const [provider, bill] of readBills) {
    const [billed, reported] = [sum([...bill.values()]), after.reported.get(provider)]
    if (reported?.costMicros !== billed || reported.unknownCosts !== 0)
      differences.push(
        `with its bill read, ${provider} billed ${billed}, and ${reported?.costMicros} is reported`,
      )
  }
  // A bill that is read ends the doubt about an attempt; what it means for its task is for others to say.
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

type Seen = Awaited<ReturnType<typeof read>>

async function read(db: Database) {
  const { sql, tables } = db.read
  const question = {
    projectId: DEFAULT_PROJECT,
    from: Date.now() - 86_400_000,
    to: null,
    groupBy: ['PROVIDER'] as const,
    filter: {},
    timeZone: 'UTC',
    metadataKey: null,
  }
  const { rows, totals } = await reportUsage(db.read, question, Date.now())
  const reported = new Map<string, UsageTotals>(rows.map(({ keys, counts }) => [keys.provider ?? '', counts]))
  const [tasks, attempts, lines] = [
    await sql.select().from(tables.tasks),
    await sql.select().from(tables.attempts),
    await sql.select().from(tables.ledger),
  ]
  return { reported, totals, tasks, attempts, lines }
}

/** The report is the sum of the ledger, provider by provider and in all. */
function* ofLedger({ reported, totals, attempts, lines }: Seen): Generator<string> {
  const providerOf = new Map(attempts.map(({ id, provider }) => [id, provider]))
  const posted = lines.filter(({ kind }) => kind === 'POST' || kind === 'ADJUST')
  const byProvider = Map.groupBy(posted, ({ attemptId }) => providerOf.get(attemptId))
  for (const [provider, { costMicros }] of reported) {
    const ledger = amountOf(byProvider.get(provider) ?? [])
    if (ledger !== costMicros)
      yield `the ledger of ${provider} comes to ${ledger}, and ${costMicros} is reported`
  }
  if (amountOf(posted) !== totals.costMicros)
    yield `the ledger comes to ${amountOf(posted)}, and ${totals.costMicros} is reported`
}

function amountOf(lines: LedgerRow[]): number {
  return sum(lines.map(({ amountMicros }) => amountMicros ?? 0))
}

/** What is known is what was billed, attempt by attempt, and what is on a bill besides is counted as unknown. */
function* ofBills(
  provider: string,
  bill: Map<string, number>,
  { attempts, reported }: Seen,
): Generator<string> {
  const ours = attempts.filter((attempt) => attempt.provider === provider)
  const known = ours.filter(({ costMicros }) => costMicros !== null)
  for (const { id, costMicros } of known)
    if (bill.get(id) !== costMicros)
      yield `${id} at ${provider} is billed ${bill.get(id)}, and ${costMicros} is known`
  const unknown = ours.filter(({ charged, costMicros }) => charged !== 'NO' && costMicros === null)
  const counts = reported.get(provider)
  if (counts?.unknownCosts !== unknown.length)
    yield `${unknown.length} costs at ${provider} are unknown, and ${counts?.unknownCosts} are reported`
  if (counts?.costMicros !== sum(known.map(({ id }) => bill.get(id) ?? 0)))
    yield `${counts?.costMicros} is reported for ${provider}`
  const counted = new Set([...known, ...unknown].map(({ id }) => id))
  for (const id of bill.keys())
    if (!counted.has(id)) yield `${id} at ${provider} is on its bill, and not counted here`
}

/** What an operator does who reads the bill: each doubt ends as it says. */
async function settleByBills(
  db: Database,
  bills: Map<string, Map<string, number>>,
  attempts: AttemptRow[],
): Promise<void> {
  for (const { id, provider, state, charged, costMicros } of attempts) {
    const bill = bills.get(provider)
    if (!bill || charged === 'NO' || costMicros !== null) continue
    const billed = bill.get(id) ?? 0
    const how = { at: Date.now(), charged: billed === 0 ? ('NO' as const) : ('YES' as const) }
    await db.tx((q) =>
      state === 'UNKNOWN'
        ? applyTransition(q, id, 'fail', { ...how, ...(billed > 0 && { costMicros: billed }) })
        : applyTransition(q, id, 'adjustCost', { ...how, costMicros: billed }),
    )
  }
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, one) => total + one, 0)
}

/** Compares on a new place of a kind, and removes it. */
export async function compareOn(kind: DatabaseKind, options: Omit<BooksOptions, 'place'>): Promise<Books> {
  const place = await newPlace(kind)
  try {
    return await compareBooks({ ...options, place })
  } finally {
    await place.remove()
  }
}
