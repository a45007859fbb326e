// From what recent attempts took.
import { countAhead } from '../../db/attempts/counts.ts'
import { listDurations, type MeasuredDuration } from '../../db/attempts/durations.ts'
import type { AttemptRow, TaskRow } from '../../db/tables/tables.ts'
import type { Deps } from '../deps.ts'

/** Per provider and model: enough for a median, and read in a millisecond. */
const SAMPLES = 200
const MIN_SAMPLES = 3
const CACHED_MS = 60_000

type Samples = readonly MeasuredDuration[]

export function createCompletionEstimate({ clock, db, providers }: Pick<Deps, 'clock' | 'db' | 'providers'>) {
  const cache = new Map<string, { until: number; samples: Promise<Samples> }>()

  function samplesOf(provider: string, model: string): Promise<Samples> {
    const key = JSON.stringify([provider, model])
    const known = cache.get(key)
    if (known && known.until > clock.monotonic()) return known.samples
    const samples = listDurations(db.read, { provider, model, limit: SAMPLES })
    cache.set(key, { until: clock.monotonic() + CACHED_MS, samples })
    samples.catch(() => cache.delete(key))
    return samples
  }

  /** By provider, model, size and quality; by model and quality; by model: the first with enough. */
  async function durationsOf({ request }: TaskRow, { provider, model }: AttemptRow): Promise<number[]> {
    const { size, quality } = request
    const ofQuality = (samples: Samples) => samples.filter((one) => one.quality === quality)
    const own = ofQuality(await samplesOf(provider, model)).filter((one) => one.size === size)
    if (own.length >= MIN_SAMPLES) return own.map(({ ms }) => ms)
    const offering = providers.filter(({ offers }) => offers.some((offer) => offer.model === model))
    const all = (await Promise.all(offering.map(({ name }) => samplesOf(name, model)))).flat()
    const chosen = [ofQuality(all), all].find(({ length }) => length >= MIN_SAMPLES) ?? []
    return chosen.map(({ ms }) => ms)
  }

  /** The median of those that took longer than the attempt has taken so far. Undefined without one. */
  async function endOf(task: TaskRow, attempt: AttemptRow): Promise<number | undefined> {
    const durations = await durationsOf(task, attempt)
    const now = clock.now()
    if (attempt.sentAt !== null) {
      const { sentAt } = attempt
      const ms = medianOf(durations.filter((one) => one > now - sentAt))
      return ms === undefined ? undefined : sentAt + ms
    }
    const ms = medianOf(durations)
    if (ms === undefined) return undefined
    const { concurrency = 1 } = providers.find(({ name }) => name === attempt.provider) ?? {}
    const turns = Math.floor((await countAhead(db.read, attempt)) / concurrency)
    return Math.max(now, attempt.runAfter) + (turns + 1) * ms
  }

  /** `attempts`: all of the task. Null unless QUEUED or RUNNING, and without enough measured attempts. */
  return async (task: TaskRow, attempts: readonly AttemptRow[]): Promise<number | null> => {
    if (task.status !== 'QUEUED' && task.status !== 'RUNNING') return null
    const open = attempts.filter(({ finishedAt, state }) => finishedAt === null && state !== 'UNKNOWN')
    const sent = open.filter(({ sentAt }) => sentAt !== null)
    // The others are sent earlier.
    const lastQueued = open.findLast(({ sentAt }) => sentAt === null)
    const relevant = lastQueued ? [...sent, lastQueued] : sent
    const ends = await Promise.all(relevant.map((attempt) => endOf(task, attempt)))
    const known = ends.filter((end) => end !== undefined)
    return known.length === 0 || known.length < ends.length ? null : Math.round(Math.max(...known))
  }
}

function medianOf(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b)
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]]
  return low === undefined || high === undefined ? undefined : (low + high) / 2
}
