import { listAddresses, type StoredAddress } from '../../db/attempts/addresses.ts'
import type { AttemptRow, TaskRow } from '../../db/tables/tables.ts'
import { DownloadError } from '../../providers/wire/download.ts'
import { ImageRejected } from '../../assets/format.ts'
import type { NewAsset } from '../../db/tasks/assets.ts'
import type { Call, ResultSource } from '../../providers/provider.ts'
import type { FailedFetch, FetchRound } from '../attempts/settle-fetch.ts'
import type { Deps } from '../deps.ts'
import { ingestFile, toAsset } from '../images/ingest.ts'
import { findProvider } from '../routing/configured.ts'
import { countBytes } from './call-outcome.ts'
import { renewAddresses } from './renew-addresses.ts'

/** Of one round. */
const MAX_DOWNLOAD_MS = 300_000

/** Concurrently. Undefined when a shutdown cut one. */
export async function fetchImages(
  deps: Deps,
  task: TaskRow,
  attempt: AttemptRow,
  call: Call,
  abortCalls: AbortSignal,
): Promise<FetchRound | undefined> {
  const addresses = await listAddresses(deps.db.read, [attempt.id])
  const source = findProvider(deps.providers, attempt.provider)?.results
  if (!source) return { fetched: [], failed: addresses.map((one) => failedFetch(one, NO_SOURCE)) }
  const signal = AbortSignal.any([abortCalls, AbortSignal.timeout(MAX_DOWNLOAD_MS)])
  const results = await Promise.all(
    addresses.map((address) =>
      fetchOne(deps, attempt, address, { source, file: call.newFile(), signal }).catch((error: unknown) => {
        const failure = failedFetch(address, error)
        // The address itself may be signed.
        const { problem } = failure
        deps.log.info({ attempt: attempt.id, tries: address.tries + 1, problem }, 'fetching a result failed')
        return failure
      }),
    ),
  )
  const fetched = results.flatMap((result) => ('problem' in result ? [] : result))
  const failed = results.flatMap((result) => ('problem' in result ? result : []))
  if (abortCalls.aborted && failed.length > 0) return undefined
  const round = await renewAddresses(deps, task, attempt, { fetched, failed }, { ...call, signal })
  countBytes(deps, attempt, round.fetched)
  return round
}

async function fetchOne(
  deps: Deps,
  attempt: AttemptRow,
  { url, position, revisedPrompt }: StoredAddress,
  { source, file, signal }: { source: ResultSource; file: string; signal: AbortSignal },
): Promise<NewAsset> {
  await source.download(url, file, signal)
  return toAsset(deps, attempt, { ...(await ingestFile(deps, file)), position, revisedPrompt })
}

const NO_SOURCE = new DownloadError('FORBIDDEN', 'cannot be used with the current configuration')

function failedFetch({ position, url: failedUrl }: StoredAddress, error: unknown): FailedFetch {
  const place = { position, failedUrl }
  if (error instanceof DownloadError)
    return { ...place, problem: error.message, isFinal: FINAL.has(error.failure) }
  // A page of a content delivery network that lags behind, perhaps.
  if (error instanceof ImageRejected)
    return { ...place, problem: 'returned something that is not a usable image', isFinal: false }
  return { ...place, problem: 'returned an image that could not be stored', isFinal: false }
}

/** Not 404 or 403: a result may be published after its address. */
const FINAL: ReadonlySet<string> = new Set(['FORBIDDEN', 'TOO_LARGE'])
