// Four upstreams, one for each mode of a provider, each behind a faulty proxy and with its own record of charges.
import { startAcedataUpstream } from '../providers/upstreams/acedata.ts'
import { startJimmyUpstream } from '../providers/upstreams/jimmy.ts'
import { startOpenaiUpstream } from '../providers/upstreams/openai.ts'
import { CONFIGURED_PRICES } from '../providers/upstreams/tariff.ts'
import { startFaultyProxy, type ProxyOptions } from './faulty-proxy.ts'

export const MODES = ['sync', 'stream', 'poll', 'callback'] as const

/** A charge, as an upstream recorded it. */
export interface Charge {
  attempt: string
  micros: number
}

export interface Upstreams {
  /** Their entries in the configuration of the process, each named after its mode. */
  entriesFor(process: number): Record<string, unknown>[]
  charges(): Charge[]
  /** The number of requests whose connection is not finished. */
  inFlight(): number
  close(): Promise<void>
}

const modelsOf = (dialect: 'jimmy' | 'acedata') => [
  { name: 'gpt-image-2', price: CONFIGURED_PRICES[dialect] },
]

/** Longer than a process is stopped, and short enough to wait for a reply that hangs. */
const TIMEOUT_MS = 6000

export async function startUpstreams(options: ProxyOptions): Promise<Upstreams> {
  const key = { apiKey: 'storm-key' }
  const [sync, stream] = await Promise.all([startOpenaiUpstream(key), startOpenaiUpstream(key)])
  const [poll, callback] = await Promise.all([startJimmyUpstream(key), startAcedataUpstream(key)])
  const all = [sync, stream, poll, callback]
  const proxies = await Promise.all(all.map(({ url }) => startFaultyProxy(url, options)))
  const common = { ...key, timeoutMs: TIMEOUT_MS }
  return {
    entriesFor(process) {
      const [syncUrl, streamUrl, pollUrl, callbackUrl] = proxies.map((proxy) => proxy.urlFor(process))
      return [
        { name: 'sync', dialect: 'openai', mode: 'sync', baseUrl: syncUrl, ...common },
        { name: 'stream', dialect: 'openai', mode: 'stream', baseUrl: streamUrl, ...common },
        {
          name: 'poll',
          dialect: 'jimmy',
          mode: 'async',
          baseUrl: pollUrl,
          models: modelsOf('jimmy'),
          pollMs: 100,
          ...common,
        },
        {
          name: 'callback',
          dialect: 'acedata',
          mode: 'callback',
          baseUrl: callbackUrl,
          models: modelsOf('acedata'),
          pollMs: 100,
          callbackPollMs: 1000,
          ...common,
        },
      ]
    },
    charges: () =>
      [sync, stream, poll, callback].flatMap(({ ledger }) =>
        ledger.map(({ clientRef, micros }) => ({ attempt: clientRef, micros })),
      ),
    inFlight: () => proxies.reduce((sum, proxy) => sum + proxy.inFlight(), 0),
    async close() {
      await Promise.all([...proxies, ...all].map((one) => one.close()))
    },
  }
}
