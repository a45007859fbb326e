// The GraphQL multipart request specification (github.com/jaydenseric/graphql-multipart-request-spec), checked before
// anything is executed: a file that is announced and does not come must never turn into null, because an edit without
// its image would be made, and paid, as a generation.
import { GraphQLError } from 'graphql'
import type { GraphQLParams } from 'graphql-yoga'

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
      throw bad('MAP_INVALID', `map.${part} must be a list of paths.`)
    const file = form.get(part)
    if (file === null)
      throw bad('FILE_MISSING', `The map announces the file ${JSON.stringify(part)}, and no such part came.`)
    if (typeof file === 'string')
      throw bad('FILE_EXPECTED', `The part ${JSON.stringify(part)} is text and must be a file.`)
    announced.add(part)
    for (const path of paths) place(operations, path, file)
  }
  for (const name of form.keys()) {
    if (name === 'operations' || name === 'map' || announced.has(name)) continue
    throw bad(
      'FILE_NOT_MAPPED',
      `The part ${JSON.stringify(name)} came and the map does not say where it belongs.`,
    )
  }
  return operations
}

async function readForm(request: Request): Promise<FormData> {
  try {
    return (await request.formData()) as FormData
  } catch (error) {
    const { message } = error as Error
    if (/limit exceeded/i.test(message))
      throw bad('REQUEST_TOO_LARGE', `The upload is too large: ${message}.`, 413)
    throw bad('MULTIPART_INVALID', 'The multipart body cannot be read.')
  }
}

function readJson(form: FormData, name: 'operations' | 'map'): Record<string, unknown> {
  const text = form.get(name)
  if (typeof text !== 'string')
    throw bad('MULTIPART_INVALID', `The multipart body lacks the text part "${name}".`)
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>
  } catch {
    // Said below, without repeating what the client wrote.
  }
  throw bad('MULTIPART_INVALID', `The part "${name}" must be a JSON object.`)
}

function place(operations: GraphQLParams, path: unknown, file: File): void {
  if (typeof path !== 'string' || !PATH.test(path)) {
    throw bad('MAP_INVALID', `${JSON.stringify(path)} is not a path such as variables.input.images.0.upload.`)
  }
  const keys = path.split('.')
  const last = keys.pop()!
  let target: unknown = operations
  for (const key of keys) target = own(target, key)
  // The specification puts null where a file belongs.
  if (own(target, last) !== null) throw bad('MAP_INVALID', `There is no null at ${path} to put the file in.`)
  ;(target as Record<string, unknown>)[last] = file
}

function own(target: unknown, key: string): unknown {
  if (typeof target !== 'object' || target === null || !Object.hasOwn(target, key)) return undefined
  return (target as Record<string, unknown>)[key]
}

function bad(code: string, message: string, status = 400): GraphQLError {
  return new GraphQLError(message, { extensions: { code, http: { status } } })
}
