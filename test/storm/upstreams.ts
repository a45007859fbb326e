// Four upstreams, one for each mode of a provider, each behind a slow proxy and with its own record of charges.
import { startAcedataUpstream } from '../providers/upstreams/acedata.ts'
import { startJimmyUpstream } from '../providers/upstreams/jimmy.ts'
import { startOpenaiUpstream } from '../providers/upstreams/openai.ts'
import type { Random } from '../support/random.ts'
import { startSlowProxy } from './slow-proxy.ts'

export const MODES = ['sync', 'stream', 'poll', 'callback'] as const

export interface Upstreams {
  /** Their entries in a configuration, each named after its mode. */
  entries: Record<string, unknown>[]
  /** The attempt of each charge. */
  charges(): string[]
  close(): Promise<void>
}

export async function startUpstreams(random: Random): Promise<Upstreams> {
  const key = { apiKey: 'storm-key' }
  const [sync, stream] = await Promise.all([startOpenaiUpstream(key), startOpenaiUpstream(key)])
  const [poll, callback] = await Promise.all([startJimmyUpstream(key), startAcedataUpstream(key)])
  const all = [sync, stream, poll, callback]
  const proxies = await Promise.all(all.map(({ url }) => startSlowProxy(url, random)))
  const [syncUrl, streamUrl, pollUrl, callbackUrl] = proxies.map(({ url }) => url)
  const often = { pollMs: 100, timeoutMs: 20_000 }
  return {
    entries: [
      { name: 'sync', dialect: 'openai', mode: 'sync', baseUrl: syncUrl, ...key },
      { name: 'stream', dialect: 'openai', mode: 'stream', baseUrl: streamUrl, ...key },
      { name: 'poll', dialect: 'jimmy', mode: 'async', baseUrl: pollUrl, ...key, ...often },
      {
        name: 'callback',
        dialect: 'acedata',
        mode: 'callback',
        baseUrl: callbackUrl,
        ...key,
        ...often,
        callbackPollMs: 1000,
      },
    ],
    charges() {
      const ofOpenai = [sync, stream].flatMap(({ charges }) =>
        [...charges].flatMap(([ref, times]) => Array.from({ length: times }, () => ref)),
      )
      const ofOthers = [poll, callback].flatMap(({ ledger }) => ledger.map(({ clientRef }) => clientRef))
      return [...ofOpenai, ...ofOthers]
    },
    async close() {
      await Promise.all([...proxies, ...all].map((one) => one.close()))
    },
  }
}
