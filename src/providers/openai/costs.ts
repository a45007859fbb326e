// platform.openai.com/docs/api-reference/usage. Needs an admin key.
import { z } from 'zod'
import { parseExactJson, sumDecimalUsd } from '../../money.ts'
import { ProviderError, VERDICTS } from '../error.ts'
import { isSuccess, type ImagesClient } from '../images-api/client.ts'
import type { BilledDay, Offer, Provider } from '../provider.ts'

interface BillAccount {
  adminKey: string
  /** Restricts the bill to one project. */
  project?: string | undefined
}

/** Days per page: the usage endpoint's maximum. */
const PAGE_DAYS = 31
const MAX_PAGES = 50
const MAX_PAGE_BYTES = 8 * 1024 * 1024

const bucket = <Result extends z.ZodType>(result: Result) =>
  z.object({
    data: z.array(z.object({ start_time: z.coerce.number(), results: z.array(result) })),
    has_more: z.boolean().default(false),
    next_page: z.string().nullish(),
  })
const COSTS = bucket(
  z.object({
    // Digits as sent: see parseExactJson.
    amount: z.object({ value: z.string(), currency: z.string() }),
    line_item: z.string().nullish(),
  }),
)
const IMAGES = bucket(z.object({ images: z.coerce.number().int(), model: z.string().nullish() }))

type Page<Result> = {
  data: { start_time: number; results: Result[] }[]
  has_more: boolean
  next_page?: string | null | undefined
}

/** Of the organization or its project. Line items count if named after an offered model. */
export function billReader(
  client: ImagesClient,
  account: BillAccount,
  offers: readonly Pick<Offer, 'upstreamModel'>[],
): NonNullable<Provider['fetchBill']> {
  const isOffered = (name: string | null | undefined) =>
    offers.some(({ upstreamModel }) => isOfModel(name ?? '', upstreamModel))

  return async ({ from, to }, { signal }) => {
    const query = new URLSearchParams({
      start_time: `${from / 1000}`,
      end_time: `${to / 1000}`,
      bucket_width: '1d',
      limit: `${PAGE_DAYS}`,
      ...(account.project !== undefined && { 'project_ids[]': account.project }),
    })
    const read = <Result>(path: string, by: string, shape: z.ZodType<Page<Result>>) =>
      readPages(client, account, `${path}?${query}&group_by[]=${by}`, shape, signal)
    const costs = await read('/organization/costs', 'line_item', COSTS)
    const images = await read('/organization/usage/images', 'model', IMAGES)
    const imagesOf = new Map(
      images.map(({ start_time, results }) => [
        start_time,
        results.filter(({ model }) => isOffered(model)).reduce((sum, one) => sum + one.images, 0),
      ]),
    )
    return costs.map(({ start_time, results }): BilledDay => {
      const [ours, others] = [true, false].map((offered) =>
        results.filter(({ line_item }) => isOffered(line_item) === offered),
      )
      return {
        startsAt: start_time * 1000,
        micros: microsOf(ours ?? []),
        otherMicros: microsOf(others ?? []),
        images: imagesOf.get(start_time) ?? null,
      }
    })
  }
}

/** `gpt-image-2, output`, `gpt-image-2-2026-04-21, input`; not `gpt-image-2.5-flare`. */
function isOfModel(name: string, model: string): boolean {
  const text = name.trim().toLowerCase()
  if (!text.startsWith(model.toLowerCase())) return false
  return /^(?:-\d{4}-\d\d-\d\d)?(?![\w.-])/.test(text.slice(model.length))
}

function microsOf(results: readonly z.output<typeof COSTS>['data'][number]['results'][number][]): number {
  const foreign = results.find(({ amount }) => amount.currency.toLowerCase() !== 'usd')
  if (foreign) throw unreadable(`the currency is ${foreign.amount.currency}`)
  const micros = sumDecimalUsd(results.map(({ amount }) => amount.value))
  if (micros === undefined) throw unreadable('an amount is not a number')
  return micros
}

async function readPages<Result>(
  client: ImagesClient,
  { adminKey }: BillAccount,
  path: string,
  shape: z.ZodType<Page<Result>>,
  signal: AbortSignal,
): Promise<Page<Result>['data']> {
  const days: Page<Result>['data'] = []
  const call: Parameters<ImagesClient['ask']>[1] = { signal, onWire() {}, newFile: () => '' }
  let page: string | undefined
  for (let count = 0; count < MAX_PAGES; count++) {
    const headers = { accept: 'application/json', authorization: `Bearer ${adminKey}` }
    const message = {
      method: 'GET' as const,
      path: page ? `${path}&page=${encodeURIComponent(page)}` : path,
      headers,
    }
    const reply = await client.ask(message, call)
    const text = await readPage(reply.body)
    if (!isSuccess(reply)) throw unreadable(`status ${reply.status}: ${reply.clean(text)}`)
    const parsed = shape.safeParse(parseExactJson(text))
    if (!parsed.success) throw unreadable(`its reply is not as documented: ${z.prettifyError(parsed.error)}`)
    days.push(...parsed.data.data)
    if (!parsed.data.has_more || !parsed.data.next_page) return days
    page = parsed.data.next_page
  }
  throw unreadable(`it has more than ${MAX_PAGES} pages`)
}

async function readPage(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    size += chunk.length
    if (size > MAX_PAGE_BYTES) throw unreadable(`a page has more than ${MAX_PAGE_BYTES} bytes`)
  }
  return Buffer.concat(chunks).toString()
}

function unreadable(reason: string): ProviderError {
  return new ProviderError({
    ...VERDICTS.BROKEN,
    charged: 'NO',
    message: `The bill could not be read: ${reason}.`,
  })
}
