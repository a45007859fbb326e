// Sends requests of the Images API, and reads each response to its end without parsing it.
import { Pool } from 'undici'
import { clock, serve } from '../child.ts'

export interface RestLoad {
  origin: string
  headers: Record<string, string>
  /** Name of the upstream's image. */
  image: string
  inFlight: number
  requests: number
  /** Of a complete response. */
  minBytes: number
}

let number = 0

const verbs = {
  async run({ origin, headers, image, inFlight, requests, minBytes }: RestLoad) {
    const pool = new Pool(origin, { connections: inFlight, pipelining: 1 })
    const times: number[] = []
    let left = requests
    async function client(): Promise<void> {
      while (left-- > 0) {
        const prompt = `image ${image} ${++number}`
        const startedAt = clock()
        const { statusCode, body } = await pool.request({
          method: 'POST',
          path: '/v1/images/generations',
          headers: { 'content-type': 'application/json', authorization: 'Bearer bench', ...headers },
          body: JSON.stringify({ model: 'gpt-image-2', prompt, size: '1024x1024', quality: 'low' }),
        })
        let bytes = 0
        for await (const chunk of body) bytes += Buffer.byteLength(chunk)
        if (statusCode !== 200 || bytes < minBytes) throw new Error(`${statusCode}, ${bytes} bytes`)
        times.push(clock() - startedAt)
      }
    }
    const startedAt = clock()
    await Promise.all(Array.from({ length: inFlight }, client))
    const elapsedMs = clock() - startedAt
    await pool.close()
    return { times, elapsedMs }
  },
}

export type RestClientVerbs = typeof verbs

serve(verbs)
