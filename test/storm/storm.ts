// Kills and stops gateways, sets their clocks, and damages what upstreams reply, while clients request images in every mode
// and retry with their idempotency keys. At the end, the database is compared with the records of the upstreams.
import { setTimeout as pause } from 'node:timers/promises'
import type { Result } from '../support/client.ts'
import type { Place } from '../support/database.ts'
import { endCooldownsEarly } from '../support/end-cooldowns.ts'
import { createRandom, type Random } from '../support/random.ts'
import { countOpenTasks, createEvidence } from './evidence.ts'
import { createTally, type FaultCounts } from './faults.ts'
import { startGateways, type Gateways } from './gateways.ts'
import { createProcessFaults, setClocksRight, type ProcessFault } from './process-faults.ts'
import { settle, type Settled } from './settle.ts'
import { MODES, startUpstreams } from './upstreams.ts'

export interface StormOptions {
  place: Place
  /** The number of gateways: one on SQLite. With two or more, the last one is on a host of its own. */
  processes: number
  /** The storm lasts for `ms`, and for at most MAX_EXTRA_MS longer until each kind of fault was injected. */
  ms: number
  seed: number
  /** Between two faults of processes, and between two tasks. */
  pace?: Pace
  /** Kinds of faults that are not injected. */
  without?: readonly string[]
  /** Another set of hosts, with faults of what they share, and clients that watch. */
  cluster?: {
    startGateways(providersOf: (process: number) => Record<string, unknown>[]): Promise<Gateways>
    faults: Record<string, ProcessFault>
    /** Starts to watch. `end` makes a last task after those with `ids`, and returns its id; `problems` are gaps, in sentences. */
    watch(
      gateways: Gateways,
    ): Promise<{ end(ids: readonly string[]): Promise<string>; problems(): Promise<string[]> }>
  }
}

export interface Pace {
  faultMs: number
  taskMs: number
}

export interface StormResult extends Settled {
  faults: FaultCounts
  tasks: number
  charges: number
  /** Images and addresses that arrived at a process that lived on. */
  arrived: number
  /** Attempts whose received answer was on disk when its process was dead. */
  received: number
  /** Tasks that were charged more than once, with permission. */
  paidAgain: number
}

const QUICK: Pace = { faultMs: 500, taskMs: 100 }
const MAX_EXTRA_MS = 60_000
const MAX_OPEN_TASKS = 60
/** How many tasks are created between two counts of the open ones. */
const OPEN_TASKS_EVERY = 5

export async function runStorm({
  place,
  processes,
  ms,
  seed,
  pace = QUICK,
  without = [],
  cluster,
}: StormOptions): Promise<StormResult> {
  const tally = createTally(without)
  const evidence = createEvidence(place)
  const upstreams = await startUpstreams({ random: createRandom(seed + 1), tally, evidence })
  const hosts = { count: processes, otherHost: processes > 1 }
  const providersOf = (process: number) => upstreams.entriesFor(process)
  const gateways = cluster
    ? await cluster.startGateways(providersOf)
    : await startGateways(place, hosts, providersOf)
  const watching = await cluster?.watch(gateways)
  const over = new AbortController()
  const endingCooldowns = endCooldownsEarly(place, over.signal)
  const startedAt = performance.now()
  const isRunning = () => {
    const lastsMs = performance.now() - startedAt
    return lastsMs < ms || (lastsMs < ms + MAX_EXTRA_MS && tally.missing().length > 0)
  }
  const requests: Promise<string>[] = []

  async function requestImages(): Promise<void> {
    const random = createRandom(seed + 2)
    for (let i = 0; isRunning(); i++) {
      if (i % OPEN_TASKS_EVERY === 0) await untilFewAreOpen(place)
      requests.push(generate(gateways, inputOf(i, random), random))
      await pause(random.between(0.2 * pace.taskMs, 1.8 * pace.taskMs))
    }
  }
  async function repeat(inject: () => Promise<boolean>, random: Random): Promise<void> {
    while (isRunning()) {
      await pause(random.between(0.1 * pace.faultMs, 1.9 * pace.faultMs))
      await inject()
    }
  }
  const random = createRandom(seed)
  const faults = createProcessFaults({ gateways, evidence, random, tally }, cluster?.faults)
  await Promise.all([
    requestImages(),
    repeat(() => faults.kill(), createRandom(seed + 3)),
    repeat(() => faults.disturb(), createRandom(seed + 4)),
  ])
  tally.stop()
  setClocksRight({ gateways })
  const ids = await Promise.all(requests)
  const settled = await settle(place, gateways.running(), {
    ids,
    charges: () => upstreams.charges().map(({ attempt }) => attempt),
    received: evidence.receivedAt.keys(),
    more: {
      evidence,
      bills: () => upstreams.charges(),
      // A reply that hangs after its last byte is used when the time of the call is over.
      isBusy: async () => upstreams.inFlight() > 0 || (await gateways.countReceived()) > 0,
    },
    beforeStop: watching && (async () => void ids.push(await watching.end(ids))),
  })
  const gaps = (await watching?.problems()) ?? []
  over.abort()
  await endingCooldowns
  await upstreams.close()
  return {
    ...settled,
    discrepancies: [...settled.discrepancies, ...gaps],
    counts: { ...settled.counts, ...(watching && { gaps: gaps.length }) },
    faults: tally.counts,
    tasks: ids.length,
    charges: upstreams.charges().length,
    arrived: evidence.required().size,
    received: evidence.receivedAt.size,
  }
}

async function untilFewAreOpen(place: Place): Promise<void> {
  while ((await countOpenTasks(place).catch(() => Infinity)) > MAX_OPEN_TASKS) await pause(500)
}

/** A third of the tasks may be sent twice. */
function inputOf(i: number, random: Random): Record<string, unknown> {
  const mode = random.pick(MODES)
  const permission = random.next() < 0.33 ? { onUnknownOutcome: 'RESEND', maxCharges: 2 } : {}
  const partialImages = mode === 'stream' ? { partialImages: 2 } : {}
  const prompt = `storm ${i}`
  return { prompt, idempotencyKey: `storm-${i}`, providers: [mode], ...permission, ...partialImages }
}

interface Created {
  generateImage: { task: { id: string } } | null
}
const GENERATE = 'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { task { id } } }'
const NO_RESPONSE: Result<Created> = {}

/** Repeats the request with its idempotency key, to any gateway, until there is a task. */
async function generate(gateways: Gateways, input: Record<string, unknown>, random: Random): Promise<string> {
  for (;;) {
    const running = gateways.running()
    if (running.length > 0) {
      const gateway = random.pick(running)
      const { data, errors = [] } = await gateway
        .execute<Created>(GENERATE, { input })
        .catch(() => NO_RESPONSE)
      if (data?.generateImage) return data.generateImage.task.id
      if (errors.some(({ extensions }) => extensions?.['code'] !== 'SERVICE_UNAVAILABLE'))
        throw new Error(`The request was rejected: ${JSON.stringify(errors)}`)
    }
    await pause(50)
  }
}
