// A slow upstream with the API of OpenAI: every response has a random delay and an image that no other response has.
import { randomBytes } from 'node:crypto'
import { createServer, type ServerResponse } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { crc32 } from 'node:zlib'
import sharp from 'sharp'
import { serve } from '../child.ts'

interface Pace {
  /** The range of delays, evenly distributed. */
  fromMs: number
  toMs: number
  /** The approximate size of an image. */
  megabytes: number
}

/** The number of different images. A comment in the file makes responses with the same image differ. */
const IMAGES = 8
/** The signature of a PNG and its first chunk. */
const HEAD_BYTES = 33

const images: Buffer[] = []
let pace: Pace = { fromMs: 0, toMs: 0, megabytes: 0 }
let calls = 0

const http = createServer((request, response) => {
  request.resume()
  request.on('end', () => void send(response))
})

const verbs = {
  async start(wanted: Pace): Promise<string> {
    pace = wanted
    // Noise does not compress, so the file is as large as the pixels.
    const edge = Math.round(Math.sqrt((pace.megabytes * 1e6) / 3))
    for (let i = 0; i < IMAGES; i++) {
      const raw = { width: edge, height: edge, channels: 3 } as const
      images.push(
        await sharp(randomBytes(edge * edge * 3), { raw })
          .png({ compressionLevel: 1 })
          .toBuffer(),
      )
    }
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
    const address = http.address()
    return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/v1`
  },

  /** The number of requests. */
  calls: () => calls,
}

export type SlowUpstreamVerbs = typeof verbs

serve(verbs)

async function send(response: ServerResponse): Promise<void> {
  const number = calls++
  await pause(pace.fromMs + Math.random() * (pace.toMs - pace.fromMs))
  const base64 = withComment(images[number % IMAGES] ?? Buffer.alloc(0), `response ${number}`).toString(
    'base64',
  )
  const usage = { input_tokens: 10, output_tokens: 6208, total_tokens: 6218 }
  const body = `{"created":1,"data":[{"b64_json":"${base64}"}],"usage":${JSON.stringify(usage)}}`
  response.setHeader('content-type', 'application/json').end(body)
}

/** The same image in another file. */
function withComment(png: Buffer, comment: string): Buffer {
  const chunk = Buffer.concat([Buffer.from('tEXtComment\0'), Buffer.from(comment)])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(chunk.length - 4)
  const sum = Buffer.alloc(4)
  sum.writeUInt32BE(crc32(chunk))
  return Buffer.concat([png.subarray(0, HEAD_BYTES), length, chunk, sum, png.subarray(HEAD_BYTES)])
}
