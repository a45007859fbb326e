// Decodes every "b64_json" of a JSON stream into a file. JSON.parse would hold each image as bytes, text and bytes.
import { createBase64Decoder } from './base64.ts'
import { MalformedReply } from './malformed.ts'
import { createSpoolFile, type SpoolFile } from './spool-file.ts'

export interface Spilled {
  file: string
  byteSize: number
}

export type JsonSpill = ReturnType<typeof createJsonSpill>

export interface SpillLimits {
  maxImageBytes: number
  maxTextBytes: number
}

/** A PNG of 3840x2160 noise has 25 MB. */
export const DEFAULT_LIMITS: SpillLimits = { maxImageBytes: 128 * 1024 * 1024, maxTextBytes: 4 * 1024 * 1024 }

/** Images go to `newFile()` paths. Throws MalformedReply. */
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

export function createJsonSpill(newFile: () => string, limits: SpillLimits = DEFAULT_LIMITS) {
  const text: Buffer[] = []
  const spilled: Spilled[] = []
  let textBytes = 0
  let state: 'outside' | 'string' | 'image' = 'outside'
  // They tell a value from a key.
  let before: number | undefined
  let key = ''
  let escaped = false
  let image = noImage()

  function keep(bytes: Buffer): void {
    textBytes += bytes.length
    if (textBytes > limits.maxTextBytes) {
      throw new MalformedReply(`has more than ${limits.maxTextBytes} bytes of text`)
    }
    // A slice would keep the network buffer.
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
    async write(chunk: Buffer): Promise<void> {
      for (let at = 0; at < chunk.length;) {
        if (state === 'outside') at = readOutside(chunk, at)
        else if (state === 'string') at = readString(chunk, at)
        else at = await readImage(chunk, at)
      }
    },
    /** The parsed JSON; an empty `b64_json` is null. */
    async end(): Promise<unknown> {
      if (state !== 'outside') throw new MalformedReply('ends within a string')
      return parse(textSoFar(), spilled)
    },
    text: textSoFar,
    /** Required, after `end` too. */
    close: async () => image.file?.abandon(),
  }
}

function noImage() {
  return { decoder: createBase64Decoder(), file: undefined as SpoolFile | undefined, escape: '' }
}

// Numbers sent by an upstream reach no other file.
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

// `\/` (PHP), `\n` (MIME), `\u002B` (.NET). Undefined while incomplete.
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
