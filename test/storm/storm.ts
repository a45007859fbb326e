// Kills gateways at random moments while clients request images in every mode and retry with their idempotency keys.
// At the end, the database is compared with the records of the upstreams.
import { watch } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import type { Result } from '../support/client.ts'
import type { Place } from '../support/database.ts'
import { endCooldownsEarly } from '../support/end-cooldowns.ts'
import { createRandom, type Random } from '../support/random.ts'
import { startGateways, type Gateways } from './gateways.ts'
import { isReceivedAnswer, listReceived, settle, spoolOf, type Settled } from './settle.ts'
import { MODES, startUpstreams } from './upstreams.ts'

export interface StormOptions {
  place: Place
  /** The number of gateways: one on SQLite. */
  processes: number
  /** The storm lasts for `ms`, and until there were `minKills`, which is 0 by default. */
  ms: number
  minKills?: number
  seed: number
}

export interface StormResult extends Settled {
  kills: number
  tasks: number
  charges: number
  /** Attempts whose received answer was in the spool at a kill. */
  received: number
}

const BETWEEN_KILLS_MS = { low: 50, high: 900 }
const BETWEEN_TASKS_MS = { low: 20, high: 200 }

export async function runStorm({
  place,
  processes,
  ms,
  minKills = 0,
  seed,
}: StormOptions): Promise<StormResult> {
  const random = createRandom(seed)
  const upstreams = await startUpstreams(createRandom(seed + 1))
  const gateways = await startGateways(place, processes, upstreams.entries)
  const over = new AbortController()
  const endingCooldowns = endCooldownsEarly(place, over.signal)
  const until = performance.now() + ms
  let kills = 0
  const isRunning = () => performance.now() < until || kills < minKills
  const received = new Set<string>()
  const requests: Promise<string>[] = []

  const requesting = (async () => {
    const own = createRandom(seed + 2)
    for (let i = 0; isRunning(); i++) {
      requests.push(generate(gateways, inputOf(i, own), own))
      await pause(own.between(BETWEEN_TASKS_MS.low, BETWEEN_TASKS_MS.high))
    }
  })()
  while (isRunning()) {
    await pause(random.between(BETWEEN_KILLS_MS.low, BETWEEN_KILLS_MS.high))
    // Every fourth kill aims at the short moment in which an answer is received and not yet recorded.
    if (random.next() < 0.25) await answerReceived(place)
    const killed = await gateways.killOne(
      (running) => random.pick(running),
      async () => {
        for (const id of await listReceived(place)) received.add(id)
      },
    )
    if (killed) kills++
  }
  await requesting
  const ids = await Promise.all(requests)
  const settled = await settle(place, gateways.running(), {
    ids,
    charges: () => upstreams.charges(),
    received,
  })
  over.abort()
  await endingCooldowns
  await upstreams.close()
  return {
    ...settled,
    kills,
    tasks: ids.length,
    charges: upstreams.charges().length,
    received: received.size,
  }
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
  generateImage: { id: string }
}
const GENERATE = 'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { id } }'
const NO_RESPONSE: Result<Created> = {}

/** Repeats the request with its idempotency key, to any gateway, until there is a response. */
async function generate(gateways: Gateways, input: Record<string, unknown>, random: Random): Promise<string> {
  for (;;) {
    const running = gateways.running()
    if (running.length > 0) {
      const gateway = random.pick(running)
      const { data, errors } = await gateway.execute<Created>(GENERATE, { input }).catch(() => NO_RESPONSE)
      if (data) return data.generateImage.id
      if (errors) throw new Error(`The request was rejected: ${JSON.stringify(errors)}`)
    }
    await pause(50)
  }
}

/** Waits for a received answer in the spool, for up to a second. */
async function answerReceived(place: Place): Promise<void> {
  const changes = watch(spoolOf(place), { signal: AbortSignal.timeout(1000) })
  try {
    for await (const { filename } of changes) if (isReceivedAnswer(filename)) return
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'AbortError') throw error
  }
}
