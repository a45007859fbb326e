import type { Call } from '../provider.ts'
import { readText, type Reply } from '../wire/http.ts'
import { spillJson, type SpillLimits } from '../wire/json-spill.ts'
import { isSuccess } from './client.ts'

/**
 * Reads the body of a reply as JSON, with its images in spool files. Throws MalformedReply when a successful reply is not
 * JSON; the body of a failing one is undefined then.
 */
export async function readJson(
  reply: Reply,
  call: Pick<Call, 'newFile'>,
  limits?: SpillLimits,
): Promise<unknown> {
  if (isSuccess(reply)) return spillJson(reply.body, () => call.newFile(), limits)
  return parseJson(await readText(reply.body))
}

/** Parses a JSON text; undefined when it is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
