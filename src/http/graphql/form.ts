import { writeFile } from 'node:fs/promises'
import { Busboy, type BusboyFileStream, type BusboyInstance } from '@fastify/busboy'
import { GraphQLError } from 'graphql'
import { toUnavailable } from '../../assets/disk-error.ts'
import { MAX_INPUT_BYTES } from '../../assets/inspect.ts'
import { UploadedFile } from '../../assets/upload.ts'
import type { Clock } from '../../clock.ts'
import { MAX_IMAGES } from '../../engine/tasks/input.ts'
import { GatewayError } from '../../errors.ts'
import { bodyTooLarge, requestError } from '../refusal.ts'
import { MAX_UPLOAD_BYTES, readChunks } from '../security/body.ts'

const LIMITS = {
  fileSize: MAX_INPUT_BYTES,
  files: MAX_IMAGES + 1,
  fields: 20,
  fieldSize: 1024 * 1024,
  headerSize: 16_384,
}

/** The parts of a multipart body by name: text, or a file on disk. The last of several with one name. */
export type Form = ReadonlyMap<string, string | UploadedFile>

/**
 * Writes the files of a multipart body to paths from `newFile`, in the pace of the disk. The caller deletes them, also
 * after an error. Throws MULTIPART_INVALID, REQUEST_TOO_LARGE, REQUEST_TIMEOUT, and SERVICE_UNAVAILABLE for a full disk.
 */
export async function receiveForm(
  request: Request,
  { newFile, clock }: { newFile: () => string; clock: Clock },
): Promise<{ form: Form; byteSize: number }> {
  const parts = new Map<string, string | { path: string; stream: BusboyFileStream }>()
  const files: { stream: BusboyFileStream; written: Promise<unknown> }[] = []
  const failure = Promise.withResolvers<never>()
  // It may never be waited for.
  failure.promise.catch(() => {})
  const fail = failure.reject
  const exceeded = (limit: string) => () =>
    fail(requestError('REQUEST_TOO_LARGE', `The upload is too large: ${limit}.`))

  const parser = openParser(request)
  parser
    .on('field', (name: string | undefined, text, _, isCut) => {
      if (isCut) exceeded(`Field value size exceeded: ${LIMITS.fieldSize} bytes`)()
      parts.set(name ?? '', text)
    })
    .on('file', (name: string | undefined, stream) => {
      const path = newFile()
      stream
        .on('error', reportedElsewhere)
        .on('limit', exceeded(`File size limit exceeded: ${LIMITS.fileSize} bytes`))
      const written = writeFile(path, stream)
      written.catch(fail)
      files.push({ stream, written })
      parts.set(name ?? '', { path, stream })
    })
    .on('fieldsLimit', exceeded(`Fields limit exceeded: ${LIMITS.fields}`))
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
    // An open file could appear again after it was deleted.
    await Promise.allSettled(files.map(({ written }) => written))
    throw toRefusal(error)
  }
}

/** By the parser for a cut file, and by the writer, which destroys the stream before its own error is known. */
function reportedElsewhere(): void {}

function openParser({ headers }: Request): BusboyInstance {
  try {
    return new Busboy({ headers: { 'content-type': headers.get('content-type') ?? '' }, limits: LIMITS })
  } catch (error) {
    throw toRefusal(error)
  }
}

function toForm(parts: ReadonlyMap<string, string | { path: string; stream: BusboyFileStream }>): Form {
  return new Map(
    [...parts].map(([name, part]) => [
      name,
      typeof part === 'string' ? part : new UploadedFile(part.path, part.stream.bytesRead),
    ]),
  )
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
