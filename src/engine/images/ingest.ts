import { inspectImage } from '../../assets/inspect.ts'
import { ImageRejected } from '../../assets/rejected.ts'
import { thumbhash } from '../../assets/thumbhash.ts'
import type { NewAsset } from '../../db/tasks/assets.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import { newId } from '../../ids.ts'
import { ProviderError } from '../../providers/error.ts'
import type { ReceivedImage } from '../../providers/provider.ts'
import type { Deps } from '../deps.ts'

/** How often one picture is tried to be stored, in case the disk is only full for a moment. */
const TRIES = 5

/**
 * Brings finished pictures from the spool into the store: decoded once to be sure they are pictures, then durable on
 * disk before any row speaks of them. Throws ProviderError `broken`: charge unknown when one is not an image, charged
 * when it is one and could not be stored.
 */
export async function ingestImages(
  deps: Deps,
  attempt: AttemptRow,
  received: ReceivedImage[],
  over: AbortSignal,
): Promise<NewAsset[]> {
  const landed: NewAsset[] = []
  for (const [position, image] of received.entries()) {
    const { revisedPrompt } = image
    const picture = await storeFile(deps, attempt, image.file, over)
    const createdAt = deps.clock.now()
    const { taskId, projectId } = attempt
    const place = { attemptId: attempt.id, kind: 'FINAL' as const, position: attempt.firstImage + position }
    landed.push({
      id: newId('img', createdAt),
      taskId,
      projectId,
      ...place,
      ...picture,
      revisedPrompt,
      createdAt,
    })
  }
  return landed
}

async function storeFile(deps: Deps, attempt: AttemptRow, file: string, over: AbortSignal) {
  for (let tries = 1; ; tries++) {
    try {
      // Only the work waits for a place, and not the pause after a failure.
      return await ingestFile(deps, file)
    } catch (error) {
      if (error instanceof ImageRejected) throw unusable(attempt, error)
      if (tries === TRIES || over.aborted) throw unstorable(error)
      deps.log.warn({ attempt: attempt.id, err: error }, 'a paid picture cannot be stored yet; trying again')
      await deps.clock.sleep(200 * 2 ** tries, over)
    }
  }
}

/** Brings one picture into the store, when there is a place for it. Throws ImageRejected and DiskError. */
export function ingestFile(
  { landing, store }: Pick<Deps, 'landing' | 'store'>,
  file: string,
): Promise<Pick<NewAsset, 'sha256' | 'byteSize' | 'width' | 'height' | 'mimeType' | 'thumbhash'>> {
  return landing(async () => {
    const { width, height, mimeType } = await inspectImage(file, { maxBytes: Infinity })
    // Its decode is also the proof that the file is whole.
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
