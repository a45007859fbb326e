// `isText`: the value is a part of a form.
import { InvalidRequest } from './invalid-request.ts'

export type Read<Value = unknown> = (value: unknown, name: string, isText: boolean) => Value

export function readText(value: unknown, name: string): string {
  if (typeof value === 'string') return value
  throw wrong(name, value, 'a string')
}

export function readNumber(value: unknown, name: string, isText: boolean): number {
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

/** In a form, an object is JSON text. */
export function readObject(given: unknown, name: string, isText: boolean): Record<string, unknown> {
  const value = isText && typeof given === 'string' ? parseJson(given) : given
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  throw new InvalidRequest('invalid_value', `${name} must be an object.`, name)
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

/** In lower case in the request. */
export function choice<Value extends string>(values: readonly Value[]): Read<Value> {
  return (value, name) => {
    const found = values.find((one) => one.toLowerCase() === value)
    if (found !== undefined) return found
    throw wrong(name, value, values.join(', ').toLowerCase())
  }
}

/** Undefined for invalid JSON. The parser's message repeats the text. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function wrong(name: string, value: unknown, expected: string): InvalidRequest {
  return new InvalidRequest('invalid_value', `${name} is ${shown(value)}; use ${expected}.`, name)
}

export function shown(value: unknown): string {
  // An uploaded file has a path of this server.
  if (typeof value === 'object') return 'a file or an object'
  return (JSON.stringify(value) ?? '').slice(0, 60)
}
