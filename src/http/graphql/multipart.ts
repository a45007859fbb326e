// The GraphQL multipart request specification (github.com/jaydenseric/graphql-multipart-request-spec), checked before
// anything is executed: a file that is announced and does not come must never turn into null, because an edit without
// its image would be made, and paid, as a generation.
import { GraphQLError } from 'graphql'
import type { GraphQLParams } from 'graphql-yoga'
import { MOST_UPLOAD_BYTES } from '../security/body.ts'
import { requestError } from '../refusal.ts'

// A short path of names and small indexes: `variables.input.images.0.upload`. A large index would make the server build
// an array of that length.
const PATH = /^variables(?:\.[A-Za-z_]\w{0,40}|\.\d{1,2}){1,6}$/

/** The operation in a multipart request, its files in place. Throws GraphQLErrors with status 400 and a code. */
export async function readMultipart(request: Request): Promise<GraphQLParams> {
  const form = await readForm(request)
  const operations = readJson(form, 'operations') as GraphQLParams
  const map = readJson(form, 'map')
  const announced = new Set<string>()
  for (const [part, paths] of Object.entries(map)) {
    if (!Array.isArray(paths) || paths.length === 0)
      throw requestError('MAP_INVALID', `map.${part} must be a list of paths.`)
    const file = form.get(part)
    if (file === null)
      throw requestError('FILE_MISSING', `The map announces the file ${show(part)}, and no such part came.`)
    if (typeof file === 'string')
      throw requestError('FILE_EXPECTED', `The part ${show(part)} is text and must be a file.`)
    announced.add(part)
    const blob = await toBlob(file)
    for (const path of paths) place(operations, path, blob)
  }
  for (const name of form.keys()) {
    if (name === 'operations' || name === 'map' || announced.has(name)) continue
    throw requestError(
      'FILE_NOT_MAPPED',
      `The part ${show(name)} came and the map does not say where it belongs.`,
    )
  }
  return operations
}

async function readForm(request: Request): Promise<FormData> {
  try {
    return await request.formData()
  } catch (error) {
    // Yoga's, for a body that did not say how long it would be.
    if (error instanceof GraphQLError)
      throw requestError('REQUEST_TOO_LARGE', `The body has more than ${MOST_UPLOAD_BYTES} bytes.`)
    const message = error instanceof Error ? error.message : ''
    if (/limit exceeded/i.test(message))
      throw requestError('REQUEST_TOO_LARGE', `The upload is too large: ${message}.`)
    throw requestError('MULTIPART_INVALID', 'The multipart body cannot be read.')
  }
}

function readJson(form: FormData, name: 'operations' | 'map'): Record<string, unknown> {
  const text = form.get(name)
  if (typeof text !== 'string')
    throw requestError('MULTIPART_INVALID', `The multipart body lacks the text part "${name}".`)
  try {
    const value: unknown = JSON.parse(text)
    if (isObject(value) && !Array.isArray(value)) return value
  } catch {
    // Said below, without repeating what the client wrote.
  }
  throw requestError('MULTIPART_INVALID', `The part "${name}" must be a JSON object.`)
}

/** Node's own Blob: the form's files are another library's, which neither `instanceof` nor Node's streams know. */
async function toBlob(file: File): Promise<Blob> {
  return new Blob([await file.bytes()], { type: file.type })
}

function place(operations: GraphQLParams, path: unknown, file: Blob): void {
  if (typeof path !== 'string' || !PATH.test(path)) {
    throw requestError('MAP_INVALID', `${show(path)} is not a path such as variables.input.images.0.upload.`)
  }
  const keys = path.split('.')
  const last = keys.pop()!
  const target = keys.reduce<unknown>(own, operations)
  // The specification puts null where a file belongs.
  if (!isObject(target) || own(target, last) !== null) {
    throw requestError('MAP_INVALID', `There is no null at ${path} to put the file in.`)
  }
  target[last] = file
}

function own(target: unknown, key: string): unknown {
  return isObject(target) && Object.hasOwn(target, key) ? target[key] : undefined
}

/** Lists are objects as well: their indexes are keys of a path. */
function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function show(text: unknown): string {
  return JSON.stringify(text).slice(0, 100)
}
