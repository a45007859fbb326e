// HTTP exchanges through undici's "DiagnosticsChannel" (its docs): names of fields, never values.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { z } from 'zod'
import { formatBytes } from '../../quantity.ts'
import { wrap } from '../format.ts'

export interface Exchange {
  method: string
  /** Without query, which may hold a key. */
  url: string
  /** Null without a response. */
  status: number | null
  contentType: string
  byteSize: number
  /** Of JSON; event types of a stream. */
  fields: string[]
}

interface Recording extends Exchange {
  chunks: Buffer[]
}

const MESSAGE = z.object({
  request: z.custom<object>((value) => typeof value === 'object' && value !== null),
})
const CREATED = z.object({
  request: z.object({ origin: z.coerce.string(), path: z.string(), method: z.string() }),
})
const HEADERS = z.object({
  response: z.object({ statusCode: z.int(), headers: z.array(z.instanceof(Buffer)) }),
})
const CHUNK = z.object({ chunk: z.instanceof(Uint8Array) })

/** Until `stop`, which returns the exchanges in order. */
export function recordTraffic(): { stop(): Exchange[] } {
  const recordings = new Map<object, Recording>()
  const recordingOf = (message: unknown) => recordings.get(MESSAGE.parse(message).request)

  const listeners: Record<string, (message: unknown) => void> = {
    'undici:request:create'(message) {
      const { origin, path, method } = CREATED.parse(message).request
      const url = origin + new URL(path, origin).pathname
      const empty = { status: null, contentType: '', byteSize: 0, fields: [], chunks: [] }
      recordings.set(MESSAGE.parse(message).request, { method, url, ...empty })
    },
    'undici:request:headers'(message) {
      const { statusCode, headers } = HEADERS.parse(message).response
      const at = headers.findIndex((name, index) => index % 2 === 0 && /^content-type$/i.test(String(name)))
      const [type = ''] = (at === -1 ? '' : String(headers[at + 1])).split(';')
      Object.assign(recordingOf(message) ?? {}, { status: statusCode, contentType: type })
    },
    'undici:request:bodyChunkReceived'(message) {
      const chunk = Buffer.from(CHUNK.parse(message).chunk)
      const recording = recordingOf(message)
      recording?.chunks.push(chunk)
      if (recording) recording.byteSize += chunk.length
    },
  }
  for (const [channel, listener] of Object.entries(listeners)) subscribe(channel, listener)

  return {
    stop() {
      for (const [channel, listener] of Object.entries(listeners)) unsubscribe(channel, listener)
      return [...recordings.values()].map(({ chunks, ...exchange }) => ({
        ...exchange,
        fields: exchange.contentType.startsWith('image/') ? [] : fieldsIn(Buffer.concat(chunks).toString()),
      }))
    },
  }
}

export function describeExchange({ method, url, status, contentType, byteSize, fields }: Exchange): string {
  const response =
    status === null
      ? 'no response'
      : `${status} ${contentType || 'no content type'}, ${formatBytes(byteSize)}`
  const lines =
    fields.length === 0 ? [] : wrap(fields.map((field) => field.replaceAll(' ', NBSP)).join(', '), 88)
  return `    ${method} ${url} → ${response}\n${lines.map((line) => `      ${line.replaceAll(NBSP, ' ')}\n`).join('')}`
}

/** Keeps fields on one line. */
const NBSP = '\u00a0'

function fieldsIn(text: string): string[] {
  try {
    return [...new Set(namesIn(JSON.parse(text), ''))]
  } catch {
    return [...new Set([...text.matchAll(/^event: (\S+)$/gm)].map(([, event = '']) => `event ${event}`))]
  }
}

/** All paths, also of empty values: adapters treat those as missing. */
function namesIn(value: unknown, path: string): string[] {
  if (Array.isArray(value))
    return value.length === 0 ? [`${path} []`] : value.flatMap((item) => namesIn(item, `${path}[]`))
  if (value === null || value === '') return [`${path} ${JSON.stringify(value)}`]
  if (typeof value !== 'object') return [path]
  const entries = Object.entries(value)
  if (entries.length === 0) return [`${path} {}`]
  return entries.flatMap(([name, item]) => namesIn(item, path === '' ? name : `${path}.${name}`))
}
