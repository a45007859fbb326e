import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { Spilled, spillJson, type SpillLimits } from '../../src/providers/wire/json-spill.ts'
import { MalformedReply } from '../../src/providers/wire/malformed.ts'
import { readEvents } from '../../src/providers/wire/sse.ts'

let folder: string
let count = 0
const newFile = () => join(folder, String(count++))
const limits: SpillLimits = { maxImageBytes: 1_000_000, maxTextBytes: 10_000 }

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'darkroom-spill-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

async function* inPieces(bytes: Buffer, cuts: readonly number[]): AsyncGenerator<Buffer> {
  const at = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b)
  let from = 0
  for (const cut of [...at, bytes.length]) {
    yield bytes.subarray(from, cut)
    from = cut
  }
}

/** A body that fails after this text. */
async function* failing(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text)
  throw new Error('reset')
}

/** The JSON with every spilled file replaced by its base64, as JSON.parse returns it. */
async function spill(text: string, cuts: readonly number[] = []): Promise<unknown> {
  return readBack(await valueOf(inPieces(Buffer.from(text), cuts)))
}

/** Of JSON that is whole. */
async function valueOf(body: AsyncIterable<Buffer>): Promise<unknown> {
  const { value, problem } = await spillJson(body, newFile, limits)
  if (problem !== undefined) throw problem
  return value
}

function readBack(json: unknown): unknown {
  if (json instanceof Spilled) return readFileSync(json.file).toString('base64')
  if (Array.isArray(json)) return json.map(readBack)
  if (typeof json !== 'object' || json === null) return json
  return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, readBack(value)]))
}

async function eventsOf(text: string, cuts: readonly number[] = []): Promise<unknown[]> {
  const events: unknown[] = []
  for await (const event of readEvents(inPieces(Buffer.from(text), cuts), newFile, limits)) {
    events.push({ ...event, data: event.data === undefined ? undefined : readBack(event.data) })
  }
  return events
}

const image = (size = 300) => randomBytes(size).toString('base64')

describe('a JSON body', () => {
  it('is parsed as by JSON.parse, wherever its chunks are cut', async () => {
    const base64 = fc
      .uint8Array({ maxLength: 400 })
      .map((bytes) => Buffer.from(bytes).toString('base64') || null)
    const item = fc.record({
      b64_json: base64,
      revised_prompt: fc.string({ unit: 'grapheme' }),
      index: fc.integer(),
    })
    const body = fc.record({ data: fc.array(item, { maxLength: 3 }), size: fc.string(), usage: fc.object() })
    const cuts = fc.array(fc.nat({ max: 5000 }), { maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(body, cuts, fc.constantFrom(undefined, 2), async (json, where, indent) => {
        const text = JSON.stringify(json, undefined, indent)
        expect(await spill(text, where)).toEqual(JSON.parse(text))
      }),
      { numRuns: 200 },
    )
  })

  it('is parsed the same when it arrives byte by byte', async () => {
    const text = JSON.stringify({
      a: 'b64_json',
      data: [{ b64_json: image() }, { b64_json: image(1) }],
      e: '\\"é',
    })
    expect(await spill(text, [...Buffer.from(text).keys()])).toEqual(JSON.parse(text))
  })

  it('leaves no image in memory: the parsed JSON contains the path and the length', async () => {
    const file = join(folder, 'named')
    const { value } = await spillJson(
      inPieces(Buffer.from(`{"b64_json":"${image(300)}"}`), []),
      () => file,
      limits,
    )
    expect(value).toEqual({ b64_json: { file, byteSize: 300 } })
  })

  const plain = Buffer.from([0xfb, 0xef, 0xff, 0x00, 0x3e, 0x3f, 0xfa]).toString('base64') // '++//AD4/+g=='
  it.each([
    ['escaped slashes', plain.replaceAll('/', String.raw`\/`)],
    ['escaped line breaks', plain.match(/.{1,5}/g)?.join(String.raw`\r\n`) ?? ''],
    ['plus signs as unicode escapes', plain.replaceAll('+', String.raw`\u002B`)],
    ['a data URL in front', `data:image/png;base64,${plain}`],
    ['a data URL with escaped slashes', String.raw`data:image\/png;base64,${plain}`],
    ['the URL-safe alphabet', plain.replaceAll('+', '-').replaceAll('/', '_')],
    ['no padding', plain.replaceAll('=', '')],
    ['too much padding', `${plain}==`],
  ])('may contain %s', async (_name, value) => {
    const text = `{"b64_json" : "${value}" }`
    const everywhere = [...Buffer.from(text).keys()]
    for (const cuts of [[], everywhere, everywhere.filter((at) => at % 3 === 0)]) {
      expect(await spill(text, cuts)).toEqual({ b64_json: plain })
    }
  })

  it('treats an empty image as absent and creates no file for it', async () => {
    const before = readdirSync(folder).length
    expect(await spill('{"data":[{"b64_json":"","url":"https://x"}]}')).toEqual({
      data: [{ b64_json: null, url: 'https://x' }],
    })
    expect(readdirSync(folder)).toHaveLength(before)
  })

  it('takes no file path from the upstream: only an image has the class of one', async () => {
    const text = '[{"b64_json":{"file":"/etc/passwd"}},{"b64_json":7},{"b64_json":null}]'
    const json = await valueOf(inPieces(Buffer.from(text), []))
    expect(json).toEqual(JSON.parse(text))
    const values = z.array(z.object({ b64_json: z.unknown() })).parse(json)
    expect(values.filter(({ b64_json }) => b64_json instanceof Spilled)).toEqual([])
  })

  it.each([
    ['{"b64_json":"AAAA*AAA"}', 'AAAAAAA='],
    ['{"b64_json":"AAAAé"}', 'AAAA'],
    ['{"b64_json":"AAAAA"}', 'AAAA'],
    ['{"b64_json":"AA==AAAA"}', 'AA=='],
    [String.raw`{"b64_json":"AAAA\"AAA"}`, 'AAAAAAA='],
    [`{"b64_json":"AAAA\u0000"}`, 'AAAA'],
    [`{"b64_json":"${'A'.repeat(1_400_000)}"}`, null],
    ['{"b64_json":"%%%%"}', null],
  ])('of %.40s has the image %.20s, because other characters do not matter', async (text, base64) => {
    expect(await spill(text, [3, 17])).toEqual({ b64_json: base64 })
  })

  it.each([
    ['{"a":{"b64_json":"AAAA"}}, and so on', { a: { b64_json: 'AAAA' } }],
    ['\uFEFF{"b64_json":"AAAA"}', { b64_json: 'AAAA' }],
    ['{"b64_json":["AAAA",["BBBB"]]}', { b64_json: ['AAAA', ['BBBB']] }],
    ['{"url":"data:image/png;base64,AAAA"}', { url: 'AAAA' }],
    ['{"image_url":{"url":"data:,AAAA"}}', { image_url: { url: 'AAAA' } }],
    ['{"url":"database","image_url":"","n":["url",["data:"]]}', undefined],
  ])('of %.60s keeps its images', async (text, json) => {
    const everywhere = [...Buffer.from(text).keys()]
    for (const cuts of [[], everywhere]) expect(await spill(text, cuts)).toEqual(json ?? JSON.parse(text))
  })

  it.each([
    ['{"data":[{"b64_json":"AAAA"},', { data: [{ b64_json: 'AAAA' }] }],
    ['{"b64_json":"AAAA","b":{"b64_json":"BBB', { b64_json: 'AAAA', b: {} }],
    ['{"data":[{"url":"https://x/a"', { data: [{ url: 'https://x/a' }] }],
    ['{"data":[{"url":"https://x/a","url":"https://x/b', { data: [{ url: 'https://x/a' }] }],
    ['{"data":[{"url":"https://x/a', { data: [{}] }],
    ['{"a":1,"b":2', { a: 1 }],
    ['{"a":true,"b":[1,2,nul', { a: true, b: [1, 2] }],
    ['{"a":["x","y\\\\', { a: ['x'] }],
    ['{"a":{"b":"\\""},"c', { a: { b: '"' } }],
    ['{"text":"{\\"a\\":[\\"x\\",\\"y\\u00', { text: '{"a":["x","y' }],
    ['{"b64_json', {}],
    ['', undefined],
    // Not JSON: the complete images remain.
    ['{"data":[{"b64_json":"AAAA"}],}', [{ b64_json: 'AAAA' }]],
  ])('that breaks off as %s has the values that are complete', async (text, complete) => {
    const everywhere = [...Buffer.from(text).keys()]
    for (const cuts of [[], everywhere]) {
      const { value, problem } = await spillJson(inPieces(Buffer.from(text), cuts), newFile, limits)
      expect(readBack(value)).toEqual(complete)
      expect(problem).toBeInstanceOf(MalformedReply)
    }
  })

  it('that breaks off among 4 MB of brackets is read in time', async () => {
    const { problem } = await spillJson(inPieces(Buffer.from('[{"a":'.repeat(700_000)), []), newFile)
    expect(problem).toEqual(new MalformedReply('has more than 4194304 bytes of text'))
  })

  it('needs no end of the body once its value is closed, and keeps what was complete of a body that fails', async () => {
    const closed = await valueOf(failing('{"b64_json":"AAAA"}'))
    expect(readBack(closed)).toEqual({ b64_json: 'AAAA' })
    const cut = await spillJson(failing('{"b64_json":"AAAA","size":"10'), newFile, limits)
    expect(readBack(cut.value)).toEqual({ b64_json: 'AAAA' })
    expect(cut.problem).toEqual(new Error('reset'))
  })

  it.each([
    ['{"b64_json":"AAAA', 'ends within a string'],
    ['{"data":[', 'is not JSON'],
    ['<html>"no"</html>', 'is not JSON'],
    ['', 'is not JSON'],
    ['['.repeat(9000), 'is not JSON'],
    [`{"url":"${'x'.repeat(20_000)}"}`, 'has more than 10000 bytes of text'],
  ])('of %.40s is refused: %s', async (text, message) => {
    await expect(spill(text, [3, 17])).rejects.toThrow(new MalformedReply(message))
  })
})

describe('server-sent events', () => {
  const [one, two] = [image(), image()]
  const stream = `\uFEFF: hello\n\nevent: partial\ndata: {"b64_json":"${one}"}\n\nid: 4\ndata:{"n":1,\ndata: "b64_json":"${two}"}\n\n`
  const parsed = [
    { event: 'partial', data: { b64_json: one } },
    { event: 'message', data: { n: 1, b64_json: two } },
  ]

  it.each(['\n', '\r\n', '\r'])(
    'are read in order, wherever they are cut, with lines ended by %j',
    async (end) => {
      const text = stream.replaceAll('\n', end)
      expect(await eventsOf(text, [...Buffer.from(text).keys()])).toEqual(parsed)
      await fc.assert(
        fc.asyncProperty(fc.array(fc.nat({ max: 2000 }), { maxLength: 20 }), async (cuts) => {
          expect(await eventsOf(text, cuts)).toEqual(parsed)
        }),
        { numRuns: 50 },
      )
    },
  )

  it('end at [DONE]; the rest is not read', async () => {
    expect(await eventsOf(`data: {"a":1}\n\ndata: [DONE]\n\ndata: {"a":2}\n\n`)).toEqual([
      { event: 'message', data: { a: 1 } },
    ])
  })

  it('keep a complete last event of a body that fails', async () => {
    const seen: unknown[] = []
    const reading = (async () => {
      for await (const { event, data } of readEvents(
        failing(`event: done\ndata: {"b64_json":"${one}"}\n`),
        newFile,
        limits,
      ))
        seen.push({ event, data: readBack(data) })
    })()
    await expect(reading).rejects.toThrow('reset')
    expect(seen).toEqual([{ event: 'done', data: { b64_json: one } }])
  })

  it('keep a complete last event without a blank line after it, and what is complete of an incomplete one', async () => {
    expect(await eventsOf(`data: {"b64_json":"${one}"}`)).toEqual([
      { event: 'message', data: { b64_json: one } },
    ])
    expect(await eventsOf(`data: {"a":"${one}","b64_json":"${one.slice(0, 40)}`)).toEqual([
      { event: 'message', data: { a: one }, isCut: true },
    ])
  })

  it('skip data that is not JSON', async () => {
    expect(await eventsOf('event: ping\ndata: still here\n\ndata: {}\n\n')).toEqual([
      { event: 'ping', data: undefined },
      { event: 'message', data: {} },
    ])
  })

  it('are read one at a time, each after the previous one was consumed', async () => {
    const given: string[] = []
    async function* source(): AsyncGenerator<Buffer> {
      for (const name of ['a', 'b', 'c']) {
        given.push(name)
        yield Buffer.from(`data: {"name":"${name}"}\n\n`)
      }
    }
    for await (const event of readEvents(source(), newFile)) {
      expect(event.data).toEqual({ name: given.at(-1) })
      if (given.length === 2) break
    }
    expect(given).toEqual(['a', 'b'])
  })
})
