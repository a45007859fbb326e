// One request or one failure at the fake upstream of a page.
import { onTestFinished } from 'vitest'
import type { ImageRequest, Settings } from '../../src/domain.ts'
import { matchCapabilities, type CapabilityMatch } from '../../src/engine/routing/match.ts'
import { dialects } from '../../src/providers/index.ts'
import type { Failure } from '../../src/providers/error.ts'
import type { Offer, ProviderRequest, Provider } from '../../src/providers/provider.ts'
import { plainRequest } from '../support/rows.ts'
import { failureOf, inputOf, openCall, requestOf } from '../providers/call.ts'
import { startAcedataUpstream } from '../providers/upstreams/acedata.ts'
import { startBasicUpstream } from '../providers/upstreams/basic.ts'
import type { FakeUpstream, Scenario, ReceivedRequest } from '../providers/upstreams/fake.ts'
import { startJimmyUpstream } from '../providers/upstreams/jimmy.ts'
import { startPmockUpstream } from '../providers/upstreams/pmock.ts'
import { startCompatUpstream } from '../providers/upstreams/pmock-compat.ts'
import type { Page } from './pages.ts'
import type { Sample } from './tables.ts'

const KEY = 'key-of-the-fake'

async function startFor({ dialect }: Page): Promise<{ upstream: FakeUpstream; account: object }> {
  const account = { apiKey: KEY }
  if (dialect === 'basic') return { account, upstream: await startBasicUpstream(account) }
  if (dialect === 'jimmy') return { account, upstream: await startJimmyUpstream(account) }
  if (dialect === 'acedata') return { account, upstream: await startAcedataUpstream(account) }
  if (dialect === 'openai') return { account, upstream: await startCompatUpstream({ accessKey: KEY }) }
  const keys = { accessKey: KEY, auth: 'bearer' } as const
  const upstream = await startPmockUpstream({ ...keys, secretKey: '', now: () => 0 })
  return { account: keys, upstream }
}

/** Options of a provider. */
export type Entry = Record<string, unknown>

export interface OpenProvider {
  provider: Provider
  upstream: FakeUpstream
}

/** A provider of the page's dialect and its fake upstream, closed when the test ends. */
export async function openProvider(page: Page, entry: Entry = {}): Promise<OpenProvider> {
  const { upstream, account } = await startFor(page)
  onTestFinished(() => upstream.close())
  const dialect = dialects[page.dialect]
  if (!dialect) throw new Error(`There is no dialect ${page.dialect}`)
  const options = dialect.options.parse({ baseUrl: upstream.url, ...account, ...page.entry, ...entry })
  const provider = dialect.create(page.dialect, options)
  onTestFinished(() => provider.close())
  return { provider, upstream }
}

/** The options in a sample: everything that is not a setting of a request. */
export function entryOf(sample: Sample): Sample {
  return Object.fromEntries(Object.entries(sample).filter(([name]) => !(name in SETTINGS)))
}

/** Submits a sample, and returns the request that arrived. */
export async function send(page: Page, sample: Sample): Promise<ReceivedRequest> {
  const { provider, upstream } = await openProvider(page, entryOf(sample))
  const { callback } = sample
  const { call } = await openCall(callback === undefined ? {} : { callbackUrl: String(callback) })
  // The upstream may refuse the request: only what was sent matters here.
  await provider.submit(toProviderRequest(sample), call).catch(() => undefined)
  const [request] = upstream.requests
  if (!request) throw new Error(`Nothing was sent for ${JSON.stringify(sample)}`)
  return request
}

/** The result of capability matching for a sample. */
export async function matchSample(
  page: Page,
  sample: Sample,
): Promise<{ match: CapabilityMatch; offer: Offer }> {
  const { provider } = await openProvider(page, entryOf(sample))
  const request: ImageRequest = { ...plainRequest, ...toSettings(sample), ...toInputs(sample) }
  const offer = provider.offers.find(({ model }) => model === request.model)
  if (!offer) throw new Error(`${page.title} has no ${request.model}`)
  return { offer, match: matchCapabilities(request, offer, '2026-01-01') }
}

/** The failure of a submit in a scenario. */
export async function failSubmit(page: Page, scenario: Scenario, entry: Entry = {}): Promise<Failure> {
  const { provider, upstream } = await openProvider(page, entry)
  upstream.script(scenario)
  const { call } = await openCall()
  return failureOf(provider.submit(requestOf(), call))
}

/** The failure of a check of an accepted request in a scenario. */
export async function failCheck(
  page: Page,
  scenario: (remoteId: string) => Scenario,
  entry: Entry = {},
): Promise<Failure> {
  const mode = page.dialect === 'pmock' ? {} : { mode: 'async' }
  const { provider, upstream } = await openProvider(page, { ...mode, ...entry })
  const { call } = await openCall()
  const answer = await provider.submit(requestOf(), call)
  if (answer.state !== 'ACCEPTED') throw new Error(`The request was not accepted but ${answer.state}`)
  upstream.script(scenario(answer.remoteId))
  return failureOf(Promise.resolve(provider.check?.(answer.remoteId, requestOf(), call)))
}

/** The settings of a request, and its callback URL. Everything else in a sample is an option of the provider. */
export const { operation: _, upstreamModel: __, ...SETTINGS } = { ...requestOf(), callback: '' }

const IMAGE = inputOf(Buffer.from('image'))

function toProviderRequest(sample: Sample): ProviderRequest {
  const { images = 0, mask, markup } = sample
  const inputs = Array.from({ length: Number(images) }, () => IMAGE)
  const settings = toSettings(sample)
  return requestOf({
    ...settings,
    upstreamModel: settings.model ?? 'gpt-image-2',
    ...(inputs.length > 0 && { images: inputs }),
    mask: mask === undefined ? null : IMAGE,
    markup: markup === undefined ? null : IMAGE,
  })
}

function toInputs({ images = 0, mask, markup }: Sample): Partial<ImageRequest> {
  const inputs = Array.from({ length: Number(images) }, () => ({ url: 'https://example.com/a.png' }))
  return {
    operation: inputs.length > 0 ? 'EDIT' : 'GENERATE',
    images: inputs,
    mask: mask === undefined ? null : { url: 'https://example.com/mask.png' },
    markup: markup === undefined ? null : { url: 'https://example.com/markup.png' },
  }
}

function toSettings(sample: Sample): Partial<Settings> {
  const settings = Object.entries(sample).filter(
    ([name]) => name in SETTINGS && !['images', 'mask', 'markup', 'callback'].includes(name),
  )
  return Object.fromEntries(settings)
}
