// The fake upstreams of all five dialects that have one, and their entries in a configuration.
import { startAcedataUpstream, type AcedataUpstream } from './upstreams/acedata.ts'
import { startBasicUpstream, type BasicUpstream } from './upstreams/basic.ts'
import type { FakeUpstream } from './upstreams/fake.ts'
import { startJimmyUpstream } from './upstreams/jimmy.ts'
import { startOpenaiUpstream, type OpenaiUpstream } from './upstreams/openai.ts'
import { startPmockUpstream, type PmockUpstream } from './upstreams/pmock.ts'

/** The credentials of each upstream. */
export interface Keys {
  openai: string
  basic: string
  /** Sent with requests; the secret key only signs them. */
  pmockAccess: string
  pmockSecret: string
  jimmy: string
  acedata: string
}

export interface Fleet {
  openai: OpenaiUpstream
  basic: BasicUpstream
  pmock: PmockUpstream
  jimmy: FakeUpstream
  acedata: AcedataUpstream
  /** Their entries in a configuration, each named after its dialect. They poll without delay. */
  entries: Record<string, unknown>[]
  close(): Promise<void>
}

const KEYS: Keys = {
  openai: 'openai-key',
  basic: 'basic-key',
  pmockAccess: 'pmock-access-key',
  pmockSecret: 'pmock-secret-key',
  jimmy: 'jimmy-key',
  acedata: 'acedata-key',
}

export interface FleetOptions {
  keys?: Keys
  /** One minute by default. */
  timeoutMs?: number
}

/** Starts them on free ports of the loopback address. */
export async function startFleet({ keys = KEYS, timeoutMs = 60_000 }: FleetOptions = {}): Promise<Fleet> {
  const pmockKeys = { accessKey: keys.pmockAccess, secretKey: keys.pmockSecret }
  const [openai, basic, pmock, jimmy, acedata] = await Promise.all([
    startOpenaiUpstream({ apiKey: keys.openai }),
    startBasicUpstream({ apiKey: keys.basic }),
    startPmockUpstream({ ...pmockKeys, now: () => Date.now() }),
    startJimmyUpstream({ apiKey: keys.jimmy }),
    startAcedataUpstream({ apiKey: keys.acedata }),
  ])
  return {
    openai,
    basic,
    pmock,
    jimmy,
    acedata,
    entries: [
      entry('openai', openai.url, { apiKey: keys.openai, timeoutMs }),
      entry('basic', basic.url, { apiKey: keys.basic, timeoutMs }),
      entry('pmock', pmock.url, { ...pmockKeys, pollMs: 1, timeoutMs }),
      entry('jimmy', jimmy.url, { apiKey: keys.jimmy, pollMs: 1, timeoutMs }),
      entry('acedata', acedata.url, { apiKey: keys.acedata, pollMs: 1, callbackPollMs: 50, timeoutMs }),
    ],
    close: async () =>
      void (await Promise.all([openai, basic, pmock, jimmy, acedata].map((upstream) => upstream.close()))),
  }
}

function entry(dialect: string, baseUrl: string, more: object): Record<string, unknown> {
  return { name: dialect, dialect, baseUrl, ...more }
}
