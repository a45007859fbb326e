import { spillJson } from '../wire/json-spill.ts'
import { DownloadError } from '../wire/download.ts'
import { ProviderError } from '../error.ts'
import { readText, type Reply } from '../wire/http.ts'
import { receive, type FetchLink, type picture } from './picture.ts'
import type { Call, ReceivedImage } from '../provider.ts'
import type { z } from 'zod'

/**
 * A reply's body as JSON, its pictures in files. Throws MalformedReply when a success is not JSON; of a failing status
 * the body only helps, so it is undefined then.
 */
export async function readJson(reply: Reply, call: Pick<Call, 'newFile'>): Promise<unknown> {
  if (isSuccess(reply)) return spillJson(reply.body, () => call.newFile())
  try {
    return JSON.parse(await readText(reply.body))
  } catch {
    return undefined
  }
}

export function isSuccess({ status }: Pick<Reply, 'status'>): boolean {
  return status >= 200 && status < 300
}

/**
 * The pictures of a finished task as files. A link that could not be reached may be reached when it is fetched again, so
 * that is `lost`: the task's record will still be there. Throws ProviderError RESULT_UNREACHABLE.
 */
export async function collect(
  pictures: readonly z.output<typeof picture>[],
  provider: string,
  fetchLink: FetchLink,
): Promise<ReceivedImage[]> {
  try {
    return await receive(pictures, provider, fetchLink)
  } catch (error) {
    if (!(error instanceof ProviderError && error.cause instanceof DownloadError)) throw error
    const again = error.cause.failure === 'UNREACHABLE' || error.cause.failure === 'TIMED_OUT'
    throw again ? new ProviderError({ ...error.failure, kind: 'lost' }) : error
  }
}
