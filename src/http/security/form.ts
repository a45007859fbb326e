import { writeFile } from 'node:fs/promises'
import { Busboy, type BusboyConfig, type BusboyFileStream, type BusboyInstance } from '@fastify/busboy'
import { GraphQLError } from 'graphql'
import { toUnavailable } from '../../assets/disk-error.ts'
import { MAX_INPUT_BYTES } from '../../assets/inspect.ts'
import { UploadedFile } from '../../assets/upload.ts'
import type { Clock } from '../../clock.ts'
import { MAX_IMAGES } from '../../engine/tasks/input.ts'
import { GatewayError } from '../../errors.ts'
import { bodyTooLarge, requestError } from '../refusal.ts'
import { MAX_UPLOAD_BYTES, readChunks } from './body.ts'

const LIMITS = {
  fileSize: MAX_INPUT_BYTES,
  files: MAX_IMAGES + 1,
  fieldSize: 1024 * 1024,
  headerSize: 16_384,
}

/** In order: text, or a file on disk. Several parts may have one name. */
export type Form = readonly { name: string; value: string | UploadedFile }[]

export interface FormOptions {
  /** Of text parts, 20 by default. */
  maxFields?: number
  /** By default a part with a file name, and one of application/octet-stream. */
  isPartAFile?: (name: string | undefined, contentType?: string, fileName?: string) => boolean
}

/**
 * Writes files to paths from `newFile`, in the pace of the disk. The caller deletes them, also after an
 * error. Throws MULTIPART_INVALID, REQUEST_TOO_LARGE, REQUEST_TIMEOUT, and SERVICE_UNAVAILABLE for a full
 * disk.
 */
export async function receiveForm(
  request: Request,
  { newFile, clock, maxFields = 20, ...options }: { newFile: () => string; clock: Clock } & FormOptions,
): Promise<{ form: Form; byteSize: number }> {
  const parts: { name: string; value: string | { path: string; stream: BusboyFileStream } }[] = []
  const files: { stream: BusboyFileStream; written: Promise<unknown> }[] = []
  const failure = Promise.withResolvers<never>()
  // It may never be waited for.
  failure.promise.catch(() => {})
  const fail = failure.reject
  const exceeded = (limit: string) => () =>
    fail(requestError('REQUEST_TOO_LARGE', `The upload is too large: ${limit}.`))

  const parser = openParser(request, { ...LIMITS, fields: maxFields }, options)
  parser
    .on('field', (name: string | undefined, text, _, isCut) => {
      if (isCut) exceeded(`Field value size exceeded: ${LIMITS.fieldSize} bytes`)()
      parts.push({ name: name ?? '', value: text })
    })
    .on('file', (name: string | undefined, stream) => {
      const path = newFile()
      stream
        .on('error', reportedElsewhere)
        .on('limit', exceeded(`File size limit exceeded: ${LIMITS.fileSize} bytes`))
      const written = writeFile(path, stream)
      written.catch(fail)
      files.push({ stream, written })
      parts.push({ name: name ?? '', value: { path, stream } })
    })
    .on('fieldsLimit', exceeded(`Fields limit exceeded: ${maxFields}`))
    .on('filesLimit', exceeded(`Files limit exceeded: ${LIMITS.files}`))
    .on('error', fail)

  try {
    let byteSize = 0
    for await (const chunk of readChunks(request, clock)) {
      byteSize += chunk.byteLength
      if (byteSize > MAX_UPLOAD_BYTES) throw bodyTooLarge(MAX_UPLOAD_BYTES)
      await Promise.race([failure.promise, write(parser, chunk)])
    }
    await Promise.race([failure.promise, end(parser)])
    await Promise.all(files.map(({ written }) => written))
    return { form: toForm(parts), byteSize }
  } catch (error) {
    parser.destroy()
    for (const { stream } of files) stream.destroy()
    // An open file could reappear after it was deleted.
    await Promise.allSettled(files.map(({ written }) => written))
    throw toRefusal(error)
  }
}

/** By the parser for a cut file, and by the writer, whose stream ends before its own error is known. */
function reportedElsewhere(): void {}

function openParser(
  { headers }: Request,
  limits: BusboyConfig['limits'],
  options: Pick<FormOptions, 'isPartAFile'>,
): BusboyInstance {
  try {
    return new Busboy({
      headers: { 'content-type': headers.get('content-type') ?? '' },
      limits,
      ...options,
    })
  } catch (error) {
    throw toRefusal(error)
  }
}

function toForm(
  parts: readonly { name: string; value: string | { path: string; stream: BusboyFileStream } }[],
): Form {
  return parts.map(({ name, value }) => ({
    name,
    value: typeof value === 'string' ? value : new UploadedFile(value.path, value.stream.bytesRead),
  }))
}

/** Resolves when the parser has passed the chunk on: to the disk, if it belongs to a file. */
function write(parser: BusboyInstance, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    parser.write(chunk, (error) => (error ? reject(error) : resolve()))
  })
}

function end(parser: BusboyInstance): Promise<void> {
  return new Promise((resolve) => {
    parser.once('finish', resolve)
    parser.end()
  })
}

/** The parser's messages may repeat the body. */
function toRefusal(error: unknown): unknown {
  const known = toUnavailable(error)
  if (known instanceof GatewayError || error instanceof GraphQLError) return known
  return requestError('MULTIPART_INVALID', 'The multipart body cannot be read.')
}
