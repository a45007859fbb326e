// An upstream in OpenAI's words that takes its time: every answer comes after a while of its own and brings a real
// picture that no other answer brings.
import { randomBytes } from 'node:crypto'
import { createServer, type ServerResponse } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { crc32 } from 'node:zlib'
import sharp from 'sharp'
import { answer } from '../child.ts'

interface Pace {
  /** An answer takes between these, each as likely as another. */
  fromMs: number
  toMs: number
  /** About how large each picture is. */
  megabytes: number
}

/** How many different pictures there are; what tells two answers with the same one apart is a comment in the file. */
const PICTURES = 8
/** A PNG's signature and its first chunk, behind which others may stand. */
const HEAD_BYTES = 33

const pictures: Buffer[] = []
let pace: Pace = { fromMs: 0, toMs: 0, megabytes: 0 }
let calls = 0

const http = createServer((request, response) => {
  request.resume()
  request.on('end', () => void send(response))
})

const verbs = {
  async start(wanted: Pace): Promise<string> {
    pace = wanted
    // Noise hardly shrinks, so the size of the file is that of the pixels.
    const edge = Math.round(Math.sqrt((pace.megabytes * 1e6) / 3))
    for (let i = 0; i < PICTURES; i++) {
      const raw = { width: edge, height: edge, channels: 3 } as const
      pictures.push(
        await sharp(randomBytes(edge * edge * 3), { raw })
          .png({ compressionLevel: 1 })
          .toBuffer(),
      )
    }
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
    const address = http.address()
    return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/v1`
  },

  /** How many orders it was sent. */
  calls: () => calls,
}

export type StudioVerbs = typeof verbs

answer(verbs)

async function send(response: ServerResponse): Promise<void> {
  const number = calls++
  await pause(pace.fromMs + Math.random() * (pace.toMs - pace.fromMs))
  const base64 = withComment(pictures[number % PICTURES] ?? Buffer.alloc(0), `answer ${number}`).toString(
    'base64',
  )
  const usage = { input_tokens: 10, output_tokens: 6208, total_tokens: 6218 }
  const body = `{"created":1,"data":[{"b64_json":"${base64}"}],"usage":${JSON.stringify(usage)}}`
  response.setHeader('content-type', 'application/json').end(body)
}

/** The same picture in another file. */
function withComment(png: Buffer, comment: string): Buffer {
  const chunk = Buffer.concat([Buffer.from('tEXtComment\0'), Buffer.from(comment)])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(chunk.length - 4)
  const sum = Buffer.alloc(4)
  sum.writeUInt32BE(crc32(chunk))
  return Buffer.concat([png.subarray(0, HEAD_BYTES), length, chunk, sum, png.subarray(HEAD_BYTES)])
}
