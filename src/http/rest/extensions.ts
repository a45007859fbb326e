// Headers, because SDKs check the fields of a body, or the body's object `darkroom`.
import type { TaskInput } from '../../engine/tasks/input.ts'
import { InvalidRequest } from './invalid-request.ts'
import { readObject } from './values.ts'

export interface Extensions {
  input: Partial<TaskInput>
  /** Does not attach to an earlier call. */
  isFresh: boolean
  isAsync: boolean
  /** White space is sent while the request waits. */
  isKeptAlive: boolean
}

interface Extension {
  header: string
  /** Its name in the body's object. */
  name: string
  read: (value: unknown, name: string) => Partial<TaskInput>
}

const EXTENSIONS: readonly Extension[] = [
  { header: 'idempotency-key', name: 'idempotency_key', read: readKey },
  { header: 'darkroom-providers', name: 'providers', read: readProviders },
  { header: 'darkroom-metadata', name: 'metadata', read: readMetadata },
  { header: 'darkroom-max-charges', name: 'max_charges', read: readMaxCharges },
  { header: 'darkroom-callback-url', name: 'callback_url', read: readCallbackUrl },
  { header: 'darkroom-unsupported', name: 'unsupported', read: readUnsupported },
]

/** `body`: its object `darkroom`. Headers take precedence. */
export function readExtensions(headers: Headers, body: Readonly<Record<string, unknown>>): Extensions {
  const input = {}
  for (const { header, name, read } of EXTENSIONS) {
    const value = headers.get(header)
    if (value !== null) Object.assign(input, read(value, header))
    else if (body[name] !== undefined && body[name] !== null)
      Object.assign(input, read(body[name], `darkroom.${name}`))
  }
  const prefers = (headers.get('prefer') ?? '').split(',').map((text) => text.trim().toLowerCase())
  return {
    input,
    isFresh: headers.get('darkroom-fresh') === '1' || body['fresh'] === true,
    isAsync: prefers.includes('respond-async') || body['async'] === true,
    isKeptAlive: isKeptAlive(headers.get('darkroom-keepalive') ?? body['keepalive']),
  }
}

function isKeptAlive(value: unknown): boolean {
  if (value === undefined || value === null) return false
  if (value === 'whitespace') return true
  throw invalid('darkroom.keepalive', 'must be whitespace')
}

function readKey(value: unknown, name: string): Partial<TaskInput> {
  return { idempotencyKey: textOf(value, name) }
}

function readProviders(value: unknown, name: string): Partial<TaskInput> {
  const providers = Array.isArray(value) ? value : textOf(value, name).split(',')
  return { providers: providers.map((one) => textOf(one, name).trim()).filter((one) => one !== '') }
}

function readMetadata(value: unknown, name: string): Partial<TaskInput> {
  const pairs =
    typeof value === 'string'
      ? value.split(',').map((pair) => {
          const at = pair.indexOf('=')
          if (at === -1) throw invalid(name, 'must be key=value, separated by commas')
          return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()] as const
        })
      : Object.entries(readObject(value, name, false))
  return { metadata: pairs.map(([key, text]) => ({ key, value: textOf(text, `${name}.${key}`) })) }
}

function readMaxCharges(value: unknown): Partial<TaskInput> {
  return { maxCharges: Number(value === '' ? NaN : value) }
}

function readCallbackUrl(value: unknown, name: string): Partial<TaskInput> {
  return { callbackUrl: textOf(value, name) }
}

function readUnsupported(value: unknown, name: string): Partial<TaskInput> {
  const word = textOf(value, name).toLowerCase()
  if (word === 'warn') return { unsupported: 'WARN' }
  if (word === 'error') return { unsupported: 'ERROR' }
  throw invalid(name, 'must be warn or error')
}

function textOf(value: unknown, name: string): string {
  if (typeof value === 'string') return value
  throw invalid(name, 'must be text')
}

function invalid(name: string, rule: string): InvalidRequest {
  return new InvalidRequest('invalid_value', `${name} ${rule}.`, name)
}
