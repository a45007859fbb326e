import { createHash } from 'node:crypto'
import type { AssetStore } from '../../src/assets/store.ts'
import type { Database } from '../../src/db/database.ts'
import type { AssetRow, AttemptRow, EventRow, TaskRow } from '../../src/db/tables.ts'
import { isFinished } from '../../src/domain.ts'

interface World {
  tasks: TaskRow[]
  attempts: AttemptRow[]
  events: EventRow[]
  assets: AssetRow[]
}

/** What must hold at every moment, whatever happened: each violated sentence, or nothing. */
export async function checkInvariants(db: Database, store: AssetStore): Promise<string[]> {
  const { sql, tables } = db.read
  const world: World = {
    tasks: await sql.select().from(tables.tasks),
    attempts: await sql.select().from(tables.attempts),
    events: await sql.select().from(tables.events),
    assets: await sql.select().from(tables.assets),
  }
  const projects = await sql.select().from(tables.projects)
  const feeds = projects.flatMap(({ id, feedSeq }) => {
    const numbers = world.events.filter(({ projectId }) => projectId === id).map((event) => event.feedSeq)
    return gapless(numbers, feedSeq) ? [] : [`the feed of ${id} is not 1..${feedSeq}: ${numbers.join(', ')}`]
  })
  const keys = world.tasks.flatMap(({ projectId, idempotencyKey }) =>
    idempotencyKey ? [`${projectId} ${idempotencyKey}`] : [],
  )
  return [
    ...world.tasks.flatMap((task) => [...aboutTask(task, world)]),
    ...world.attempts.flatMap((attempt) => [...aboutAttempt(attempt)]),
    ...(await aboutFiles(world.assets, store)),
    ...feeds,
    ...(new Set(keys).size === keys.length ? [] : ['an idempotency key belongs to two tasks']),
  ]
}

function* aboutTask(task: TaskRow, world: World): Generator<string> {
  const { id, status } = task
  const attempts = world.attempts.filter(({ taskId }) => taskId === id)
  const events = world.events.filter(({ taskId }) => taskId === id).toSorted((a, b) => a.seq - b.seq)
  const states = attempts.map(({ state }) => state)

  const open = attempts.filter(({ charged }) => charged !== 'NO').length
  if (task.chargesOpen !== open)
    yield `${id} counts ${task.chargesOpen} open charges, and its attempts ${open}`
  const live = attempts.filter(({ state }) => ['PLANNED', 'LEASED', 'SENDING', 'ACCEPTED'].includes(state))
  if (new Set(live.map(({ part }) => part)).size < live.length)
    yield `${id} has two live attempts of one part: ${states.join(', ')}`

  if (
    !gapless(
      events.map(({ seq }) => seq),
      task.lastSeq,
    )
  )
    yield `the events of ${id} are not 1..${task.lastSeq}`
  const ends = events.filter(({ body }) => body.type === 'TASK_FINISHED').length
  if (ends !== Number(isFinished(status))) yield `${id} is ${status} and has ${ends} terminal events`
  if (ends === 1 && events.at(-1)?.body.type !== 'TASK_FINISHED')
    yield `the terminal event of ${id} is not its last`
  const progress = events.flatMap(({ body }) => (body.type === 'TASK_PROGRESSED' ? [body.progress] : []))
  if (progress.some((value, i) => value < (progress[i - 1] ?? 0)))
    yield `the progress of ${id} goes back: ${progress.join(', ')}`

  if (isFinished(status) && states.some((state) => state === 'PLANNED' || state === 'LEASED'))
    yield `${id} is ${status}, and an attempt of it still waits`
  if (status === 'OUTCOME_UNKNOWN' && !states.includes('UNKNOWN'))
    yield `the outcome of ${id} is unknown, and that of no attempt`
  if (status === 'QUEUED' && !states.some((state) => state === 'PLANNED' || state === 'LEASED'))
    yield `${id} is QUEUED, and no attempt of it is`
  if (status === 'RUNNING' && live.length === 0)
    yield `${id} is RUNNING, and no attempt of it is live: ${states.join(', ')}`
  if (status === 'SUCCEEDED' && !world.assets.some(({ taskId, kind }) => taskId === id && kind === 'FINAL'))
    yield `${id} has SUCCEEDED without an image`
}

function* aboutAttempt(attempt: AttemptRow): Generator<string> {
  const { id, state, charged, leaseOwner, costMicros } = attempt
  const pending = ['SENDING', 'ACCEPTED', 'UNKNOWN'].includes(state)
  if (pending && charged !== 'UNKNOWN') yield `${id} is ${state}, and charged is ${charged}`
  if ((attempt.finishedAt === null) !== (pending || state === 'PLANNED' || state === 'LEASED'))
    yield `${id} is ${state}, and finishedAt is ${attempt.finishedAt}`
  if (leaseOwner !== null && !['LEASED', 'SENDING', 'ACCEPTED'].includes(state))
    yield `${id} is ${state} and leased to ${leaseOwner}`
  if (costMicros !== null && costMicros < 0) yield `${id} cost ${costMicros}`
}

async function aboutFiles(assets: AssetRow[], store: AssetStore): Promise<string[]> {
  const checked = assets.map(async ({ id, sha256 }) => {
    const bytes = await store.read(sha256).catch(() => undefined)
    if (!bytes) return [`the file of ${id} is not there`]
    return createHash('sha256').update(bytes).digest('hex') === sha256
      ? []
      : [`the file of ${id} is not what it was`]
  })
  return (await Promise.all(checked)).flat()
}

function gapless(numbers: number[], last: number): boolean {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted.length === last && sorted.every((number, i) => number === i + 1)
}
