// One order or one failure at a faked upstream, by the page that it stands for.
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
import type { Wish } from './tables.ts'

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

/** What differs in a provider's configuration. */
export type Entry = Record<string, unknown>

export interface Trial {
  provider: Provider
  upstream: FakeUpstream
}

/** A provider of the page's dialect and its upstream, closed when the test ends. */
export async function openTrial(page: Page, entry: Entry = {}): Promise<Trial> {
  const { upstream, account } = await startFor(page)
  onTestFinished(() => upstream.close())
  const dialect = dialects[page.dialect]
  if (!dialect) throw new Error(`There is no dialect ${page.dialect}`)
  const options = dialect.options.parse({ baseUrl: upstream.url, ...account, ...page.entry, ...entry })
  const provider = dialect.create(page.dialect, options)
  onTestFinished(() => provider.close())
  return { provider, upstream }
}

/** The configuration that a wish is about: what is no setting of an order. */
export function entryOf(wish: Wish): Wish {
  return Object.fromEntries(Object.entries(wish).filter(([name]) => !(name in SETTINGS)))
}

/** Sends an order with this wish, whatever becomes of it, and gives what arrived. */
export async function send(page: Page, wish: Wish): Promise<ReceivedRequest> {
  const { provider, upstream } = await openTrial(page, entryOf(wish))
  const { address } = wish
  const { call } = await openCall(address === undefined ? {} : { callbackUrl: String(address) })
  // The upstream may refuse what its model does not take; what counts here is what it was sent.
  await provider.submit(toOrder(wish), call).catch(() => undefined)
  const [request] = upstream.requests
  if (!request) throw new Error(`Nothing was sent for ${JSON.stringify(wish)}`)
  return request
}

/** How the router judges a request with this wish. */
export async function judge(page: Page, wish: Wish): Promise<{ match: CapabilityMatch; offer: Offer }> {
  const { provider } = await openTrial(page, entryOf(wish))
  const request: ImageRequest = { ...plainRequest, ...toSettings(wish), ...toInputs(wish) }
  const offer = provider.offers.find(({ model }) => model === request.model)
  if (!offer) throw new Error(`${page.title} has no ${request.model}`)
  return { offer, match: matchCapabilities(request, offer, '2026-01-01') }
}

/** What an order at this upstream ends with when it answers so. */
export async function failWith(page: Page, mood: Scenario, entry: Entry = {}): Promise<Failure> {
  const { provider, upstream } = await openTrial(page, entry)
  upstream.script(mood)
  const { call } = await openCall()
  return failureOf(provider.submit(requestOf(), call))
}

/** What an accepted order ends with when the upstream answers so to the question about it. */
export async function endWith(
  page: Page,
  mood: (remoteId: string) => Scenario,
  entry: Entry = {},
): Promise<Failure> {
  const mode = page.dialect === 'pmock' ? {} : { mode: 'async' }
  const { provider, upstream } = await openTrial(page, { ...mode, ...entry })
  const { call } = await openCall()
  const answer = await provider.submit(requestOf(), call)
  if (answer.state !== 'ACCEPTED') throw new Error(`The order was not accepted but ${answer.state}`)
  upstream.script(mood(answer.remoteId))
  return failureOf(Promise.resolve(provider.check?.(answer.remoteId, requestOf(), call)))
}

/** What an order may say, and where its upstream may call back; all else in a wish is configuration. */
export const { operation: _, upstreamModel: __, ...SETTINGS } = { ...requestOf(), address: '' }

const PICTURE = inputOf(Buffer.from('picture'))

function toOrder(wish: Wish): ProviderRequest {
  const { images = 0, mask } = wish
  const inputs = Array.from({ length: Number(images) }, () => PICTURE)
  const settings = toSettings(wish)
  return requestOf({
    ...settings,
    upstreamModel: settings.model ?? 'gpt-image-2',
    ...(inputs.length > 0 && { images: inputs }),
    mask: mask === undefined ? null : PICTURE,
  })
}

function toInputs({ images = 0, mask }: Wish): Partial<ImageRequest> {
  const inputs = Array.from({ length: Number(images) }, () => ({ url: 'https://example.com/a.png' }))
  return {
    operation: inputs.length > 0 ? 'EDIT' : 'GENERATE',
    images: inputs,
    mask: mask === undefined ? null : { url: 'https://example.com/mask.png' },
  }
}

function toSettings(wish: Wish): Partial<Settings> {
  const said = Object.entries(wish).filter(
    ([name]) => name in SETTINGS && !['images', 'mask', 'address'].includes(name),
  )
  return Object.fromEntries(said)
}
