import { z } from 'zod'
import type { Usage } from '../../domain.ts'
import { ProviderError, VERDICTS } from '../error.ts'
import type { CallResult, Call, ProviderRequest } from '../provider.ts'
import { MalformedReply } from '../wire/malformed.ts'
import { readEvents, type ServerSentEvent } from '../wire/sse.ts'
import type { ProviderReply } from './client.ts'
import { hasImage, imageEntry, reportedSettings, toDone } from './images.ts'
import { errorIn, streamFailure } from './upstream-error.ts'
import { addUsages, toUsage } from './usage.ts'

const event = z.object({
  ...imageEntry.shape,
  ...reportedSettings.shape,
  type: z.string().optional().catch(undefined),
  partial_image_index: z.int().nonnegative().optional().catch(undefined),
  usage: z.unknown().optional(),
})

type FinishedEvent = z.output<typeof event>

/** Stops after the requested number of images. Throws ProviderError or MalformedReply. */
export async function readStream(
  body: AsyncIterable<Buffer>,
  request: ProviderRequest,
  call: Call,
  reply: ProviderReply,
): Promise<CallResult> {
  const finished: FinishedEvent[] = []
  let previews = 0

  async function take(data: FinishedEvent, type: string): Promise<void> {
    if (type.endsWith('.completed')) {
      if (!hasImage(data)) throw new MalformedReply('has a finished image without bytes or link')
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
      if (error) throw streamFailure(error, reply, previews + finished.length > 0 ? 'IMAGES' : 'NOTHING')
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
    // Finished images are paid for and kept. The usage of the rest is unknown.
    const isUpstreams = error instanceof ProviderError || error instanceof MalformedReply
    if (finished.length === 0 || !isUpstreams) throw error
  }
  const [first] = finished
  if (!first) throw endedEarly(reply)
  return toDone({ entries: finished, usage: addUsages(usages), reported: first }, 'SUBMIT', reply)
}

function errorOf({ event: name, data }: ServerSentEvent) {
  return errorIn(data) ?? (name === 'error' ? errorIn({ error: data ?? '' }) : undefined)
}

function endedEarly({ provider, status, requestId }: ProviderReply): ProviderError {
  return new ProviderError({
    ...VERDICTS.LOST,
    message: `${provider} ended its stream without a finished image. Whether one was made is unknown.`,
    httpStatus: status,
    providerRequestId: requestId,
  })
}
