// HTML standard, 9.2. eventsource-parser would hold lines of up to 100 MB as text.
import { createJsonSpill, DEFAULT_LIMITS, type JsonSpill, type SpillLimits } from './json-spill.ts'
import { MalformedReply } from './malformed.ts'

export interface ServerSentEvent {
  /** Default `message`. */
  event: string
  /** Undefined if not JSON. */
  data: unknown
  /** The stream broke off within it. `data` has what was complete. */
  isCut?: boolean
}

/** Until `data: [DONE]` or the end; images in `newFile()` paths. Throws MalformedReply. */
export async function* readEvents(
  body: AsyncIterable<Buffer>,
  newFile: () => string,
  limits: SpillLimits = DEFAULT_LIMITS,
): AsyncGenerator<ServerSentEvent> {
  let event = ''
  let field = ''
  let data: JsonSpill | undefined

  async function take({ kind, bytes }: LinePart): Promise<void> {
    if (kind === 'name') field = bytes.toString('latin1')
    else if (field === 'event') event = (event + bytes.toString('utf8')).slice(0, 200)
    else if (field === 'data') await (data ??= createJsonSpill(newFile, limits)).write(bytes)
  }

  async function finish(isLast = false): Promise<ServerSentEvent | 'done' | undefined> {
    const spill = data
    const name = event || 'message'
    data = undefined
    event = ''
    if (!spill) return undefined
    const done = spill.text().trim() === '[DONE]'
    const json = await jsonOrUndefined(spill)
    if (done) return 'done'
    return isLast && json === undefined
      ? { event: name, data: spill.complete(), isCut: true }
      : { event: name, data: json }
  }

  let failure: unknown
  try {
    try {
      for await (const part of splitLines(body)) {
        if (part.kind !== 'blank') {
          await take(part)
          continue
        }
        const finished = await finish()
        if (finished === 'done') return
        if (finished) yield finished
      }
    } catch (error) {
      failure = error
    }
    // The standard drops events without a final blank line, but the image is paid for.
    const last = await finish(true)
    if (last && last !== 'done' && last.data !== undefined) yield last
    if (failure) throw failure
  } finally {
    await data?.close()
  }
}

// Keep-alives are not JSON.
async function jsonOrUndefined(spill: JsonSpill): Promise<unknown> {
  try {
    return spill.end()
  } catch (error) {
    if (error instanceof MalformedReply) return undefined
    throw error
  } finally {
    await spill.close()
  }
}

interface LinePart {
  kind: 'name' | 'value' | 'blank'
  bytes: Buffer
}

async function* splitLines(body: AsyncIterable<Buffer>): AsyncGenerator<LinePart> {
  let place: 'name' | 'space' | 'value' = 'name'
  let name = EMPTY
  let afterCr = false

  function* readPiece(piece: Buffer): Generator<LinePart> {
    let rest = piece
    if (place === 'name') {
      const colon = rest.indexOf(COLON)
      name = joinName(name, colon < 0 ? rest : rest.subarray(0, colon))
      if (colon < 0) return
      yield { kind: 'name', bytes: name }
      place = 'space'
      rest = rest.subarray(colon + 1)
    }
    if (rest.length === 0) return
    if (place === 'space' && rest[0] === SPACE) rest = rest.subarray(1)
    place = 'value'
    yield { kind: 'value', bytes: rest }
  }

  for await (const chunk of body) {
    // LF, CR or both, perhaps split.
    let at = afterCr && chunk[0] === LF ? 1 : 0
    if (chunk.length > 0) afterCr = false
    while (at < chunk.length) {
      const end = lineEnd(chunk, at)
      yield* readPiece(chunk.subarray(at, end))
      if (end === chunk.length) break
      if (place === 'name' && name.length === 0) yield { kind: 'blank', bytes: EMPTY }
      name = EMPTY
      place = 'name'
      const isCr = chunk[end] === CR
      afterCr = isCr && end + 1 === chunk.length
      at = end + (isCr && chunk[end + 1] === LF ? 2 : 1)
    }
  }
}

// `event` is the longest known name.
function joinName(name: Buffer, more: Buffer): Buffer {
  const whole = Buffer.concat([name, more.subarray(0, 16)]).subarray(0, 16)
  return whole.subarray(0, 3).equals(BYTE_ORDER_MARK) ? whole.subarray(3) : whole
}

function lineEnd(chunk: Buffer, from: number): number {
  const lf = chunk.indexOf(LF, from)
  const end = lf < 0 ? chunk.length : lf
  const cr = chunk.subarray(0, end).indexOf(CR, from)
  return cr < 0 ? end : cr
}

const EMPTY: Buffer = Buffer.alloc(0)
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])
const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
const COLON = 0x3a
