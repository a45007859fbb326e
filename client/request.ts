// One POST each, repeated while the server cannot be reached.
import { createDeadline } from './deadline.ts'
import { fieldOf, readResult, type Endpoint, type Result } from './endpoint.ts'
import { connectionLost, createError, DarkroomError } from './errors.ts'
import type { TypedDocument } from './generated.ts'
import { findOriginRefusal, originHint } from './origin.ts'
import { createBackOff, wasLost, wasRefusedForNow } from './retry.ts'
import { encodeForm, sendForm, type UploadProgress } from './upload.ts'

export interface RequestOptions {
  signal?: AbortSignal | undefined
  /** Called with what was sent of the images. */
  onUploadProgress?: ((progress: UploadProgress) => void) | undefined
}

export interface RequestSettings {
  endpoint: Endpoint
  giveUpAfterMs: number
  timeoutMs: number
  closed: AbortSignal
}

/** IDEMPOTENT: queries, and mutations with an idempotency key, may be repeated. */
export type Repetition = 'IDEMPOTENT' | 'ONCE'

/** Many images over a slow line take minutes. */
const UPLOAD_TIMEOUT_FACTOR = 20

/** The value of the operation's only root field. */
export async function request<Data extends object, Variables extends object>(
  settings: RequestSettings,
  document: TypedDocument<Data, Variables>,
  variables: NoInfer<Variables>,
  repetition: Repetition,
  options: RequestOptions & { files?: ReadonlyMap<string, Blob> } = {},
): Promise<NonNullable<Data[keyof Data]>> {
  const signal = options.signal ? AbortSignal.any([options.signal, settings.closed]) : settings.closed
  const backOff = createBackOff(settings.giveUpAfterMs)
  const body = JSON.stringify({ query: document, variables })
  for (;;) {
    try {
      const result = await send(settings, body, signal, options)
      return fieldOf(result) as NonNullable<Data[keyof Data]>
    } catch (error) {
      if (signal.aborted) throw signal.reason
      const refusal = wasLost(error) && (await findOriginRefusal(settings.endpoint, signal))
      if (refusal) throw refusal
      const problem = withCharge(error, document)
      const canRepeat = repetition === 'IDEMPOTENT' && (wasRefusedForNow(error) || wasLost(error))
      if (!canRepeat) throw problem
      await backOff.wait(problem, signal)
    }
  }
}

async function send(
  { endpoint, timeoutMs }: RequestSettings,
  body: string,
  signal: AbortSignal,
  { files, onUploadProgress }: RequestOptions & { files?: ReadonlyMap<string, Blob> },
): Promise<Result> {
  const headers = { ...(await endpoint.headers()), accept: 'application/graphql-response+json' }
  const hasFiles = files !== undefined && files.size > 0
  const deadline = createDeadline(hasFiles ? timeoutMs * UPLOAD_TIMEOUT_FACTOR : timeoutMs, signal)
  try {
    const response = hasFiles
      ? await sendForm(endpoint, headers, encodeForm(body, files), {
          signal: deadline.signal,
          onUploadProgress,
        })
      : await endpoint.fetch(endpoint.url, {
          method: 'POST',
          headers: { ...headers, 'content-type': 'application/json' },
          body,
          signal: deadline.signal,
        })
    return await readResult(response)
  } catch (error) {
    if (error instanceof DarkroomError) throw error
    throw connectionLost(
      `There is no response from ${endpoint.url.origin}.${originHint(endpoint.url)}`,
      error,
    )
  } finally {
    deadline.stop()
  }
}

/** A mutation without a readable response may have been executed. */
function withCharge(error: unknown, document: string): unknown {
  if (!(error instanceof DarkroomError) || !document.startsWith('mutation')) return error
  const isKnown = !wasLost(error) && error.code !== 'INTERNAL_SERVER_ERROR' && error.code !== 'BAD_RESPONSE'
  return isKnown ? error : createError(error.code, error.message, { charged: 'UNKNOWN', cause: error.cause })
}
