import type { Call } from '../provider.ts'
import { readText, type Reply } from '../wire/http.ts'
import { spillJson, type SpillLimits } from '../wire/json-spill.ts'
import { isSuccess } from './client.ts'

/** Reads a body, with its images in spool files. Of replies that are not JSON, throws MalformedReply for a success. */
export async function readJson(
  reply: Reply,
  call: Pick<Call, 'newFile'>,
  limits?: SpillLimits,
): Promise<unknown> {
  if (isSuccess(reply)) return spillJson(reply.body, () => call.newFile(), limits)
  return parseJson(await readText(reply.body))
}

/** Undefined when it is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
