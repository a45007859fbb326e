import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { styleText } from 'node:util'
import { bundle } from '../test/support/bundle.ts'
import { openChild } from './child.ts'
import type { GatewayVerbs } from './children/gateway.ts'
import type { InstantUpstreamVerbs } from './children/instant-upstream.ts'
import type { RestClientVerbs } from './children/rest-client.ts'

const CALLS = 20
/** Edge of a square of noise: 15 MB as a PNG, 20 MB in base64. */
const EDGE = 2236
const MIN_BYTES = 20_000_000
const LIMIT_MB = 250

const BUNDLES = join(import.meta.dirname, 'children/dist')

/**
 * The memory of a gateway that serves large results over REST at once, compiled as in the package. Sets the exit code when
 * the limit is exceeded with the environment of the container image.
 */
export async function restMemory(): Promise<string> {
  await bundle([join(import.meta.dirname, 'children/gateway.ts')], BUNDLES)
  const plain = await measure({})
  const image = await measure(readImageEnvironment())
  if (image.peakMb >= LIMIT_MB) process.exitCode = 1
  const title = `rest-memory · ${CALLS} results of 20 MB of base64 at once over REST`
  return [
    styleText('bold', title),
    `  peak RSS of the gateway ${describe(plain)}`,
    `  with the environment of the container image ${describe(image)}, limit ${LIMIT_MB} MB`,
    '',
  ].join('\n')
}

/** The variables of the container image that concern memory. */
function readImageEnvironment(): Record<string, string> {
  const file = readFileSync(join(import.meta.dirname, '../Dockerfile'), 'utf8')
  const [, settings] = /^ENV (NODE_OPTIONS=.*)$/m.exec(file) ?? []
  if (settings === undefined) throw new Error('The Dockerfile does not set NODE_OPTIONS.')
  return Object.fromEntries(
    settings.split(' ').map((one) => [one.slice(0, one.indexOf('=')), one.slice(one.indexOf('=') + 1)]),
  )
}

interface Measured {
  idleMb: number
  peakMb: number
  elapsedMs: number
}

async function measure(env: Readonly<Record<string, string>>): Promise<Measured> {
  await using upstream = openChild<InstantUpstreamVerbs>('instant-upstream')
  await using client = openChild<RestClientVerbs>('rest-client')
  await using gateway = openChild<GatewayVerbs>('gateway', 'children', {
    program: join(BUNDLES, 'gateway.js'),
    env,
  })
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
  return { idleMb, peakMb, elapsedMs }
}

function describe({ idleMb, peakMb, elapsedMs }: Measured): string {
  return `${peakMb.toFixed(0)} MB (${idleMb.toFixed(0)} after its start), ${(elapsedMs / 1000).toFixed(1)} s`
}
