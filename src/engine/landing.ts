import { inspectImage } from '../assets/inspect.ts'
import { ImageRejected } from '../assets/rejected.ts'
import { thumbhash } from '../assets/thumbhash.ts'
import type { NewAsset } from '../db/assets.ts'
import type { AttemptRow } from '../db/tables.ts'
import { newId } from '../ids.ts'
import { ProviderError } from '../providers/error.ts'
import type { ReceivedImage } from '../providers/provider.ts'
import type { Deps } from './deps.ts'

/**
 * Brings finished pictures from the spool into the store: decoded once to be sure they are pictures, then durable on
 * disk before any row speaks of them. Throws ProviderError `broken`, charge unknown, when one is not an image.
 */
export async function landImages(deps: Deps, attempt: AttemptRow, received: ReceivedImage[]): Promise<NewAsset[]> {
  const landed: NewAsset[] = []
  for (const [position, { file, revisedPrompt }] of received.entries()) {
    landed.push(await land(deps, attempt, file, position, revisedPrompt))
  }
  return landed
}

async function land(
  deps: Deps,
  attempt: AttemptRow,
  file: string,
  position: number,
  revisedPrompt: string | null,
): Promise<NewAsset> {
  try {
    const { width, height, mimeType } = await inspectImage(file, { maxBytes: Infinity })
    // Its decode is also the proof that the file is whole.
    const hash = await thumbhash(file)
    const stored = await deps.store.put(file)
    const createdAt = deps.clock.now()
    const { taskId, projectId } = attempt
    const place = { attemptId: attempt.id, kind: 'FINAL' as const, position }
    const picture = { ...stored, width, height, mimeType, thumbhash: hash, revisedPrompt }
    return { id: newId('img', createdAt), taskId, projectId, ...place, ...picture, createdAt }
  } catch (error) {
    if (!(error instanceof ImageRejected)) throw error
    throw new ProviderError({
      kind: 'broken',
      code: 'PROVIDER_BROKEN',
      message: `${attempt.provider} answered with something that is not a usable image: ${error.message}`,
      charged: 'UNKNOWN',
      cause: error,
    })
  }
}
