// Decodes images in a JSON stream into files: each "b64_json", and data URLs in "url" or "image_url". JSON.parse would
// hold an image as bytes, text and bytes.
import { randomUUID } from 'node:crypto'
import { createBase64Decoder } from './base64.ts'
import { completeJson } from './complete-json.ts'
import { MalformedImage, MalformedReply } from './malformed.ts'
import { createSpoolFile, type SpoolFile } from './spool-file.ts'

/** Stands for an image. A class: no upstream can name a file. */
export class Spilled {
  readonly file: string
  readonly byteSize: number

  constructor(file: string, byteSize: number) {
    this.file = file
    this.byteSize = byteSize
  }
}

export type JsonSpill = ReturnType<typeof createJsonSpill>

export interface SpillLimits {
  /** Per image, decoded. Larger: null. */
  maxImageBytes: number
  maxTextBytes: number
}

/** A 3840x2160 PNG of noise has 25 MB. */
export const DEFAULT_LIMITS: SpillLimits = { maxImageBytes: 128 * 1024 * 1024, maxTextBytes: 4 * 1024 * 1024 }

export interface SpilledJson {
  value: unknown
  /** Why the text is not JSON as a whole. `value` then has what was complete, and proves nothing but images. */
  problem?: unknown
}

/** Reads up to the end of the value; what follows does not matter, nor how the body ends. Images go to `newFile()` paths. */
export async function spillJson(
  body: AsyncIterable<Buffer>,
  newFile: () => string,
  limits: SpillLimits = DEFAULT_LIMITS,
  spill = createJsonSpill(newFile, limits),
): Promise<SpilledJson> {
  try {
    for await (const chunk of body) {
      await spill.write(chunk)
      if (spill.isClosed()) break
    }
    return { value: spill.end() }
  } catch (problem) {
    return { value: spill.complete(), problem }
  } finally {
    await spill.close()
  }
}

export function createJsonSpill(newFile: () => string, limits: SpillLimits = DEFAULT_LIMITS) {
  const text = createText(limits.maxTextBytes)
  const spilled: Spilled[] = []
  // Marks an image in the text.
  const token = randomUUID()
  let state: 'outside' | 'string' | 'link' | 'image' = 'outside'
  let depth = 0
  // The value's brackets are closed.
  let closed = false
  // The last byte outside of strings and the last string tell values from keys.
  let before: number | undefined
  let key = ''
  let link = ''
  let escaped = false
  let image = noImage()

  function readOutside(chunk: Buffer, start: number): number {
    for (let at = start; at < chunk.length; at++) {
      const byte = chunk[at]!
      if (byte === QUOTE) {
        // Perhaps a list.
        const name = before === COLON || before === OPEN_LIST ? key : ''
        state = name === 'b64_json' ? 'image' : LINKS.has(name) ? 'link' : 'string'
        text.keep(chunk.subarray(start, state === 'string' ? at + 1 : at))
        key = ''
        link = ''
        before = QUOTE
        return at + 1
      }
      if (byte === COMMA) key = ''
      if (byte === OPEN_LIST || byte === OPEN_OBJECT) depth++
      else if ((byte === CLOSE_LIST || byte === CLOSE_OBJECT) && --depth === 0) {
        closed = true
        text.keep(chunk.subarray(start, at + 1))
        return chunk.length
      }
      // JSON's white space is below.
      if (byte > SPACE) before = byte
    }
    text.keep(chunk.subarray(start))
    return chunk.length
  }

  function readString(chunk: Buffer, start: number): number {
    let at = start
    for (; at < chunk.length; at++) {
      if (escaped) escaped = false
      else if (chunk[at] === BACKSLASH) escaped = true
      else if (chunk[at] === QUOTE) break
    }
    // Ten characters tell `image_url` from longer names.
    if (key.length <= 9) key += chunk.toString('latin1', start, Math.min(at, start + 10))
    const end = Math.min(at + 1, chunk.length)
    text.keep(chunk.subarray(start, end))
    if (at < chunk.length) state = 'outside'
    return end
  }

  /** Holds an address while it may be a data URL. */
  async function readLink(chunk: Buffer, start: number): Promise<number> {
    const next = link + chunk.toString('latin1', start, start + 1)
    if (DATA_URL.startsWith(next)) {
      link = next
      if (link === DATA_URL) {
        state = 'image'
        await store(image.decoder.write(link))
      }
      return start + 1
    }
    text.keep(Buffer.from(`"${link}`))
    state = 'string'
    return start
  }

  async function readImage(chunk: Buffer, start: number): Promise<number> {
    let quote = -1
    for (let at = start; at < chunk.length;) {
      if (image.escape !== '') {
        image.escape += chunk.toString('latin1', at, ++at)
        const character = unescape(image.escape)
        if (character === undefined) continue
        image.escape = ''
        await store(image.decoder.write(character))
        continue
      }
      if (quote < at) quote = indexOrEnd(chunk, QUOTE, at)
      const slash = chunk.subarray(0, quote).indexOf(BACKSLASH, at)
      const end = slash < 0 ? quote : slash
      await store(image.decoder.write(chunk.toString('latin1', at, end)))
      if (slash >= 0) image.escape = '\\'
      else if (end < chunk.length) return finishImage(end + 1)
      at = end + 1
    }
    return chunk.length
  }

  async function store(bytes: Buffer): Promise<void> {
    if (bytes.length === 0 || image.isTooLarge) return
    image.file ??= createSpoolFile(newFile(), limits.maxImageBytes)
    try {
      await image.file.write(bytes)
    } catch (error) {
      if (!(error instanceof MalformedImage)) throw error
      image.isTooLarge = true
      await image.file.abandon()
    }
  }

  async function finishImage(next: number): Promise<number> {
    await store(image.decoder.end())
    const file = image.isTooLarge ? undefined : image.file
    await file?.end()
    text.keep(Buffer.from(file ? `"${token}${spilled.length}"` : 'null'))
    if (file) spilled.push(new Spilled(file.path, file.byteSize))
    image = noImage()
    state = 'outside'
    return next
  }

  function parse(json: string): unknown {
    try {
      return JSON.parse(json, (_name, value: unknown) =>
        typeof value === 'string' && value.startsWith(token)
          ? spilled[Number(value.slice(token.length))]
          : value,
      )
    } catch {
      throw new MalformedReply('is not JSON')
    }
  }

  return {
    async write(chunk: Buffer): Promise<void> {
      for (let at = 0; at < chunk.length && !closed;) {
        if (state === 'outside') at = readOutside(chunk, at)
        else if (state === 'string') at = readString(chunk, at)
        else if (state === 'link') at = await readLink(chunk, at)
        else at = await readImage(chunk, at)
      }
    },
    isClosed: () => closed,
    /** The values that are complete so far; of what is not JSON, a list of the images. */
    complete(): unknown {
      try {
        return parse(completeJson(text.read()) ?? '')
      } catch {
        return spilled.length > 0 ? spilled.map((b64_json) => ({ b64_json })) : undefined
      }
    },
    /** An empty `b64_json` is null. */
    end(): unknown {
      if (state !== 'outside') throw new MalformedReply('ends within a string')
      return parse(text.read())
    },
    /** Without images. */
    text: () => text.read(),
    /** Required, also after `end`. */
    close: async () => image.file?.abandon(),
  }
}

/** One growing buffer: many small ones take more memory. */
function createText(maxBytes: number) {
  let buffer: Buffer = Buffer.allocUnsafe(1024)
  let length = 0
  return {
    keep(bytes: Buffer): void {
      if (length + bytes.length > maxBytes)
        throw new MalformedReply(`has more than ${maxBytes} bytes of text`)
      if (length + bytes.length > buffer.length) {
        const larger = Buffer.allocUnsafe(Math.min(maxBytes, 2 * (length + bytes.length)))
        buffer.copy(larger, 0, 0, length)
        buffer = larger
      }
      length += bytes.copy(buffer, length)
    },
    read: () => withoutMark(buffer.toString('utf8', 0, length)),
  }
}

export function withoutMark(text: string): string {
  return text.replace(/^\uFEFF/, '')
}

function noImage() {
  const file = undefined as SpoolFile | undefined
  return { decoder: createBase64Decoder(), file, isTooLarge: false, escape: '' }
}

// `\/` (PHP), `\n` (MIME), `\u002B` (.NET). Undefined if incomplete.
function unescape(escape: string): string | undefined {
  if (escape.length < (escape[1] === 'u' ? 6 : 2)) return undefined
  try {
    const character = String(JSON.parse(`"${escape}"`))
    return character <= '\u00ff' ? character : '?'
  } catch {
    return '?'
  }
}

function indexOrEnd(chunk: Buffer, byte: number, from: number): number {
  const index = chunk.indexOf(byte, from)
  return index < 0 ? chunk.length : index
}

const LINKS: ReadonlySet<string> = new Set(['url', 'image_url'])
const DATA_URL = 'data:'
const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_LIST = 0x5b
const BACKSLASH = 0x5c
const CLOSE_LIST = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const SPACE = 0x20
