// A day of mixed tasks over five dialects whose upstreams lose answers, refuse, fail and charge by ledgers of their own.
// Then an operator imports one bill per provider with the command line, and ledger, report and bills must be equal.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { openDirectoryStore } from '../../src/assets/directory.ts'
import { csvLine } from '../../src/csv.ts'
import { formatDecimalUsd } from '../../src/money.ts'
import { darkroom } from '../cli/darkroom.ts'
import { startFleet, type Fleet } from '../providers/fleet.ts'
import type { Scenario } from '../providers/upstreams/fake.ts'
import { CONFIGURED_PRICES } from '../providers/upstreams/tariff.ts'
import type { Place } from '../support/database.ts'
import { endCooldownsEarly } from '../support/end-cooldowns.ts'
import { openGateway, type TestGateway } from '../support/gateway.ts'
import { checkInvariants } from '../support/invariants.ts'
import { createRandom, type Random } from '../support/random.ts'

export interface Day {
  /** One sentence per difference between bills, ledger and report, and per violated invariant. */
  differences: string[]
  attempts: number
  /** Attempts of unknown outcome, and of unknown cost, before the bills. */
  unknownOutcomes: number
  unknownCosts: number
  /** Attempts whose charge the configuration decided, and those of them that a bill corrected. */
  decided: number
  decidedWrongly: number
  /** Unknown outcomes whose result was found later. */
  lateResults: number
  charges: number
  billedMicros: number
  corrected: number
  commands: number
  /** Attempts in the review list after the last command. */
  reviewed: number
  /** Attempts corrected by importing the first bill once more. */
  correctedAgain: number
}

const PROVIDERS = ['openai', 'basic', 'pmock', 'jimmy', 'acedata'] as const
const TIMEOUT_MS = 3_000
const CONCURRENT_REQUESTS = 25
const RETRY_MS = 1000
/** Long enough that waiting for retries overlaps. */
const BATCH_SIZE = 600
/** Each query takes CPU time from the gateway. */
const SETTLE_POLL_MS = 250

/**
 * What the operator vouches for. The upstreams charge what they lose and nothing that moderation refuses, so some of these
 * are wrong: a bill must correct them.
 */
const CHARGES: Record<(typeof PROVIDERS)[number], object> = {
  openai: { moderation: 'NO', timeout: 'NO' },
  basic: { moderation: 'NO', timeout: 'YES' },
  pmock: { moderation: 'NO', failure: 'NO' },
  jimmy: { moderation: 'NO', failure: 'YES' },
  acedata: { moderation: 'NO' },
}

export async function settleDay({
  place,
  tasks,
  seed,
}: {
  place: Place
  tasks: number
  seed: string
}): Promise<Day> {
  const fleet = await startFleet({ timeoutMs: TIMEOUT_MS })
  const stopped = new AbortController()
  try {
    await using server = await openGateway({ place, providers: entriesOf(fleet), engine: ENGINE })
    const cooldowns = endCooldownsEarly(place, stopped.signal)
    const random = createRandom(seed)
    for (let number = 0; number < tasks; number += BATCH_SIZE) {
      script(fleet, random)
      const inputs = Array.from({ length: Math.min(BATCH_SIZE, tasks - number) }, (_, nth) =>
        inputOf(number + nth, random),
      )
      for (let at = 0; at < inputs.length; at += CONCURRENT_REQUESTS)
        await Promise.all(inputs.slice(at, at + CONCURRENT_REQUESTS).map((input) => generate(server, input)))
      await untilSettled(server, fleet)
    }
    stopped.abort()
    await cooldowns
    return await settleByBills(server, fleet, place)
  } finally {
    stopped.abort()
    await fleet.close()
  }
}

const ENGINE = {
  pollMs: 50,
  reapMs: 200,
  // A failed check is repeated up to four times, each after twice as long.
  recheckMs: 200,
  lookupDelaysMs: Array.from({ length: 40 }, (_, nth) => (nth + 1) * 500),
}

function entriesOf(fleet: Fleet): Record<string, unknown>[] {
  return fleet.entries.map((entry) => {
    const name = PROVIDERS.find((one) => one === entry['name'])!
    const price = CONFIGURED_PRICES[name]
    const models = [price ? { name: 'gpt-image-2', price } : 'gpt-image-2']
    return { ...entry, concurrency: 40, models, charges: CHARGES[name] }
  })
}

const refusal = (status: number, code: string) => ({
  status,
  body: { error: { message: `Failed with ${code}.`, type: code, code } },
})
/** About one in ten fails, and one in thirty loses its outcome or its cost. */
const SCENARIOS: readonly Scenario[] = [
  ...Array.from({ length: 90 }, () => 'ok' as const),
  'truncated',
  'empty-data',
  'reset-after-request',
  'reset-after-request',
  refusal(500, 'server_error'),
  refusal(429, 'rate_limit_exceeded'),
  refusal(400, 'content_policy_violation'),
  refusal(400, 'content_policy_violation'),
  refusal(400, 'content_policy_violation'),
  'drip',
]

function script(fleet: Fleet, random: Random): void {
  const many = <T>(scenarios: readonly T[]) =>
    Array.from({ length: BATCH_SIZE }, () => random.pick(scenarios))
  // Some results arrive late, and openai's `timeout` is wrong, whatever is picked.
  fleet.acedata.script('reset-after-request', 'reset-after-request')
  fleet.openai.script('reset-after-request')
  for (const name of PROVIDERS) fleet[name].script(...many(SCENARIOS))
  fleet.acedata.scriptCallbacks(...many(['nested', 'flat', 'twice', 'early', 'never', 'failing'] as const))
  fleet.pmock.give(random.pick(['images', 'images', 'text', 'list', 'link']))
}

function inputOf(number: number, random: Random): Record<string, unknown> {
  return {
    prompt: `day-${number}: a red fox`,
    idempotencyKey: `day-${number}`,
    providers: [...new Set([random.pick(PROVIDERS), random.pick(PROVIDERS)])],
    size: '1024x1024',
    n: random.pick([1, 1, 1, 1, 2]),
    quality: random.pick(['LOW', 'HIGH']),
    ...(random.next() < 0.2 && { onUnknownOutcome: 'RESEND', maxCharges: 2 }),
  }
}

/** Repeats what a busy database refuses, as a client does. */
async function generate(server: TestGateway, input: Record<string, unknown>): Promise<void> {
  for (;;) {
    const { errors = [] } = await server.execute(
      'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { task { id } } }',
      { input },
    )
    if (errors.length === 0) return
    if (errors.some(({ extensions }) => extensions?.['code'] !== 'SERVICE_UNAVAILABLE'))
      throw new Error(JSON.stringify(errors))
    await pause(RETRY_MS)
  }
}

/** Until no task runs, and everything that can be found at an upstream was found. */
async function untilSettled(server: TestGateway, { acedata }: Fleet): Promise<void> {
  const query = `{
    tasks(first: 1, filter: { statuses: [QUEUED, RUNNING] }) { nodes { id } }
    attemptsNeedingReview(first: 100, filter: { providers: ["acedata"] }) { nodes { id remoteId } }
  }`
  interface Open {
    tasks: { nodes: unknown[] }
    attemptsNeedingReview: { nodes: { id: string; remoteId: string | null }[] }
  }
  for (;;) {
    const { tasks, attemptsNeedingReview } = await server.get<Open>(query)
    const findable = attemptsNeedingReview.nodes.filter(
      ({ id, remoteId }) => remoteId === null && acedata.knows(id),
    )
    if (tasks.nodes.length === 0 && findable.length === 0) return
    await pause(SETTLE_POLL_MS)
  }
}

async function settleByBills(server: TestGateway, fleet: Fleet, place: Place): Promise<Day> {
  const before = await readUsage(server)
  const unknown = await countReviewed(server)
  const unknownAtAcedata = await countReviewed(server, { providers: ['acedata'] })
  const lateResults = await countLateResults(server, unknownAtAcedata.get('OUTCOME_UNKNOWN') ?? 0)
  let corrected = 0
  const differences: string[] = []
  const commands: string[][] = []
  for (const name of PROVIDERS) {
    const { file, text, map } = billOf(name, fleet)
    await writeFile(join(place.dataDir, file), text)
    commands.push([
      'bills',
      'import',
      name,
      file,
      ...map,
      ...periodOfToday(),
      '--apply',
      '--json',
      '--url',
      server.url,
    ])
  }
  for (const command of commands) {
    const applied = await runBills(command, place)
    corrected += applied.corrected
    differences.push(...applied.problems.map(({ message }) => message))
    if (applied.report.missingHereCount > 0)
      differences.push(`${command[2]}: ${applied.report.missingHereCount} charges are missing here`)
  }
  const after = await readUsage(server)
  for (const name of PROVIDERS) {
    const billed = fleet[name].ledger.reduce((sum, { micros }) => sum + micros, 0)
    const { costMicros = 0, heldMicros = 0 } = after.get(name) ?? {}
    if (costMicros !== billed) differences.push(`${name} billed ${billed}, and the ledger has ${costMicros}`)
    if (heldMicros !== 0) differences.push(`${heldMicros} are held for ${name}`)
  }
  const again = await runBills(commands[0]!, place)
  const store = await openDirectoryStore(join(place.dataDir, 'assets'))
  differences.push(...(await checkInvariants(place, store)))
  const { attempts, decided, decidedWrongly } = await countDecided(server)
  const bills = PROVIDERS.flatMap((name) => fleet[name].ledger)
  return {
    differences,
    attempts,
    decided,
    decidedWrongly,
    unknownOutcomes: unknown.get('OUTCOME_UNKNOWN') ?? 0,
    unknownCosts: [...before.values()].reduce((sum, one) => sum + one.attemptsWithUnknownCost, 0),
    lateResults,
    charges: bills.length,
    billedMicros: bills.reduce((sum, { micros }) => sum + micros, 0),
    corrected,
    commands: commands.length,
    reviewed: [...(await countReviewed(server)).values()].reduce((sum, count) => sum + count, 0),
    correctedAgain: again.corrected,
  }
}

/** Each provider in the form of its own: other columns, ids and units. */
function billOf(
  name: (typeof PROVIDERS)[number],
  fleet: Fleet,
): { file: string; text: string; map: string[] } {
  const ledger: { id?: string; clientRef: string; micros: number }[] = fleet[name].ledger
  if (name === 'openai')
    return {
      file: 'openai.csv',
      text: csv(
        ['client_request_id', 'amount_usd'],
        ledger.map(({ clientRef, micros }) => [clientRef, formatDecimalUsd(micros)]),
      ),
      map: [],
    }
  if (name === 'jimmy')
    return {
      file: 'jimmy.csv',
      text: csv(
        ['Task', 'Reference', 'Total'],
        ledger.map(({ id, clientRef, micros }) => [id ?? '', clientRef, formatDecimalUsd(micros)]),
      ),
      map: ['--map', 'remote_id=Task,attempt_id=Reference,amount_usd=Total'],
    }
  const lines = ledger.map(({ clientRef, micros }) => ({ attempt_id: clientRef, amount_micros: micros }))
  return { file: `${name}.json`, text: JSON.stringify({ lines }), map: [] }
}

function csv(heads: string[], rows: (string | number)[][]): string {
  return [heads, ...rows].map(csvLine).join('')
}

/** From yesterday, in case that midnight passes. */
function periodOfToday(): string[] {
  return ['--from', dayText(-1), '--to', dayText(2)]
}

function dayText(offset: number): string {
  return new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10)
}

interface Applied {
  report: { missingHereCount: number }
  corrected: number
  problems: { message: string }[]
}

async function runBills(command: string[], place: Place): Promise<Applied> {
  const { exitCode, stdout, stderr } = await darkroom(command, { cwd: place.dataDir, env: {} })
  if (exitCode !== 0) throw new Error(`${command.join(' ')}: ${stderr}`)
  return JSON.parse(stdout) as Applied
}

interface ProviderUsage {
  provider: string
  costMicros: number | null
  heldMicros: number
  attemptsWithUnknownCost: number
}

async function readUsage(
  server: TestGateway,
): Promise<Map<string, { costMicros: number } & Omit<ProviderUsage, 'costMicros'>>> {
  const { usage } = await server.get<{ usage: { rows: ProviderUsage[] } }>(
    `query ($from: DateTime!, $to: DateTime!) {
      usage(from: $from, to: $to, groupBy: [PROVIDER]) { rows { provider costMicros heldMicros attemptsWithUnknownCost } }
    }`,
    { from: new Date(Date.now() - 86_400_000), to: new Date(Date.now() + 86_400_000) },
  )
  return new Map(usage.rows.map((row) => [row.provider, { ...row, costMicros: row.costMicros ?? 0 }]))
}

async function countReviewed(server: TestGateway, filter: object = {}): Promise<Map<string, number>> {
  const { reviewCounts } = await server.get<{ reviewCounts: { reason: string; attempts: number }[] }>(
    'query ($filter: ReviewFilter) { reviewCounts(filter: $filter) { reason attempts } }',
    { filter },
  )
  const counts = new Map<string, number>()
  for (const { reason, attempts } of reviewCounts) counts.set(reason, (counts.get(reason) ?? 0) + attempts)
  return counts
}

/** A policy was wrong where its NO became a charge, or its YES none. */
async function countDecided(server: TestGateway) {
  interface Page {
    tasks: {
      nodes: {
        attempts: {
          charged: string
          chargePolicy: string | null
          decisions: { costMicros: number | null }[]
        }[]
      }[]
      pageInfo: { hasNextPage: boolean; endCursor: string | null }
    }
  }
  let [attempts, decided, decidedWrongly] = [0, 0, 0]
  for (let after: string | null = null; ;) {
    const { tasks }: Page = await server.get<Page>(
      `query ($after: String) { tasks(first: 50, after: $after) {
        nodes { attempts { charged chargePolicy decisions { costMicros } } } pageInfo { hasNextPage endCursor }
      } }`,
      { after },
    )
    const all = tasks.nodes.flatMap((task) => task.attempts)
    const byPolicy = all.filter(({ chargePolicy }) => chargePolicy !== null)
    attempts += all.length
    decided += byPolicy.length
    decidedWrongly += byPolicy.filter(({ decisions }) => decisions.length > 0).length
    if (!tasks.pageInfo.hasNextPage) return { attempts, decided, decidedWrongly }
    after = tasks.pageInfo.endCursor
  }
}

/** At acedata, whose `charges` decide no unknown outcome: those that are no longer unknown, because they were found. */
async function countLateResults({ url }: TestGateway, stillUnknown: number): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const pattern = /^darkroom_attempts_ended_total\{provider="acedata",.*outcome="unknown"\} (\d+)$/gm
  const became = [...text.matchAll(pattern)].reduce((sum, [, count]) => sum + Number(count), 0)
  return became - stillUnknown
}
