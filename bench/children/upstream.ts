// An upstream with the API of OpenAI that responds with one large image, at full speed.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { serve } from '../child.ts'

let base64 = Buffer.alloc(0)

const http = createServer((request, response) => {
  request.resume()
  request.on('end', () => void send(response))
})

const verbs = {
  async start(megabytes: number): Promise<string> {
    base64 = Buffer.from(randomBytes((megabytes * 1e6 * 3) / 4).toString('base64'))
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
    const address = http.address()
    return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/v1`
  },
}

export type UpstreamVerbs = typeof verbs

serve(verbs)

async function send(response: ServerResponse): Promise<void> {
  response.setHeader('content-type', 'application/json')
  const usage = { input_tokens: 10, output_tokens: 6208, total_tokens: 6218 }
  const parts = ['{"created":1,"data":[{"b64_json":"', base64, `"}],"usage":${JSON.stringify(usage)}}`]
  for (const part of parts) if (!response.write(part)) await once(response, 'drain')
  response.end()
}
