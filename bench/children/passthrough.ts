// The least that a gateway does: each request is sent on with undici, and its response is piped back.
import { createServer } from 'node:http'
import { Pool } from 'undici'
import { cpuMicros, serve } from '../child.ts'

let upstream: Pool | undefined

const http = createServer((request, response) => {
  upstream!
    .stream(
      { method: 'POST', path: request.url!, headers: { 'content-type': 'application/json' }, body: request },
      ({ statusCode }) => response.writeHead(statusCode, { 'content-type': 'application/json' }),
    )
    .catch(() => response.destroy())
})

const verbs = {
  async start(baseUrl: string): Promise<string> {
    upstream = new Pool(new URL(baseUrl).origin, { connections: 64, pipelining: 1 })
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
    const address = http.address()
    return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  },
  cpuMicros,
}

export type PassthroughVerbs = typeof verbs

serve(verbs)
