// A hundred concurrent tasks at all six dialects, whose upstreams follow random scenarios. TEST_SEED=… repeats a run. At
// the end, the ledgers of the upstreams are compared with the database.
import sharp from 'sharp'
import { expect, it, onTestFinished } from 'vitest'
import { readFinalState } from '../support/final-state.ts'
import type { Client } from '../support/client.ts'
import { newPlace, type Place } from '../support/database.ts'
import { startGateway } from '../support/gateway-process.ts'
import { openGateway } from '../support/gateway.ts'
import { endCooldownsEarly } from '../support/end-cooldowns.ts'
import { createRandom, type Random } from '../support/random.ts'
import { compareCharges } from './charge-audit.ts'
import { startFleet, type Fleet } from './fleet.ts'
import type { CallbackScenario } from './upstreams/acedata.ts'
import type { Scenario } from './upstreams/fake.ts'
import type { OpenaiScenario } from './upstreams/openai.ts'

const TASKS = 100
const SETTLE_MS = 150_000
const TIMEOUT_MS = 3000

const errorReply = (status: number, code: string, headers = {}) => ({
  status,
  headers,
  body: { error: { message: `Error ${code}.`, type: code, code } },
})

const ERROR_REPLIES = [
  errorReply(429, 'rate_limit_exceeded'),
  errorReply(429, 'rate_limit_exceeded', { 'retry-after': '1' }),
  errorReply(402, 'insufficient_quota'),
  errorReply(401, 'invalid_api_key'),
  errorReply(400, 'content_policy_violation'),
  errorReply(400, 'bad_request'),
  errorReply(500, 'server_error'),
  { status: 502, body: '<h1>502</h1>' },
]
const OK = Array.from({ length: 12 }, () => 'ok' as const)
const FAILURES = [
  'truncated',
  'html',
  'empty-data',
  'reset-at-accept',
  'reset-after-request',
  'hang',
] as const
const SCENARIOS: readonly Scenario[] = [...OK, 'drip', ...FAILURES, ...ERROR_REPLIES]
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

/** Decides the scenario of every request to each upstream. */
function script(fleet: Fleet, random: Random): void {
  const many = <T>(scenarios: readonly T[]) => Array.from({ length: 90 }, () => random.pick(scenarios))
  fleet.openai.script(...many(OPENAI_SCENARIOS))
  for (const name of ['basic', 'pmock', 'jimmy', 'acedata'] as const) fleet[name].script(...many(SCENARIOS))
  fleet.acedata.scriptCallbacks(...many(CALLBACKS))
}

const image = await sharp({ create: { width: 16, height: 16, channels: 3, background: 'teal' } })
  .png()
  .toBuffer()
const dataUrl = `data:image/png;base64,${image.toString('base64')}`

/** The input of one task. */
function inputOf(number: number, random: Random): Record<string, unknown> {
  const isEdit = random.next() < 0.2
  const candidates = isEdit ? EDITORS : PROVIDERS
  const first = random.pick(candidates)
  const providers = [...new Set([first, random.pick(candidates), random.pick(candidates)])]
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

async function listUnfinished(client: Client): Promise<string[]> {
  const { tasks } = await client.get<{ tasks: { nodes: { id: string }[] } }>(
    '{ tasks(first: 100, filter: { statuses: [QUEUED, RUNNING] }) { nodes { id } } }',
  )
  return tasks.nodes.map(({ id }) => id)
}

/** Attempts without a remote id whose request the upstream received: a lookup must find them. */
async function listFindable(client: Client, { acedata }: Fleet): Promise<string[]> {
  const { attemptsNeedingReview: page } = await client.get<{
    attemptsNeedingReview: { nodes: UnknownAttempt[] }
  }>('{ attemptsNeedingReview(first: 100) { nodes { id remoteId } } }')
  return page.nodes.flatMap(({ id, remoteId }) => (remoteId === null && acedata.knows(id) ? [id] : []))
}

interface UnknownAttempt {
  id: string
  remoteId: string | null
}

async function runTasks(gateways: Client[], fleet: Fleet, place: Place, random: Random): Promise<void> {
  script(fleet, random)
  const inputs = Array.from({ length: TASKS }, (_, number) => inputOf(number, random))
  const over = new AbortController()
  const endingCooldowns = endCooldownsEarly(place, over.signal)
  try {
    const client = (index: number) => gateways[index % gateways.length]!
    await Promise.all(inputs.map((input, index) => client(index).generate(input)))
    const unsettled = async () => [
      ...(await listUnfinished(client(0))),
      ...(await listFindable(client(0), fleet)),
    ]
    await expect.poll(unsettled, { timeout: SETTLE_MS, interval: 200 }).toEqual([])
  } finally {
    over.abort()
    await endingCooldowns
  }
}

const SEED = process.env['TEST_SEED'] ?? String(Date.now())

it.each([
  ['one gateway on SQLite', 'sqlite', 1],
  ['two gateways on PostgreSQL', 'postgresql', 2],
] as const)(
  `every task of a storm ends, and its charges match the ledgers of the upstreams, at %s (TEST_SEED=${SEED})`,
  { timeout: SETTLE_MS + 60_000 },
  async (_, database, processes) => {
    const fleet = await startFleet({ timeoutMs: TIMEOUT_MS })
    const place = await newPlace(database)
    onTestFinished(async () => {
      await fleet.close()
      await place.remove()
    })
    const sandbox = { name: 'sandbox', dialect: 'sandbox', durationMs: 20, timeoutMs: TIMEOUT_MS }
    const lookupDelaysMs = [...Array(100).keys()].map((nth) => (nth + 1) * 500)
    const engine = { pollMs: 50, reapMs: 200, recheckMs: 300, lookupDelaysMs }
    const settings = { providers: [...fleet.entries, sandbox], engine }
    const gateways =
      processes === 1
        ? [await openGateway({ place, ...settings })]
        : await Promise.all(Array.from({ length: processes }, () => startGateway(place, settings)))
    try {
      await runTasks(gateways, fleet, place, createRandom(SEED))
    } finally {
      for (const gateway of gateways) await gateway[Symbol.asyncDispose]()
    }
    const final = await readFinalState(place)
    expect(final.violated).toEqual([])
    expect(compareCharges(fleet, final)).toEqual([])
    // The audit finds wrong records.
    for (const charged of ['YES', 'NO'] as const) {
      const attempts = final.attempts.map((attempt) => ({ ...attempt, charged }))
      expect(compareCharges(fleet, { ...final, attempts })).not.toEqual([])
    }
    expect(final.tasks).toHaveLength(TASKS)
    // Proof that the scenarios took effect.
    const ends = new Set(final.tasks.map(({ status }) => status))
    expect([...ends].toSorted()).toEqual(['FAILED', 'OUTCOME_UNKNOWN', 'SUCCEEDED'])
  },
)
