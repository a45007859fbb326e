import { readFile, stat } from 'node:fs/promises'
import { inspectResult } from '../../assets/inspect.ts'
import { ImageRejected, readHead, sniffFormat } from '../../assets/format.ts'
import { svgThumbhash, thumbhash } from '../../assets/decode.ts'
import { MAX_CACHED_FILE_BYTES } from '../../assets/memory-cache.ts'
import type { FileContent } from '../../assets/store.ts'
import type { NewAddress } from '../../db/attempts/addresses.ts'
import type { NewAsset } from '../../db/tasks/assets.ts'
import type { AttemptRow } from '../../db/tables/tables.ts'
import type { ResultFacts } from '../../domain.ts'
import { newId } from '../../ids.ts'
import { ProviderError } from '../../providers/error.ts'
import type { ReceivedImage } from '../../providers/provider.ts'
import type { IngestedResult } from '../attempts/outcome.ts'
import type { Deps } from '../deps.ts'

/** The disk may be full only for a moment. */
const MAX_TRIES = 5

/**
 * The images cannot be stored now. The answer stays on disk with its record, from which it is settled later.
 */
export class NotStored extends Error {
  override name = 'NotStored'
}

interface IngestOptions {
  /** A record is on disk: an image that cannot be stored then throws NotStored. */
  isRecorded: Promise<boolean>
  /** Synced with the record; by default not. */
  isSynced?: Promise<boolean>
  maxTries?: number
}

/**
 * Decodes each image once, as proof that it is one, and stores it durably before a row refers to it. A bad
 * file costs neither the others nor an address. Throws ProviderError `broken` if nothing else is left:
 * charged UNKNOWN for a file that is no image, YES for an image that could not be stored.
 */
export async function ingestImages(
  deps: Deps,
  attempt: AttemptRow,
  received: readonly ReceivedImage[],
  exit: AbortSignal,
  options: IngestOptions,
): Promise<IngestedResult> {
  const images: NewAsset[] = []
  const addresses: NewAddress[] = []
  let failure: unknown
  for (const [index, one] of received.entries()) {
    const place = { attemptId: attempt.id, position: attempt.firstImage + index }
    const { revisedPrompt } = one
    if ('url' in one) {
      addresses.push({ ...place, url: one.url, revisedPrompt })
      continue
    }
    try {
      const image = await ingestWithRetry(deps, attempt, one.file, exit, options)
      images.push(toAsset(deps, attempt, { ...place, ...image, revisedPrompt }))
    } catch (error) {
      if (error instanceof NotStored) throw error
      failure = error
      deps.log.warn({ attempt: attempt.id, err: error }, 'an image of a result was left out')
    }
  }
  if (images.length + addresses.length === 0) throw failure
  return { images, addresses }
}

/** The row of a result. */
export function toAsset(
  { clock }: Pick<Deps, 'clock'>,
  { id: attemptId, taskId, projectId }: AttemptRow,
  image: Awaited<ReturnType<typeof ingestFile>> & Pick<NewAddress, 'position' | 'revisedPrompt'>,
): NewAsset {
  const createdAt = clock.now()
  return { id: newId('img', createdAt), taskId, projectId, attemptId, kind: 'FINAL', ...image, createdAt }
}

async function ingestWithRetry(
  deps: Deps,
  { id, provider }: AttemptRow,
  file: string,
  exit: AbortSignal,
  { isRecorded, isSynced, maxTries = MAX_TRIES }: IngestOptions,
) {
  for (let tries = 1; ; tries++) {
    try {
      // The pause holds no slot of the limit.
      return await ingestFile(deps, file, isSynced)
    } catch (cause) {
      const kind = 'broken' as const
      if (cause instanceof ImageRejected) {
        const message = `${provider} returned something that is not a usable image: ${cause.message}`
        throw new ProviderError({ kind, code: 'PROVIDER_BROKEN', message, charged: 'UNKNOWN', cause })
      }
      if (tries === maxTries || exit.aborted) {
        if (await isRecorded)
          throw new NotStored('An image could not be stored; it stays on disk.', { cause })
        const message = 'The image was made and charged, but the gateway could not store it.'
        throw new ProviderError({ kind, code: 'INTERNAL', message, charged: 'YES', isInternal: true, cause })
      }
      deps.log.warn({ attempt: id, err: cause }, 'storing a paid image failed; retrying')
      await deps.clock.sleep(200 * 2 ** tries, exit)
    }
  }
}

/** Throws ImageRejected and DiskError. */
export function ingestFile(
  { ingestLimit, store }: Pick<Deps, 'ingestLimit' | 'store'>,
  file: string,
  isSynced?: Promise<boolean>,
): Promise<
  Pick<NewAsset, 'sha256' | 'byteSize' | 'mimeType' | 'thumbhash'> & Pick<ResultFacts, (typeof FACTS)[number]>
> {
  return ingestLimit(async () => {
    const content = await readSmall(file)
    const input = content?.bytes ?? file
    const svg = await readSvg(input)
    const [facts, hash] = await Promise.allSettled([
      inspectResult(input),
      // This decode is also the proof that the file is complete.
      svg ? svg() : thumbhash(input),
    ])
    // The inspection says best why a file was rejected.
    if (facts.status === 'rejected') throw facts.reason
    if (hash.status === 'rejected') throw hash.reason
    const { byteSize: _, hasAlpha: _alpha, ...known } = facts.value
    const stored = await store.put(file, { isSynced, content })
    return { ...stored, ...known, thumbhash: hash.value }
  })
}

const FACTS = ['width', 'height', 'frames', 'durationMs', 'plays'] as const

/** Undefined for another format. A hostile SVG only loses its hash. */
async function readSvg(content: string | Buffer): Promise<(() => Promise<string | null>) | undefined> {
  const { head } = await readHead(content)
  const format = sniffFormat(head)
  if (format !== 'SVG') return undefined
  return async () => (typeof content === 'string' ? null : svgThumbhash(content))
}

/** Undefined for a large file. */
async function readSmall(file: string): Promise<FileContent | undefined> {
  const { size, mtimeMs: modifiedAt } = await stat(file)
  return size <= MAX_CACHED_FILE_BYTES ? { bytes: await readFile(file), modifiedAt } : undefined
}
