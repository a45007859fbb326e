// Processes are killed at random moments while they are asked for images in every way images can come, and clients do
// what clients do: ask again with their key. At the end the upstreams' own books are laid beside ours.
import { readdir, watch } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Result } from '../support/client.ts'
import { hastenRests } from '../support/hasten.ts'
import { readAftermath } from '../support/aftermath.ts'
import type { Place } from '../support/database.ts'
import { compare } from './books.ts'
import { createChance, type Chance } from './chance.ts'
import { startFleet, type Fleet } from './fleet.ts'
import { startUpstreams, WAYS } from './upstreams.ts'

export interface Storm {
  place: Place
  /** How many gateways; SQLite bears one. */
  processes: number
  ms: number
  /** It lasts longer than `ms` where a busy machine has not had so many kills by then; 0 by default. */
  minKills?: number
  seed: number
}

export interface Weather {
  kills: number
  tasks: number
  /** How they ended, by status. */
  ends: Record<string, number>
  charges: number
  /** Receipts that lay in the spool when a process died: images that were there and not yet on record. */
  receipts: number
  /** How long after the last kill everything was settled or stood as unknown. */
  settledMs: number
  /** What should not be, in sentences. */
  harm: string[]
}

/** Between two kills of one fleet. */
const CALM_MS = { low: 50, high: 900 }
const BETWEEN_TASKS_MS = { low: 20, high: 200 }
/** The promise: by then every unknown outcome is listed. */
const SETTLED_WITHIN_MS = 45_000

/** Blows for `ms`, waits until all is settled, and says what is left. */
export async function runStorm({ place, processes, ms, minKills = 0, seed }: Storm): Promise<Weather> {
  const chance = createChance(seed)
  const upstreams = await startUpstreams(createChance(seed + 1))
  const fleet = await startFleet(place, processes, upstreams.entries)
  const over = new AbortController()
  const hastening = hastenRests(place, over.signal)
  const until = performance.now() + ms
  let kills = 0
  const goesOn = () => performance.now() < until || kills < minKills
  const receipts = new Set<string>()
  const asked: Promise<string>[] = []

  const asking = (async () => {
    const own = createChance(seed + 2)
    for (let i = 0; goesOn(); i++) {
      asked.push(askUntilAnswered(fleet, inputOf(i, own), own))
      await pause(own.between(BETWEEN_TASKS_MS.low, BETWEEN_TASKS_MS.high))
    }
  })()
  while (goesOn()) {
    await pause(chance.between(CALM_MS.low, CALM_MS.high))
    // One in four is aimed at the short moment in which an answer is received and not yet on record.
    if (chance.next() < 0.25) await answerReceived(place)
    const killed = await fleet.killOne(
      (living) => chance.pick(living),
      async () => {
        for (const id of await receiptsIn(place)) receipts.add(id)
      },
    )
    if (killed) kills++
  }
  await asking
  const ids = await Promise.all(asked)
  const lastKill = performance.now()
  const unsettled = await settled(fleet, ids)
  const settledMs = Math.round(performance.now() - lastKill)
  const listed = await listUnknownOutcomes(fleet)
  over.abort()
  await hastening
  await fleet.close()
  await upstreams.close()

  const aftermath = await readAftermath(place)
  const charges = upstreams.charges()
  const ends: Record<string, number> = {}
  for (const { status } of aftermath.tasks) ends[status] = (ends[status] ?? 0) + 1
  return {
    kills,
    tasks: ids.length,
    ends,
    charges: charges.length,
    receipts: receipts.size,
    settledMs,
    harm: [...unsettled, ...compare(aftermath, { ids, charges, receipts, listed })],
  }
}

/** A third may be sent twice. */
function inputOf(i: number, chance: Chance): Record<string, unknown> {
  const way = chance.pick(WAYS)
  const permission = chance.next() < 0.33 ? { onUnknownOutcome: 'RESEND', maxCharges: 2 } : {}
  const previews = way === 'stream' ? { partialImages: 2 } : {}
  const prompt = `storm ${i}`
  return { prompt, idempotencyKey: `storm-${i}`, providers: [way], ...permission, ...previews }
}

interface Asked {
  generateImage: { id: string }
}
const ASK = 'mutation ($input: GenerateImageInput!) { generateImage(input: $input) { id } }'
const NO_ANSWER: Result<Asked> = {}

/** What a client does that gets no answer: it asks again with its key, whoever is there. */
async function askUntilAnswered(
  fleet: Fleet,
  input: Record<string, unknown>,
  chance: Chance,
): Promise<string> {
  for (;;) {
    const living = fleet.living()
    if (living.length > 0) {
      const gateway = chance.pick(living)
      const { data, errors } = await gateway.ask<Asked>(ASK, { input }).catch(() => NO_ANSWER)
      if (data) return data.generateImage.id
      if (errors) throw new Error(`It was refused: ${JSON.stringify(errors)}`)
    }
    await pause(50)
  }
}

/** Waits until the receipt of an answer is kept, for up to a second. */
async function answerReceived({ dataDir }: Place): Promise<void> {
  const watching = watch(join(dataDir, 'assets', 'spool'), { signal: AbortSignal.timeout(1000) })
  try {
    for await (const { filename } of watching) if (filename?.endsWith('.receipt.json')) return
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'AbortError') throw error
  }
}

async function receiptsIn({ dataDir }: Place): Promise<string[]> {
  const names = await readdir(join(dataDir, 'assets', 'spool')).catch(() => [])
  return names
    .filter((name) => name.endsWith('.receipt.json'))
    .map((name) => name.replace('.receipt.json', ''))
}

/** Waits until every task has ended or stands as unknown; the sentences about those that do not in time. */
async function settled(fleet: Fleet, ids: string[]): Promise<string[]> {
  const [gateway] = fleet.living()
  if (!gateway) return ['no gateway is alive']
  const until = performance.now() + SETTLED_WITHIN_MS
  for (;;) {
    const open: string[] = []
    for (let at = 0; at < ids.length; at += 100) {
      const { nodes } = await gateway.get<{ nodes: ({ id: string; status: string } | null)[] }>(
        'query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Task { id status } } }',
        { ids: ids.slice(at, at + 100) },
      )
      for (const node of nodes) {
        if (node === null) open.push('a task is lost')
        else if (['QUEUED', 'RUNNING'].includes(node.status)) open.push(`${node.id} is still ${node.status}`)
      }
    }
    if (open.length === 0 || performance.now() > until) return open
    await pause(200)
  }
}

async function listUnknownOutcomes(fleet: Fleet): Promise<string[]> {
  const [gateway] = fleet.living()
  if (!gateway) return []
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

interface Review {
  attemptsNeedingReview: {
    nodes: { id: string }[]
    pageInfo: { hasNextPage: boolean; endCursor: string | null }
  }
}
