import { styleText } from 'node:util'
import { openChild } from './child.ts'
import type { GatewayVerbs } from './children/gateway.ts'
import type { InstantUpstreamVerbs } from './children/instant-upstream.ts'
import type { PassthroughVerbs } from './children/passthrough.ts'
import type { RestClientVerbs } from './children/rest-client.ts'
import { compare, percentile, rotate, type Sample } from './measure.ts'
import { peerMissing } from './peers.ts'
import type { PortkeyVerbs } from './peers/portkey.ts'
import { render, type Row } from './table.ts'

const ROUNDS = 5

/** The edge of each image in pixels; its file is noise. */
const EDGES = { '2KB': 25, '3MB': 1000 }

const LOADS = [
  { image: '2KB', inFlight: 1, requests: 100, minBytes: 2_000 },
  { image: '2KB', inFlight: 16, requests: 320, minBytes: 2_000 },
  { image: '3MB', inFlight: 1, requests: 24, minBytes: 4_000_000 },
  { image: '3MB', inFlight: 16, requests: 64, minBytes: 4_000_000 },
] as const

const PORTKEY = '@portkey-ai/gateway'

/** What the gateway adds to a request of the Images API, beside another gateway. */
export async function rest(): Promise<string> {
  const missing = peerMissing(PORTKEY)
  if (missing !== undefined) return `${styleText('bold', 'rest')}  ${missing}\n`
  await using upstream = openChild<InstantUpstreamVerbs>('instant-upstream')
  await using client = openChild<RestClientVerbs>('rest-client')
  await using gateway = openChild<GatewayVerbs>('gateway')
  await using portkey = openChild<PortkeyVerbs>('portkey', 'peers')
  await using passthrough = openChild<PassthroughVerbs>('passthrough')
  const baseUrl = await upstream.call('start', EDGES)
  const provider = { name: 'upstream', dialect: 'openai', apiKey: 'bench', baseUrl, concurrency: 64 }
  const origins = {
    darkroom: await gateway.call('start', { providers: [provider] }),
    portkey: await portkey.call('start'),
    passthrough: await passthrough.call('start', baseUrl),
    direct: new URL(baseUrl).origin,
  }
  const readCpu = {
    darkroom: () => gateway.call('cpuMicros'),
    portkey: () => portkey.call('cpuMicros'),
    passthrough: () => passthrough.call('cpuMicros'),
    direct: async () => 0,
  }
  const named = { 'x-portkey-provider': 'openai', 'x-portkey-custom-host': baseUrl }

  const rows: Row[] = []
  for (const load of LOADS) {
    async function run(side: keyof typeof origins): Promise<Sample> {
      const before = await readCpu[side]()
      const headers = side === 'portkey' ? named : {}
      const { times, elapsedMs } = await client.call('run', { ...load, origin: origins[side], headers })
      const cpuMicros = (await readCpu[side]()) - before
      return {
        p50: percentile(times, 0.5),
        each: elapsedMs / load.requests,
        cpu: cpuMicros / 1000 / load.requests,
      }
    }
    const rounds = await rotate(ROUNDS, {
      darkroom: () => run('darkroom'),
      portkey: () => run('portkey'),
      passthrough: () => run('passthrough'),
      direct: () => run('direct'),
    })
    const added = rounds.map(({ direct, ...sides }) => {
      const of = (sample: Sample) => ({ ...sample, p50: sample['p50']! - direct['p50']! })
      return { ours: of(sides.darkroom), portkey: of(sides.portkey), passthrough: of(sides.passthrough) }
    })
    for (const against of ['portkey', 'passthrough'] as const) {
      const pairs = added.map(({ ours, [against]: reference }) => ({ ours, reference }))
      const name = `${load.image}, ${load.inFlight} in flight`
      const what = against === 'portkey' ? PORTKEY : 'a passthrough with undici'
      rows.push(
        { what: `${name}, added P50`, unit: 'ms', against: what, figures: compare(pairs, 'p50') },
        { what: `${name}, time per request`, unit: 'ms', against: what, figures: compare(pairs, 'each') },
        { what: `${name}, CPU per request`, unit: 'ms', against: what, figures: compare(pairs, 'cpu') },
      )
    }
  }
  return render({
    title: 'rest · POST /v1/images/generations, with an upstream that responds at once',
    notes: [
      'Darkroom stores task, cost, events and the image before it responds; the references store nothing.',
      'Added P50 is the P50 less that of the same request sent to the upstream itself. Throughput is 1 / time per request.',
    ],
    rows,
  })
}
