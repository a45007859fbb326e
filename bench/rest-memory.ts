import { styleText } from 'node:util'
import { openChild } from './child.ts'
import type { GatewayVerbs } from './children/gateway.ts'
import type { InstantUpstreamVerbs } from './children/instant-upstream.ts'
import type { RestClientVerbs } from './children/rest-client.ts'

const CALLS = 20
/** Edge of a square of noise: 15 MB as a PNG, 20 MB in base64. */
const EDGE = 2236
const MIN_BYTES = 20_000_000
const LIMIT_MB = 250

/** The memory of a gateway that serves large results over REST at once. Sets the exit code when its limit is exceeded. */
export async function restMemory(): Promise<string> {
  await using upstream = openChild<InstantUpstreamVerbs>('instant-upstream')
  await using client = openChild<RestClientVerbs>('rest-client')
  await using gateway = openChild<GatewayVerbs>('gateway')
  const baseUrl = await upstream.call('start', { '20MB': EDGE })
  const provider = { name: 'upstream', dialect: 'openai', apiKey: 'bench', baseUrl, concurrency: CALLS }
  const origin = await gateway.call('start', { providers: [provider] })
  const { peakMb: idleMb } = await gateway.call('load')
  const { elapsedMs } = await client.call('run', {
    origin,
    headers: {},
    image: '20MB',
    inFlight: CALLS,
    requests: CALLS,
    minBytes: MIN_BYTES,
  })
  const { peakMb } = await gateway.call('load')
  if (peakMb >= LIMIT_MB) process.exitCode = 1
  const verdict = peakMb < LIMIT_MB ? 'ok' : `OVER ${LIMIT_MB} MB`
  return (
    `${styleText('bold', `rest-memory · ${CALLS} results of 20 MB of base64 at once over REST, against a limit`)}\n` +
    `  peak RSS of the gateway ${peakMb.toFixed(0)} MB (${idleMb.toFixed(0)} after its start), ` +
    `${(elapsedMs / 1000).toFixed(1)} s, ${verdict}\n`
  )
}
