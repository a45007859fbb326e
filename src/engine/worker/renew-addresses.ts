import type { AttemptRow, TaskRow } from '../../db/tables/tables.ts'
import type { Call, ReceivedImage } from '../../providers/provider.ts'
import { toStorable } from '../../text.ts'
import type { FailedFetch, FetchRound } from '../attempts/settle-fetch.ts'
import type { Deps } from '../deps.ts'
import { ingestFile, toAsset } from '../images/ingest.ts'
import { findProvider } from '../routing/configured.ts'
import { isFinal, sentSettings } from './check.ts'

/**
 * Asks a provider that can be polled again, free of charge, when a download has failed. It may then sign
 * other addresses, or return the bytes.
 */
export async function renewAddresses(
  deps: Deps,
  task: TaskRow,
  attempt: AttemptRow,
  { fetched, failed }: FetchRound,
  call: Call,
): Promise<FetchRound> {
  const images = failed.length > 0 ? await checkAgain(deps, task, attempt, call) : []
  const renewed = await Promise.all(
    failed.map(async (failure) => {
      if (images === 'UNCHECKABLE') return failure
      const image = images[failure.position - attempt.firstImage]
      // Only the same address again proves that it is undamaged.
      return image ? renew(deps, attempt, failure, image) : { ...failure, isFinal: false }
    }),
  )
  return {
    fetched: [...fetched, ...renewed.flatMap((one) => ('sha256' in one ? one : []))],
    failed: renewed.flatMap((one) => ('sha256' in one ? [] : one)),
  }
}

/** UNCHECKABLE when no check can return another address. Empty when the check failed or found no image. */
async function checkAgain(
  deps: Deps,
  task: TaskRow,
  attempt: AttemptRow,
  call: Call,
): Promise<readonly ReceivedImage[] | 'UNCHECKABLE'> {
  const provider = findProvider(deps.providers, attempt.provider)
  if (!provider?.check || attempt.remoteId === null) return 'UNCHECKABLE'
  try {
    const result = await provider.check(attempt.remoteId, sentSettings(deps, task, attempt), call)
    return result.state === 'DONE' ? result.images : []
  } catch (error) {
    deps.log.debug({ attempt: attempt.id, err: error }, 'checking for newer addresses failed')
    return isFinal(error) ? 'UNCHECKABLE' : []
  }
}

async function renew(deps: Deps, attempt: AttemptRow, failure: FailedFetch, image: ReceivedImage) {
  if ('url' in image) {
    const url = toStorable(image.url)
    return { ...failure, url, isFinal: failure.isFinal && url === failure.failedUrl }
  }
  const { position } = failure
  const { file, revisedPrompt } = image
  return ingestFile(deps, file).then(
    (ingested) => toAsset(deps, attempt, { ...ingested, position, revisedPrompt }),
    () => ({ ...failure, isFinal: false }),
  )
}
