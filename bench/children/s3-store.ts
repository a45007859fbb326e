// A store with the part of the S3 API that images need, on this machine's disk. It checks no signature.
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { serve } from '../child.ts'

const folder = await mkdtemp(join(tmpdir(), 'darkroom-bench-store-'))
let bytes = 0

const http = createServer((request, response) => {
  answer(request, response).catch(() => response.destroy())
})

const verbs = {
  async start(): Promise<string> {
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
    const address = http.address()
    return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  },

  /** Stored since the start. */
  bytes: () => bytes,
}

export type S3StoreVerbs = typeof verbs

serve(verbs, () => rm(folder, { recursive: true, force: true }))

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'http://store')
  const file = join(folder, encodeURIComponent(pathname))
  if (request.method === 'PUT') {
    request.on('data', (chunk: Buffer) => (bytes += chunk.length))
    await pipeline(request, createWriteStream(file))
    response.writeHead(200, { etag: '"bench"' }).end()
    return
  }
  request.resume()
  if (request.method === 'DELETE') {
    await rm(file, { force: true })
    response.writeHead(204).end()
    return
  }
  const found = await stat(file).catch(() => undefined)
  if (!found) {
    const body = '<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>'
    response.writeHead(404, { 'content-type': 'application/xml' }).end(request.method === 'HEAD' ? '' : body)
    return
  }
  response.writeHead(200, { 'content-length': found.size, etag: '"bench"' })
  if (request.method === 'HEAD') response.end()
  else await pipeline(createReadStream(file), response)
}
