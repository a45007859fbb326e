// github.com/jaydenseric/graphql-multipart-request-spec. A missing file must not become null: an edit without
// its image would be charged as a generation.
import type { GraphQLParams } from 'graphql-yoga'
import type { UploadedFile } from '../../assets/upload.ts'
import { requestError } from '../refusal.ts'
import type { Form } from '../security/form.ts'

// A large index would create an array of that length.
const PATH = /^variables(?:\.[A-Za-z_]\w{0,40}|\.\d{1,2}){1,6}$/

/** Places files into their variables. */
export function toParams(parts: Form): GraphQLParams {
  const form: NamedParts = new Map(parts.map(({ name, value }) => [name, value]))
  const operations = readJson(form, 'operations') as GraphQLParams
  const map = readJson(form, 'map')
  const mapped = new Set<string>()
  for (const [part, paths] of Object.entries(map)) {
    if (!Array.isArray(paths) || paths.length === 0)
      throw requestError('MAP_INVALID', `map.${part} must be a list of paths.`)
    const file = form.get(part)
    if (file === undefined)
      throw requestError('FILE_MISSING', `The map names the file ${quote(part)}, but there is no such part.`)
    if (typeof file === 'string')
      throw requestError('FILE_EXPECTED', `The part ${quote(part)} is text; it must be a file.`)
    mapped.add(part)
    for (const path of paths) place(operations, path, file)
  }
  for (const name of form.keys()) {
    if (name === 'operations' || name === 'map' || mapped.has(name)) continue
    throw requestError('FILE_NOT_MAPPED', `The map does not name the part ${quote(name)}.`)
  }
  return operations
}

/** The last of several with one name. */
type NamedParts = ReadonlyMap<string, string | UploadedFile>

function readJson(form: NamedParts, name: 'operations' | 'map'): Record<string, unknown> {
  const text = form.get(name)
  if (typeof text !== 'string')
    throw requestError('MULTIPART_INVALID', `The multipart body has no text part "${name}".`)
  try {
    const value: unknown = JSON.parse(text)
    if (isObject(value) && !Array.isArray(value)) return value
  } catch {
    // The parser's message repeats the text.
  }
  throw requestError('MULTIPART_INVALID', `The part "${name}" must be a JSON object.`)
}

function place(operations: GraphQLParams, path: unknown, file: UploadedFile): void {
  if (typeof path !== 'string' || !PATH.test(path))
    throw requestError('MAP_INVALID', `${quote(path)} is not a path such as variables.input.images.0.upload.`)
  const keys = path.split('.')
  const last = keys.pop()!
  const target = keys.reduce<unknown>(own, operations)
  if (!isObject(target) || own(target, last) !== null)
    throw requestError('MAP_INVALID', `${path} is not null; the map must name a place that holds null.`)
  target[last] = file
}

function own(target: unknown, key: string): unknown {
  return isObject(target) && Object.hasOwn(target, key) ? target[key] : undefined
}

/** Includes arrays. */
function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function quote(text: unknown): string {
  return JSON.stringify(text).slice(0, 100)
}
