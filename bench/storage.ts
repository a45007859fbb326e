// Images of 4 MB in a bucket, against limits and against the data folder.
import { setTimeout as pause } from 'node:timers/promises'
import { styleText } from 'node:util'
import { clock, openChild, type Child } from './child.ts'
import type { GatewayVerbs } from './children/gateway.ts'
import type { S3StoreVerbs } from './children/s3-store.ts'
import type { SlowUpstreamVerbs } from './children/slow-upstream.ts'
import { generate, succeeded } from './graphql.ts'
import { alternate, compare, type Sample } from './measure.ts'
import { render } from './table.ts'

const MEGABYTES = 4
const PER_MINUTE = 200
const SAMPLE_MS = 1000
const LIMITS = { rssMb: 400, growth: 1.15 }
/** Of the comparison. */
const [ROUNDS, IMAGES, AT_ONCE] = [4, 40, 8]

/** Sets the exit code when an image is lost or a limit is exceeded. */
export async function storage(minutes: number): Promise<string> {
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'bench', AWS_SECRET_ACCESS_KEY: 'bench' })
  await using store = openChild<S3StoreVerbs>('s3-store')
  const endpoint = await store.call('start')
  const assetsUrl = `s3://bench/images?endpoint=${encodeURIComponent(endpoint)}&region=us-east-1`
  const paced = await keepPace(assetsUrl, minutes)
  const compared = render({
    title: `storage · ${IMAGES} images of ${MEGABYTES} MB, ${AT_ONCE} at a time, in a bucket and in the data folder, on SQLite`,
    notes: [
      'The store is a process on this machine that writes to its disk: a network would add time, not CPU time.',
    ],
    rows: await compareStores(assetsUrl),
  })
  return [paced, compared].join('\n')
}

async function openServer(
  upstream: Child<SlowUpstreamVerbs>,
  gateway: Child<GatewayVerbs>,
  assetsUrl: string | null,
) {
  const baseUrl = await upstream.call('start', { fromMs: 0, toMs: 500, megabytes: MEGABYTES })
  const providers = [
    { name: 'upstream', dialect: 'openai', mode: 'sync', apiKey: 'bench', concurrency: 64, baseUrl },
  ]
  return `${await gateway.call('start', { providers, assetsUrl })}/graphql`
}

async function keepPace(assetsUrl: string, minutes: number): Promise<string> {
  await using upstream = openChild<SlowUpstreamVerbs>('slow-upstream')
  await using gateway = openChild<GatewayVerbs>('gateway')
  const url = await openServer(upstream, gateway, assetsUrl)
  const samples: number[] = []
  const ended = new AbortController()
  const sampling = (async () => {
    while (!ended.signal.aborted) {
      samples.push((await gateway.call('rssKb')) / 1024)
      await pause(SAMPLE_MS)
    }
  })()
  const startedAt = clock()
  const tasks: Promise<void>[] = []
  const lost: string[] = []
  for (let nth = 0; nth < minutes * PER_MINUTE; nth++) {
    await pause(Math.max(0, startedAt + (nth * 60_000) / PER_MINUTE - clock()))
    tasks.push(image(url).catch((error: unknown) => void lost.push(String(error))))
  }
  await Promise.all(tasks)
  const lastedMin = (clock() - startedAt) / 60_000
  ended.abort()
  await sampling
  // The start does not count as growth.
  const third = Math.floor(samples.length / 3)
  const [early, late] = [mean(samples.slice(third, 2 * third)), mean(samples.slice(2 * third))]
  const peak = Math.max(...samples)
  const isWithinLimits = lost.length === 0 && peak < LIMITS.rssMb && late / early < LIMITS.growth
  if (!isWithinLimits) process.exitCode = 1
  return [
    styleText(
      'bold',
      `storage · ${PER_MINUTE} images of ${MEGABYTES} MB a minute for ${minutes} min through a bucket, on SQLite, against limits`,
    ),
    `  images ${tasks.length - lost.length}, lost ${lost.length}, ${((tasks.length - lost.length) / lastedMin).toFixed(0)} a minute`,
    `  resident memory: maximum ${peak.toFixed(0)} MB of ${LIMITS.rssMb}; last third by second third ${(late / early).toFixed(2)} of ${LIMITS.growth}`,
    ...lost.slice(0, 5).map((sentence) => `  ${sentence}`),
    '',
  ].join('\n')
}

async function compareStores(assetsUrl: string) {
  await using upstream = openChild<SlowUpstreamVerbs>('slow-upstream')
  await using bucket = openChild<GatewayVerbs>('gateway')
  await using folder = openChild<GatewayVerbs>('gateway')
  const bucketUrl = await openServer(upstream, bucket, assetsUrl)
  await using another = openChild<SlowUpstreamVerbs>('slow-upstream')
  const folderUrl = await openServer(another, folder, null)
  const rounds = await alternate(ROUNDS, {
    ours: () => burst(bucket, bucketUrl),
    reference: () => burst(folder, folderUrl),
  })
  return [
    { what: 'time of an image', unit: 'ms', against: 'the data folder', figures: compare(rounds, 'ms') },
    {
      what: 'CPU time of an image',
      unit: 'ms',
      against: 'the data folder',
      figures: compare(rounds, 'cpuMs'),
    },
  ]
}

async function burst(gateway: Child<GatewayVerbs>, url: string): Promise<Sample> {
  const cpu = await gateway.call('cpuMicros')
  const startedAt = clock()
  let left = IMAGES
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (left-- > 0) await image(url)
    }),
  )
  const ms = (clock() - startedAt) / IMAGES
  return { ms, cpuMs: ((await gateway.call('cpuMicros')) - cpu) / 1000 / IMAGES }
}

async function image(url: string): Promise<void> {
  await succeeded(url, await generate(url, '{ prompt: "a long exposure", size: "1024x1024" }'))
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
