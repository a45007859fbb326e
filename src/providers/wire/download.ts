import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { Agent, request, type Dispatcher } from 'undici'
import { AddressError, checkUrl, guardedConnector, toAddressFailure } from './address.ts'
import type { AddressRule, Resolve } from './address.ts'
import { decodeBody } from './decode.ts'
import { MAX_HEADER_BYTES } from './http.ts'

export interface Downloader {
  /** Returns the bytes of the new `file`. Sends no credentials. Throws DownloadError, without a file. */
  download(url: string, file: string, signal: AbortSignal): Promise<number>
  close(): Promise<void>
}

export type DownloadFailure = 'FORBIDDEN' | 'UNREACHABLE' | 'TOO_LARGE' | 'TIMED_OUT'

export class DownloadError extends AddressError<DownloadFailure> {
  override name = 'DownloadError'
}

export interface DownloaderOptions {
  rule: AddressRule
  maxBytes?: number
  resolve?: Resolve
}

/** The rule applies to every connection, redirects too. */
export function createDownloader({ rule, maxBytes = 25_000_000, resolve }: DownloaderOptions): Downloader {
  const agent = new Agent({
    connect: guardedConnector(rule, resolve),
    pipelining: 0,
    headersTimeout: 60_000,
    bodyTimeout: 60_000,
    maxHeaderSize: MAX_HEADER_BYTES,
  })

  async function open(url: string, signal: AbortSignal, hop = 0): Promise<Dispatcher.ResponseData> {
    if (hop > MAX_REDIRECTS)
      throw new DownloadError('UNREACHABLE', `redirects more than ${MAX_REDIRECTS} times`)
    const problem = checkUrl(url, rule)
    if (problem)
      throw new DownloadError('FORBIDDEN', hop === 0 ? problem : `leads to another that ${problem}`)
    const reply = await request(url, { dispatcher: agent, headers: HEADERS, signal })
    const { location } = reply.headers
    if (!REDIRECTS.has(reply.statusCode) || typeof location !== 'string') return reply
    discard(reply)
    return open(URL.parse(location, url)?.href ?? location, signal, hop + 1)
  }

  async function save(reply: Dispatcher.ResponseData, file: string, signal: AbortSignal): Promise<number> {
    let byteSize = 0
    await pipeline(
      // The byte limit is enough for a file.
      decodeBody(reply, Infinity),
      async function* count(chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          byteSize += chunk.length
          if (byteSize > maxBytes) throw tooLarge(maxBytes)
          yield chunk
        }
      },
      createWriteStream(file, { flags: 'wx' }),
      { signal },
    )
    return byteSize
  }

  return {
    async download(url, file, signal) {
      try {
        const reply = await open(url, signal)
        const problem = problemWith(reply, maxBytes)
        if (!problem) return await save(reply, file, signal)
        discard(reply)
        throw problem
      } catch (error) {
        await rm(file, { force: true })
        if (error instanceof DownloadError) throw error
        throw new DownloadError(...toAddressFailure(error, signal, 'did not deliver in time'))
      }
    },
    close: () => agent.destroy(),
  }
}

const MAX_REDIRECTS = 3
const REDIRECTS = new Set([301, 302, 303, 307, 308])

const HEADERS = {
  accept: 'image/png, image/webp, image/jpeg',
  'accept-encoding': 'identity',
  'user-agent': 'darkroom',
}

function problemWith(reply: Dispatcher.ResponseData, maxBytes: number): DownloadError | undefined {
  if (reply.statusCode !== 200)
    return new DownloadError('UNREACHABLE', `answered with status ${reply.statusCode}`)
  return Number(reply.headers['content-length'] ?? 0) > maxBytes ? tooLarge(maxBytes) : undefined
}

function tooLarge(maxBytes: number): DownloadError {
  return new DownloadError('TOO_LARGE', `holds more than the ${maxBytes} bytes allowed`)
}

function discard(reply: Dispatcher.ResponseData): void {
  reply.body.on('error', () => undefined).destroy()
}
