// A server that keeps results at addresses. Its downloads fail as the test decides.
import { createServer, type ServerResponse } from 'node:http'
import { replyRule } from '../../src/providers/wire/address.ts'
import { createDownloader } from '../../src/providers/wire/download.ts'
import type { ResultSource } from '../../src/providers/provider.ts'
import { listen } from '../providers/upstreams/listen.ts'
import { makeImage } from '../providers/upstreams/make-image.ts'

/** Handles one download. */
export type Answer = (reply: ServerResponse) => void

/** Responds to a request of an API; undefined is 404. */
export type Api = (request: { method: string; path: string }) => unknown

export interface LinkServer {
  origin: string
  /** A new address, with a signature, whose first downloads are handled by `answers`, in order; `always` handles the rest. */
  link(answers?: Answer[], always?: Answer): string
  /** From now on, all downloads deliver an image. */
  recover(): void
  /** The path of each download, in order. */
  gets: string[]
  /** As dialects have it. */
  source(ttlMs?: number): ResultSource
  [Symbol.asyncDispose](): Promise<void>
}

export const status =
  (code: number): Answer =>
  (reply) =>
    void reply.writeHead(code).end('not here')
export const reset: Answer = (reply) => void reply.socket?.resetAndDestroy()
/** As a content delivery network does that does not know the image yet. */
export const page: Answer = (reply) =>
  void reply.writeHead(200, { 'content-type': 'text/html' }).end('<html>soon</html>')
export const hang: Answer = () => {}

const HOUR_MS = 3_600_000
const RESULTS = '/results/'

/** `api` responds to all other requests, with JSON. */
export async function startLinkServer(api: Api = () => undefined): Promise<LinkServer> {
  const gets: string[] = []
  const links = new Map<string, { answers: Answer[]; always: Answer }>()
  const png = await makeImage({}, 1, '16x16')
  const deliver: Answer = (reply) => void reply.writeHead(200, { 'content-type': 'image/png' }).end(png)
  let isRecovered = false
  const server = createServer((request, reply) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    if (!pathname.startsWith(RESULTS)) {
      const body = api({ method: request.method ?? '', path: pathname })
      request.resume().on('end', () => {
        reply.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' })
        reply.end(JSON.stringify(body ?? {}))
      })
      return
    }
    gets.push(pathname)
    const link = links.get(pathname)
    const answer = isRecovered ? deliver : (link?.answers.shift() ?? link?.always ?? status(404))
    answer(reply)
  })
  server.on('connection', (socket) => socket.on('error', () => undefined))
  const origin = await listen(server)
  const downloader = createDownloader({ rule: replyRule(origin) })
  return {
    origin,
    gets,
    link(answers = [], always = deliver) {
      const path = `${RESULTS}${links.size}.png`
      links.set(path, { answers, always })
      return `${origin}${path}?signature=s3cret`
    },
    recover() {
      isRecovered = true
    },
    source: (ttlMs = HOUR_MS) => ({
      ttlMs,
      async download(url, file, signal) {
        await downloader.download(url, file, signal)
      },
    }),
    async [Symbol.asyncDispose]() {
      await downloader.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
