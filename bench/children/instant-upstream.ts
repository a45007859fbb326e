// An upstream with the API of OpenAI that responds at once, and notes when. No two of its images are the same file.
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { crc32 } from 'node:zlib'
import sharp from 'sharp'
import { serve, clock } from '../child.ts'

/** An image up to its last chunk, by name. */
const heads = new Map<string, { base64: Buffer; rest: Buffer }>()
const times = new Map<number, number>()

/** The last chunk of a PNG, which is empty. */
const END_BYTES = 12
const REPLY_USAGE = JSON.stringify({ input_tokens: 10, output_tokens: 6208, total_tokens: 6218 })

const http = createServer((request, response) => {
  void text(request).then((body) => {
    const [, name = '', number = '0'] = /image (\w+) (\d+)/.exec(body) ?? []
    const parts = [
      '{"created":1,"data":[{"b64_json":"',
      ...imageOf(name, number),
      `"}],"usage":${REPLY_USAGE}}`,
    ]
    const length = parts.reduce((sum, part) => sum + part.length, 0)
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': length })
    times.set(Number(number), clock())
    for (const part of parts) response.write(part)
    response.end()
  })
})

const verbs = {
  /** `edges`: the edge of each image in pixels, by its name. The prompt `image <name> <number>` requests one. */
  async start(edges: Readonly<Record<string, number>>): Promise<string> {
    for (const [name, edge] of Object.entries(edges)) {
      const raw = { width: edge, height: edge, channels: 3 } as const
      // Noise does not compress, so the file is as large as the pixels.
      const png = await sharp(randomBytes(edge * edge * 3), { raw })
        .png({ compressionLevel: 1 })
        .toBuffer()
      const body = png.subarray(0, -END_BYTES)
      const whole = body.length - (body.length % 3)
      heads.set(name, { base64: Buffer.from(body.toString('base64', 0, whole)), rest: body.subarray(whole) })
    }
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
    const address = http.address()
    return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/v1`
  },

  /** When each request was answered since the last call, by its number. */
  take(): Map<number, number> {
    const taken = new Map(times)
    times.clear()
    return taken
  },
}

export type InstantUpstreamVerbs = typeof verbs

serve(verbs)

/** In base64, with a comment that makes it another file. */
function imageOf(name: string, number: string): [head: Buffer | string, tail: string] {
  const { base64, rest } = heads.get(name) ?? { base64: '', rest: Buffer.alloc(0) }
  const tail = Buffer.concat([rest, chunk('tEXt', `Comment\0${number}`), chunk('IEND', '')])
  return [base64, tail.toString('base64')]
}

function chunk(type: string, content: string): Buffer {
  const bytes = Buffer.from(type + content, 'latin1')
  const frame = Buffer.alloc(8 + bytes.length)
  frame.writeUInt32BE(content.length)
  bytes.copy(frame, 4)
  frame.writeUInt32BE(crc32(bytes), 4 + bytes.length)
  return frame
}
