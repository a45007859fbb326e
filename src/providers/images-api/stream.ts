import { z } from 'zod'
import type { Usage } from '../../domain.ts'
import { ProviderError } from '../error.ts'
import { MalformedReply } from '../wire/malformed.ts'
import type { Answer, Call, ProviderRequest } from '../provider.ts'
import { readEvents, type ServerSentEvent } from '../wire/sse.ts'
import { errorIn, streamFailure, type ErrorContext } from './failure.ts'
import { chosen, hasPicture, picture, receive, toResolved, type FetchLink } from './picture.ts'
import { addUsages, toUsage } from './usage.ts'

const event = z.object({
  ...picture.shape,
  ...chosen.shape,
  type: z.string().optional().catch(undefined),
  partial_image_index: z.int().nonnegative().optional().catch(undefined),
  usage: z.unknown().optional(),
})

type Finished = z.output<typeof event>

/**
 * A streamed reply: previews to `onPartial` as they come, and the answer when as many pictures are finished as were
 * ordered. What comes after that is not read: previews of a picture that is there already.
 */
export async function readStream(
  body: AsyncIterable<Buffer>,
  request: ProviderRequest,
  call: Call,
  context: ErrorContext & { fetchLink: FetchLink },
): Promise<Answer> {
  const finished: Finished[] = []
  let previews = 0

  async function take(data: Finished, type: string): Promise<void> {
    if (type.endsWith('.completed')) {
      if (!hasPicture(data)) throw new MalformedReply('has a finished picture without bytes or link')
      finished.push(data)
      return
    }
    if (!type.endsWith('.partial_image') || !data.b64_json) return
    const index = data.partial_image_index ?? previews
    previews += 1
    await call.onPartial(data.b64_json.file, index)
    call.onProgress(Math.min(1, (index + 1) / (request.partialImages + 1)))
  }

  async function readAll(): Promise<void> {
    for await (const received of readEvents(body, () => call.newFile())) {
      const error = errorOf(received)
      if (error) throw streamFailure(error, context, previews + finished.length > 0 ? 'pictures' : 'nothing')
      const parsed = event.safeParse(received.data)
      if (parsed.success) await take(parsed.data, parsed.data.type ?? received.event)
      if (finished.length === request.n) return
    }
  }

  let usages: Usage[] = []
  try {
    await readAll()
    usages = finished.map(({ usage }) => toUsage(usage))
  } catch (error) {
    // What is finished is paid for and kept, however the rest of the stream went; what the rest has cost is unknown.
    const upstreams = error instanceof ProviderError || error instanceof MalformedReply
    if (finished.length === 0 || !upstreams) throw error
  }
  const [first] = finished
  if (!first) throw endedEarly(context)
  return {
    state: 'DONE',
    images: await receive(finished, context.provider, context.fetchLink),
    usage: addUsages(usages),
    resolved: toResolved(first),
  }
}

function errorOf({ event: name, data }: ServerSentEvent) {
  const wrapped = errorIn(data)
  if (wrapped || name !== 'error') return wrapped
  return errorIn({ error: data ?? '' })
}

function endedEarly({ provider, status, requestId }: ErrorContext): ProviderError {
  return new ProviderError({
    kind: 'lost',
    code: 'OUTCOME_UNKNOWN',
    message: `${provider} ended its stream without a finished picture. Whether one was painted is unknown.`,
    charged: 'UNKNOWN',
    httpStatus: status,
    providerRequestId: requestId,
  })
}
