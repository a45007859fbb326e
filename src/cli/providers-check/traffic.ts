// What really went over the wire, by undici's diagnostics channels (undici docs, "DiagnosticsChannel"), so that adapters
// need not know that they are watched. Keeps the names of fields and never their values.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { z } from 'zod'
import { formatBytes } from '../../quantity.ts'

/** One request and its reply. */
export interface Exchange {
  method: string
  /** Without its query, which may hold a key. */
  url: string
  /** Null when no reply came. */
  status: number | null
  contentType: string
  byteSize: number
  /** The fields of a JSON reply, the kinds of events of a stream; empty for anything else. */
  fields: string[]
}

interface Wiretap {
  /** Stops listening and gives what was heard, in order. */
  close(): Exchange[]
}

interface Heard extends Exchange {
  chunks: Buffer[]
}

const about = z.object({ request: z.custom<object>((value) => typeof value === 'object' && value !== null) })
const opening = z.object({
  request: z.object({ origin: z.coerce.string(), path: z.string(), method: z.string() }),
})
const head = z.object({ response: z.object({ statusCode: z.int(), headers: z.array(z.instanceof(Buffer)) }) })
const part = z.object({ chunk: z.instanceof(Uint8Array) })

/** Listens to every request of this process from now on. */
export function openWiretap(): Wiretap {
  const heard = new Map<object, Heard>()
  const exchangeOf = (message: unknown) => heard.get(about.parse(message).request)

  const listeners: Record<string, (message: unknown) => void> = {
    'undici:request:create'(message) {
      const { origin, path, method } = opening.parse(message).request
      const { pathname } = new URL(path, origin)
      const blank = { status: null, contentType: '', byteSize: 0, fields: [], chunks: [] }
      heard.set(about.parse(message).request, { method, url: origin + pathname, ...blank })
    },
    'undici:request:headers'(message) {
      const { statusCode, headers } = head.parse(message).response
      const at = headers.findIndex((name, index) => index % 2 === 0 && /^content-type$/i.test(String(name)))
      const [type = ''] = (at === -1 ? '' : String(headers[at + 1])).split(';')
      Object.assign(exchangeOf(message) ?? {}, { status: statusCode, contentType: type })
    },
    'undici:request:bodyChunkReceived'(message) {
      const chunk = Buffer.from(part.parse(message).chunk)
      const exchange = exchangeOf(message)
      exchange?.chunks.push(chunk)
      if (exchange) exchange.byteSize += chunk.length
    },
  }
  for (const [channel, listener] of Object.entries(listeners)) subscribe(channel, listener)

  return {
    close() {
      for (const [channel, listener] of Object.entries(listeners)) unsubscribe(channel, listener)
      return [...heard.values()].map(({ chunks, ...exchange }) => ({
        ...exchange,
        fields: exchange.contentType.startsWith('image/') ? [] : fieldsIn(Buffer.concat(chunks).toString()),
      }))
    },
  }
}

/** Lines for a person: the exchange, and what its reply was made of. */
export function describeExchange({ method, url, status, contentType, byteSize, fields }: Exchange): string {
  const reply =
    status === null ? 'no reply' : `${status} ${contentType || 'of no type'}, ${formatBytes(byteSize)}`
  return `    ${method} ${url} → ${reply}\n${wrapped(fields)}`
}

const COLUMNS = 92

function wrapped(fields: readonly string[]): string {
  const lines: string[] = []
  for (const field of fields) {
    const last = lines.at(-1)
    if (last === undefined || last.length + field.length > COLUMNS) lines.push(field)
    else lines[lines.length - 1] = `${last}, ${field}`
  }
  return lines.map((text) => `      ${text}\n`).join('')
}

/** The names in a JSON text with what is empty, or the events of a stream. */
function fieldsIn(text: string): string[] {
  try {
    return [...new Set(namesIn(JSON.parse(text), ''))]
  } catch {
    return [...new Set([...text.matchAll(/^event: (\S+)$/gm)].map(([, event = '']) => `event ${event}`))]
  }
}

function namesIn(value: unknown, path: string): string[] {
  if (Array.isArray(value))
    return value.length === 0 ? [`${path} []`] : value.flatMap((item) => namesIn(item, `${path}[]`))
  if (value === null || value === '') return [`${path} ${JSON.stringify(value)}`]
  if (typeof value !== 'object') return [path]
  const entries = Object.entries(value)
  if (entries.length === 0) return [`${path} {}`]
  return entries.flatMap(([name, item]) => namesIn(item, path === '' ? name : `${path}.${name}`))
}
