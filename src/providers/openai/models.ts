// platform.openai.com/docs/api-reference/models/list; `shutdown_date` in the specification of a model.
import { z } from 'zod'
import { ProviderError, VERDICTS } from '../error.ts'
import { isSuccess, readBody, type ImagesClient } from '../images-api/client.ts'
import type { ListedModel, Provider } from '../provider.ts'
import type { Message } from '../wire/http.ts'

const DATE = /^\d{4}-\d\d-\d\d/

const list = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      shutdown_date: z.union([z.string(), z.number()]).nullish().catch(null),
    }),
  ),
})

export function modelReader(
  client: ImagesClient,
  path: string,
  credentials: Message['headers'],
): NonNullable<Provider['listModels']> {
  return async ({ signal }) => {
    const headers = { accept: 'application/json', ...credentials }
    const call = { signal, onWire() {}, newFile: () => '' }
    const reply = await client.ask({ method: 'GET', path, headers }, call)
    const { json, text, problem } = await readBody(reply, call)
    // What arrived of a list that breaks off would count as the whole list.
    const isWhole = isSuccess(reply) && problem === undefined
    const parsed = list.safeParse(json)
    if (isWhole && parsed.success) return parsed.data.data.map(toListed)
    const reason = isSuccess(reply)
      ? `it is no ${problem === undefined ? '' : 'complete '}list of models`
      : `status ${reply.status} ${reply.clean(text)}`
    throw new ProviderError({
      ...VERDICTS.BROKEN,
      charged: 'NO',
      message: `The list of models could not be read: ${reason.trim()}.`,
    })
  }
}

function toListed({ id, shutdown_date: date }: z.output<typeof list>['data'][number]): ListedModel {
  if (typeof date === 'number') return { upstreamModel: id, retiresOn: isoDate(date) }
  return { upstreamModel: id, retiresOn: date && DATE.test(date) ? date.slice(0, 10) : null }
}

/** Of Unix seconds. */
function isoDate(seconds: number): string | null {
  const date = new Date(seconds * 1000)
  return Number.isNaN(date.getTime()) ? null : date.toISOString().slice(0, 10)
}
