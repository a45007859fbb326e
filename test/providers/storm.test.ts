// A hundred tasks at once over all six dialects, whose upstreams play random scenarios: TEST_SEED=… replays a run. Then the
// ledgers of the upstreams are compared with ours.
import sharp from 'sharp'
import { expect, it, onTestFinished } from 'vitest'
import { readFinalState } from '../support/final-state.ts'
import type { Client } from '../support/client.ts'
import { newPlace, type Place } from '../support/database.ts'
import { startGateway } from '../support/gateway-process.ts'
import { openGateway } from '../support/gateway.ts'
import { endCooldownsEarly } from '../support/end-cooldowns.ts'
import { createRandom, type Random } from '../support/random.ts'
import { auditBooks } from './audit.ts'
import { startFleet, type Fleet } from './fleet.ts'
import type { CallbackScenario } from './upstreams/acedata.ts'
import type { Scenario } from './upstreams/fake.ts'
import type { OpenaiScenario } from './upstreams/openai.ts'

const TASKS = 100
const BOUND_MS = 60_000
const TIMEOUT_MS = 3000

const refusal = (status: number, code: string, headers = {}) => ({
  status,
  headers,
  body: { error: { message: `Error ${code}.`, type: code, code } },
})

const CANNED = [
  refusal(429, 'rate_limit_exceeded'),
  refusal(429, 'rate_limit_exceeded', { 'retry-after': '1' }),
  refusal(402, 'insufficient_quota'),
  refusal(401, 'invalid_api_key'),
  refusal(400, 'content_policy_violation'),
  refusal(400, 'bad_request'),
  refusal(500, 'server_error'),
  { status: 502, body: '<h1>502</h1>' },
]
const WELL = Array.from({ length: 12 }, () => 'ok' as const)
const ILL = ['truncated', 'html', 'empty-data', 'reset-at-accept', 'reset-after-request', 'hang'] as const
const SCENARIOS: readonly Scenario[] = [...WELL, 'drip', ...ILL, ...CANNED]
const OPENAI_SCENARIOS: readonly OpenaiScenario[] = [
  ...SCENARIOS,
  'ok-json',
  'ok-stream',
  'stream-error',
  'eof-without-final',
  'final-before-partials',
]
const CALLBACKS: readonly CallbackScenario[] = [
  'nested',
  'flat',
  'twice',
  'early',
  'never',
  'forged',
  'failing',
]
const DIRECTIVES = ['', '', '', '', 'moderation', 'busy', 'reject', 'broken', 'unreached', 'stall', 'vanish']
const EDITORS = ['openai', 'pmock', 'jimmy', 'acedata', 'sandbox']
const PROVIDERS = [...EDITORS, 'basic']

/** Decides beforehand what each upstream will do, request for request. */
function script(fleet: Fleet, random: Random): void {
  const many = <T>(scenarios: readonly T[]) => Array.from({ length: 90 }, () => random.pick(scenarios))
  fleet.openai.script(...many(OPENAI_SCENARIOS))
  for (const name of ['basic', 'pmock', 'jimmy', 'acedata'] as const) fleet[name].script(...many(SCENARIOS))
  fleet.acedata.scriptCallbacks(...many(CALLBACKS))
}

const picture = await sharp({ create: { width: 16, height: 16, channels: 3, background: 'teal' } })
  .png()
  .toBuffer()
const dataUrl = `data:image/png;base64,${picture.toString('base64')}`

/** The input of one task, which its prompt identifies. */
function wish(number: number, random: Random): Record<string, unknown> {
  const isEdit = random.next() < 0.2
  const able = isEdit ? EDITORS : PROVIDERS
  const first = random.pick(able)
  const providers = [...new Set([first, random.pick(able), random.pick(able)])]
  const directive = first === 'sandbox' ? random.pick(DIRECTIVES) : ''
  const resends = random.next() < 0.3
  return {
    prompt: `storm-${number}: a red fox${directive && ` [sandbox:${directive}]`}`,
    providers,
    n: random.pick([1, 1, 1, 2, 3]),
    quality: random.pick(['AUTO', 'AUTO', 'LOW', 'HIGH']),
    partialImages: random.pick([0, 0, 2]),
    ...(isEdit && { images: [{ dataUrl }] }),
    ...(resends && { onUnknownOutcome: 'RESEND', maxCharges: random.pick([2, 3]) }),
  }
}

async function underWay(client: Client): Promise<string[]> {
  const { tasks } = await client.get<{ tasks: { nodes: { id: string }[] } }>(
    '{ tasks(first: 100, filter: { statuses: [QUEUED, RUNNING] }) { nodes { id } } }',
  )
  return tasks.nodes.map(({ id }) => id)
}

/** Attempts whose reply was lost and whose request is on record: they are found before the storm is over. */
async function findable(client: Client, { acedata }: Fleet): Promise<string[]> {
  const { attemptsNeedingReview: page } = await client.get<{ attemptsNeedingReview: { nodes: InDoubt[] } }>(
    '{ attemptsNeedingReview(first: 100) { nodes { id remoteId } } }',
  )
  return page.nodes.flatMap(({ id, remoteId }) => (remoteId === null && acedata.knows(id) ? [id] : []))
}

interface InDoubt {
  id: string
  remoteId: string | null
}

async function weather(gateways: Client[], fleet: Fleet, place: Place, random: Random): Promise<void> {
  script(fleet, random)
  const wishes = Array.from({ length: TASKS }, (_, number) => wish(number, random))
  const over = new AbortController()
  const hastened = endCooldownsEarly(place, over.signal)
  try {
    const client = (index: number) => gateways[index % gateways.length]!
    await Promise.all(wishes.map((input, index) => client(index).generate(input)))
    const unsettled = async () => [...(await underWay(client(0))), ...(await findable(client(0), fleet))]
    await expect.poll(unsettled, { timeout: BOUND_MS, interval: 200 }).toEqual([])
  } finally {
    over.abort()
    await hastened
  }
}

const SEED = process.env['TEST_SEED'] ?? String(Date.now())

it.each([
  ['one gateway on SQLite', 'sqlite', 1],
  ['two gateways on PostgreSQL', 'postgresql', 2],
] as const)(
  `every task of a storm ends, and its charges match the upstreams’ ledgers, at %s (TEST_SEED=${SEED})`,
  { timeout: BOUND_MS + 30_000 },
  async (_, database, processes) => {
    const fleet = await startFleet({ timeoutMs: TIMEOUT_MS })
    const place = await newPlace(database)
    onTestFinished(async () => {
      await fleet.close()
      await place.remove()
    })
    const sandbox = { name: 'sandbox', dialect: 'sandbox', durationMs: 20, timeoutMs: TIMEOUT_MS }
    const lookupDelaysMs = [...Array(100).keys()].map((nth) => (nth + 1) * 500)
    const engine = { pollMs: 50, reapMs: 200, lookupDelaysMs }
    const settings = { providers: [...fleet.entries, sandbox], engine }
    const gateways =
      processes === 1
        ? [await openGateway({ place, ...settings })]
        : await Promise.all(Array.from({ length: processes }, () => startGateway(place, settings)))
    try {
      await weather(gateways, fleet, place, createRandom(SEED))
    } finally {
      for (const gateway of gateways) await gateway[Symbol.asyncDispose]()
    }
    const aftermath = await readFinalState(place)
    expect(aftermath.violated).toEqual([])
    expect(auditBooks(fleet, aftermath)).toEqual([])
    // And the audit would notice.
    for (const charged of ['YES', 'NO'] as const) {
      const attempts = aftermath.attempts.map((attempt) => ({ ...attempt, charged }))
      expect(auditBooks(fleet, { ...aftermath, attempts })).not.toEqual([])
    }
    expect(aftermath.tasks).toHaveLength(TASKS)
    // All three, for a storm in which nothing happens would prove nothing.
    const ends = new Set(aftermath.tasks.map(({ status }) => status))
    expect([...ends].toSorted()).toEqual(['FAILED', 'OUTCOME_UNKNOWN', 'SUCCEEDED'])
  },
)
