import { inspectImage } from '../../assets/inspect.ts'
import { ImageRejected } from '../../assets/rejected.ts'
import { thumbhash } from '../../assets/thumbhash.ts'
import type { NewAsset } from '../../db/tasks/assets.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import { newId } from '../../ids.ts'
import { ProviderError } from '../../providers/error.ts'
import type { ReceivedImage } from '../../providers/provider.ts'
import type { Deps } from '../deps.ts'

export type IngestDeps = Pick<Deps, 'clock' | 'ingestLimit' | 'log' | 'store'>

/** How often storing one image is tried, in case the disk is full only for a moment. */
const MAX_TRIES = 5

/**
 * Ingests the images of a result: each is decoded once, as the proof that it is an image, and durable in the store before
 * a row refers to it. Throws ProviderError `broken`: charge unknown when one is not an image, charged when it is one and
 * could not be stored.
 */
export async function ingestImages(
  deps: IngestDeps,
  attempt: AttemptRow,
  received: ReceivedImage[],
  over: AbortSignal,
): Promise<NewAsset[]> {
  const ingested: NewAsset[] = []
  for (const [position, image] of received.entries()) {
    const { revisedPrompt } = image
    const picture = await storeFile(deps, attempt, image.file, over)
    const createdAt = deps.clock.now()
    const { taskId, projectId } = attempt
    const place = { attemptId: attempt.id, kind: 'FINAL' as const, position: attempt.firstImage + position }
    ingested.push({
      id: newId('img', createdAt),
      taskId,
      projectId,
      ...place,
      ...picture,
      revisedPrompt,
      createdAt,
    })
  }
  return ingested
}

async function storeFile(deps: IngestDeps, attempt: AttemptRow, file: string, over: AbortSignal) {
  for (let tries = 1; ; tries++) {
    try {
      // Only the work takes a place of the limit, not the pause after a failure.
      return await ingestFile(deps, file)
    } catch (error) {
      if (error instanceof ImageRejected) throw unusable(attempt, error)
      if (tries === MAX_TRIES || over.aborted) throw unstorable(error)
      deps.log.warn({ attempt: attempt.id, err: error }, 'a paid picture cannot be stored yet; trying again')
      await deps.clock.sleep(200 * 2 ** tries, over)
    }
  }
}

/** Ingests one image, when the limit has a free place. Throws ImageRejected and DiskError. */
export function ingestFile(
  { ingestLimit, store }: Pick<Deps, 'ingestLimit' | 'store'>,
  file: string,
): Promise<Pick<NewAsset, 'sha256' | 'byteSize' | 'width' | 'height' | 'mimeType' | 'thumbhash'>> {
  return ingestLimit(async () => {
    const { width, height, mimeType } = await inspectImage(file, { maxBytes: Infinity })
    // This decode is also the proof that the file is complete.
    const hash = await thumbhash(file)
    return { ...(await store.put(file)), width, height, mimeType, thumbhash: hash }
  })
}

function unusable({ provider }: AttemptRow, cause: ImageRejected): ProviderError {
  const message = `${provider} answered with something that is not a usable image: ${cause.message}`
  return new ProviderError({ kind: 'broken', code: 'PROVIDER_BROKEN', message, charged: 'UNKNOWN', cause })
}

function unstorable(cause: unknown): ProviderError {
  const message = 'The image was made and charged, and then the gateway could not store it.'
  return new ProviderError({ kind: 'broken', code: 'INTERNAL', message, charged: 'YES', ours: true, cause })
}
