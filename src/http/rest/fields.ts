// The fields of a request. A setting that providers learn is one line here.
import {
  BACKGROUNDS,
  COMPLEXITIES,
  INPUT_FIDELITIES,
  MODERATIONS,
  OUTPUT_FORMATS,
  QUALITIES,
  STYLES,
} from '../../domain.ts'
import type { TaskInput } from '../../engine/tasks/input.ts'
import { InvalidRequest } from './invalid-request.ts'

/** `isText`: the value is a part of a form. */
type Read = (value: unknown, name: string, isText: boolean) => unknown

export interface Field {
  input: keyof TaskInput
  read: Read
}

/** By name in the request. Where two set the same input, the later one applies. */
export const FIELDS: Readonly<Record<string, Field>> = {
  prompt: { input: 'prompt', read: readText },
  model: { input: 'model', read: readText },
  n: { input: 'n', read: readNumber },
  size: { input: 'size', read: readText },
  quality: { input: 'quality', read: choice(QUALITIES) },
  background: { input: 'background', read: choice(BACKGROUNDS) },
  moderation: { input: 'moderation', read: choice(MODERATIONS) },
  output_format: { input: 'outputFormat', read: readFormat },
  output_compression: { input: 'outputCompression', read: readNumber },
  input_fidelity: { input: 'inputFidelity', read: choice(INPUT_FIDELITIES) },
  style: { input: 'style', read: choice(STYLES) },
  partial_images: { input: 'partialImages', read: readNumber },
  user: { input: 'user', read: readLabel },
  safety_identifier: { input: 'safetyIdentifier', read: readLabel },
  complexity: { input: 'complexity', read: choice(COMPLEXITIES) },
}

/** Fields that no provider supports, and without which it would be another picture. */
export const UNSUPPORTED_FIELDS: ReadonlySet<string> = new Set([
  'frame_count',
  'frame_duration_ms',
  'svg',
  'markup',
])

/** About the response. */
export const RESPONSE_FIELDS: ReadonlySet<string> = new Set(['stream', 'response_format', 'darkroom'])

const NAMES = new Map(Object.entries(FIELDS).map(([name, { input }]) => [input as string, name]))

/** `outputFormat` as `output_format`. Other names stay. */
export function nameOf(input: string): string {
  return input === 'user' ? input : (NAMES.get(input) ?? input)
}

/** A message with the names of this API. */
export function withNames(message: string): string {
  return message.replaceAll(/\b[a-z]+[A-Z]\w*\b/g, nameOf)
}

function readText(value: unknown, name: string): string {
  if (typeof value === 'string') return value
  throw wrong(name, value, 'a string')
}

/** Of an end user. Null for an empty one. */
function readLabel(value: unknown, name: string): string | null {
  return readText(value, name) || null
}

function readNumber(value: unknown, name: string, isText: boolean): number {
  const number = isText && typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value
  if (typeof number === 'number') return number
  throw wrong(name, value, 'a whole number')
}

export function readBoolean(value: unknown, name: string, isText: boolean): boolean {
  if (typeof value === 'boolean') return value
  if (isText && (value === 'true' || value === '1')) return true
  if (isText && (value === 'false' || value === '0')) return false
  throw wrong(name, value, 'true or false')
}

export function readChoice<Value extends string>(
  value: unknown,
  name: string,
  values: readonly Value[],
): Value {
  const found = values.find((one) => one === value)
  if (found !== undefined) return found
  throw wrong(name, value, values.join(', '))
}

function choice(values: readonly string[]): Read {
  const words = values.map((value) => value.toLowerCase())
  return (value, name) => readChoice(value, name, words).toUpperCase()
}

function readFormat(value: unknown, name: string): string {
  const word = value === 'jpg' ? 'jpeg' : value
  const found = OUTPUT_FORMATS.find((format) => format.toLowerCase() === word)
  if (found !== undefined) return found
  throw new InvalidRequest(
    'unsupported_value',
    `${name} is ${shown(value)}; use ${OUTPUT_FORMATS.join(', ').toLowerCase()}.`,
    name,
  )
}

function wrong(name: string, value: unknown, expected: string): InvalidRequest {
  return new InvalidRequest('invalid_value', `${name} is ${shown(value)}; use ${expected}.`, name)
}

function shown(value: unknown): string {
  // An uploaded file has a path of this server.
  if (typeof value === 'object') return 'a file or an object'
  return (JSON.stringify(value) ?? '').slice(0, 60)
}
