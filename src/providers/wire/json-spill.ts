// Decodes the value of every "b64_json" of a streamed JSON text into a file, and parses the rest. JSON.parse would hold
// each image three times: bytes, text, bytes.
import { createBase64Decoder, type Base64Decoder } from './base64.ts'
import { MalformedReply } from './malformed.ts'
import { createSpoolFile, type SpoolFile } from './spool-file.ts'

/** Replaces the base64 in the parsed JSON. */
export interface Spilled {
  file: string
  byteSize: number
}

export interface JsonSpill {
  /** Throws MalformedReply. */
  write(chunk: Buffer): Promise<void>
  /** The parsed JSON; an empty `b64_json` is null. Throws MalformedReply. */
  end(): Promise<unknown>
  /** The text without the images. */
  text(): string
  /** Required, after `end` too. */
  close(): Promise<void>
}

export interface SpillLimits {
  /** Per image, decoded. */
  maxImageBytes: number
  /** Of everything but images. */
  maxTextBytes: number
}

/** A PNG of 3840x2160 noise has 25 MB; the rest of a reply has a few hundred bytes. */
export const DEFAULT_LIMITS: SpillLimits = { maxImageBytes: 128 * 1024 * 1024, maxTextBytes: 4 * 1024 * 1024 }

/** Reads a JSON body, its images into `newFile()` paths. Throws as JsonSpill does. */
export async function spillJson(
  body: AsyncIterable<Buffer>,
  newFile: () => string,
  limits: SpillLimits = DEFAULT_LIMITS,
): Promise<unknown> {
  const spill = createJsonSpill(newFile, limits)
  try {
    for await (const chunk of body) await spill.write(chunk)
    return await spill.end()
  } finally {
    await spill.close()
  }
}

export function createJsonSpill(newFile: () => string, limits: SpillLimits = DEFAULT_LIMITS): JsonSpill {
  const text: Buffer[] = []
  const spilled: Spilled[] = []
  let textBytes = 0
  let state: 'outside' | 'string' | 'image' = 'outside'
  // The last byte outside of strings and the last string tell a value from a key.
  let before: number | undefined
  let key = ''
  let escaped = false
  let image = noImage()

  function keep(bytes: Buffer): void {
    textBytes += bytes.length
    if (textBytes > limits.maxTextBytes) {
      throw new MalformedReply(`has more than ${limits.maxTextBytes} bytes of text`)
    }
    // A slice would keep the whole network buffer alive.
    text.push(Buffer.from(bytes))
  }

  function readOutside(chunk: Buffer, start: number): number {
    for (let at = start; at < chunk.length; at++) {
      const byte = chunk[at]
      if (byte === QUOTE) {
        const isImage = before === COLON && key === 'b64_json'
        keep(chunk.subarray(start, isImage ? at : at + 1))
        state = isImage ? 'image' : 'string'
        key = ''
        before = QUOTE
        return at + 1
      }
      // All JSON white space is below.
      if (byte! > SPACE) before = byte
    }
    keep(chunk.subarray(start))
    return chunk.length
  }

  function readString(chunk: Buffer, start: number): number {
    let at = start
    for (; at < chunk.length; at++) {
      if (escaped) escaped = false
      else if (chunk[at] === BACKSLASH) escaped = true
      else if (chunk[at] === QUOTE) break
    }
    // Nine characters tell `b64_json` from longer names.
    if (key.length <= 8) key += chunk.toString('latin1', start, Math.min(at, start + 9))
    const end = Math.min(at + 1, chunk.length)
    keep(chunk.subarray(start, end))
    if (at < chunk.length) state = 'outside'
    return end
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
    if (bytes.length === 0) return
    image.file ??= createSpoolFile(newFile(), limits.maxImageBytes)
    await image.file.write(bytes)
  }

  async function finishImage(next: number): Promise<number> {
    await store(image.decoder.end())
    const { file } = image
    await file?.end()
    keep(Buffer.from(file ? String(spilled.length) : 'null'))
    if (file) spilled.push({ file: file.path, byteSize: file.byteSize })
    image = noImage()
    state = 'outside'
    return next
  }

  const textSoFar = () => Buffer.concat(text).toString('utf8')

  return {
    async write(chunk) {
      for (let at = 0; at < chunk.length;) {
        if (state === 'outside') at = readOutside(chunk, at)
        else if (state === 'string') at = readString(chunk, at)
        else at = await readImage(chunk, at)
      }
    },
    async end() {
      if (state !== 'outside') throw new MalformedReply('ends within a string')
      return parse(textSoFar(), spilled)
    },
    text: textSoFar,
    close: async () => image.file?.abandon(),
  }
}

interface ImageState {
  decoder: Base64Decoder
  file: SpoolFile | undefined
  /** An incomplete JSON escape. */
  escape: string
}

function noImage(): ImageState {
  return { decoder: createBase64Decoder(), file: undefined, escape: '' }
}

// A number stands for an image of this text: an upstream that sends numbers reaches no other file.
function parse(text: string, spilled: readonly Spilled[]): unknown {
  try {
    return JSON.parse(text, (name, value: unknown) => {
      if (name !== 'b64_json') return value
      return typeof value === 'number' ? (spilled[value] ?? null) : null
    })
  } catch {
    throw new MalformedReply('is not JSON')
  }
}

// Escapes in base64: `\/` (PHP), `\n` and `\r\n` (MIME), `\u002B` (.NET). Undefined while incomplete.
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

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a
const SPACE = 0x20
