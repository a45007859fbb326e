// Four upstreams, one for each way in which images come, each behind a slow line and with books of its own.
import { startAcedataUpstream } from '../providers/upstreams/acedata.ts'
import { startJimmyUpstream } from '../providers/upstreams/jimmy.ts'
import { startOpenaiUpstream } from '../providers/upstreams/openai.ts'
import type { Chance } from './chance.ts'
import { startSlowLine } from './slow.ts'

export const WAYS = ['sync', 'stream', 'poll', 'callback'] as const

export interface Upstreams {
  /** Their entries in a configuration, each named by its way. */
  entries: Record<string, unknown>[]
  /** The attempt that each charge is for, by the id that its order carried. */
  charges(): string[]
  close(): Promise<void>
}

export async function startUpstreams(chance: Chance): Promise<Upstreams> {
  const key = { apiKey: 'storm-key' }
  const [sync, stream] = await Promise.all([startOpenaiUpstream(key), startOpenaiUpstream(key)])
  const [poll, callback] = await Promise.all([startJimmyUpstream(key), startAcedataUpstream(key)])
  const all = [sync, stream, poll, callback]
  const lines = await Promise.all(all.map(({ url }) => startSlowLine(url, chance)))
  const [syncUrl, streamUrl, pollUrl, callbackUrl] = lines.map(({ url }) => url)
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
      await Promise.all([...lines, ...all].map((one) => one.close()))
    },
  }
}
