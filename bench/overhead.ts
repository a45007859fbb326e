import { openChild } from './child.ts'
import type { InstantUpstreamVerbs } from './children/instant-upstream.ts'
import type { RoundTripVerbs } from './children/round-trips.ts'
import { alternate, compare, percentile, type Sample } from './measure.ts'
import type { Row, Section } from './table.ts'

const ROUNDS = 5

/** The edge of each image in pixels; its file is noise. */
const EDGES = { '2KB': 25, '3MB': 1000 }

const LOADS = [
  { image: '2KB', inFlight: 1, requests: 100 },
  { image: '2KB', inFlight: 8, requests: 320 },
  { image: '2KB', inFlight: 16, requests: 480 },
  { image: '3MB', inFlight: 8, requests: 64 },
] as const

/** What the gateway adds to a call of a provider. */
export async function overhead(): Promise<Section> {
  await using upstream = openChild<InstantUpstreamVerbs>('instant-upstream')
  await using process = openChild<RoundTripVerbs>('round-trips')
  await process.call('start', { baseUrl: await upstream.call('start', EDGES) })

  const rows: Row[] = []
  for (const load of LOADS) {
    async function run(how: 'gateway' | 'direct'): Promise<Sample> {
      await upstream.call('take')
      const { ends, elapsedMs, cpuMicros } = await process.call(how, load)
      const answered = await upstream.call('take')
      const delays = [...ends].map(([number, end]) => end - (answered.get(number) ?? Number.NaN))
      return {
        each: elapsedMs / load.requests,
        cpu: cpuMicros / 1000 / load.requests,
        p50: percentile(delays, 0.5),
        p99: percentile(delays, 0.99),
      }
    }
    const rounds = await alternate(ROUNDS, { ours: () => run('gateway'), reference: () => run('direct') })
    const name = `${load.image}, ${load.inFlight} in flight`
    const against = 'a direct call, image in memory'
    rows.push(
      { what: `${name}, time per task`, unit: 'ms', against, figures: compare(rounds, 'each') },
      { what: `${name}, CPU per task`, unit: 'ms', against, figures: compare(rounds, 'cpu') },
      { what: `${name}, answer to end, P50`, unit: 'ms', against, figures: compare(rounds, 'p50') },
      { what: `${name}, answer to end, P99`, unit: 'ms', against, figures: compare(rounds, 'p99') },
    )
  }
  return {
    title:
      'overhead · a task from generateImage to TaskFinished, on SQLite, with an upstream that responds at once',
    notes: [
      'Client, gateway and subscriber share one process; the upstream is another. 1 ms per task is 1,000 tasks/s.',
      'The answer is the moment in which the upstream sends its response; the end is TaskFinished in taskFeed over SSE.',
    ],
    rows,
  }
}
