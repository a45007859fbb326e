import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { Agent, request, type Dispatcher } from 'undici'
import { checkUrl, ForbiddenAddress, guardedConnector, type AddressRule, type Resolve } from './address.ts'

/** Fetches pictures from addresses that somebody else chose. */
export interface Downloader {
  /**
   * Writes what is at `url` to `file`, where nothing may be yet, and gives its length in bytes. Whether it is an image is
   * for others to check. Sends no credentials. Throws DownloadError, and leaves no file then.
   */
  download(url: string, file: string, signal: AbortSignal): Promise<number>
  /** Ends what is still open, at once. */
  close(): Promise<void>
}

export type DownloadFailure = 'FORBIDDEN' | 'UNREACHABLE' | 'TOO_LARGE' | 'TIMED_OUT'

/** The message completes "the address …", names no host and is safe to show. */
export class DownloadError extends Error {
  override name = 'DownloadError'
  readonly failure: DownloadFailure

  constructor(failure: DownloadFailure, message: string, options?: ErrorOptions) {
    super(message, options)
    this.failure = failure
  }
}

export interface DownloaderOptions {
  rule: AddressRule
  /** 25 MB by default. */
  maxBytes?: number
  /** How names become addresses; the system's way by default. */
  resolve?: Resolve
}

/** A downloader whose every connection keeps the rule. Nothing is kept between downloads. */
export function createDownloader({ rule, maxBytes = 25_000_000, resolve }: DownloaderOptions): Downloader {
  const agent = new Agent({
    connect: guardedConnector(rule, resolve),
    pipelining: 0,
    // The caller's signal ends a slow download; these end one whose caller forgot to bring a deadline.
    headersTimeout: 60_000,
    bodyTimeout: 60_000,
  })

  async function open(url: string, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    let address = url
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const problem = checkUrl(address, rule)
      if (problem) {
        throw new DownloadError('FORBIDDEN', hop === 0 ? problem : `leads to another that ${problem}`)
      }
      const reply = await request(address, { dispatcher: agent, headers: HEADERS, signal })
      const target = redirectTarget(reply, address)
      if (target === undefined) return reply
      discard(reply)
      address = target
    }
    throw new DownloadError('UNREACHABLE', `redirects more than ${MAX_REDIRECTS} times`)
  }

  async function save(reply: Dispatcher.ResponseData, file: string, signal: AbortSignal): Promise<number> {
    let byteSize = 0
    await pipeline(
      reply.body,
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
        throw toDownloadError(error, signal)
      }
    },
    close: () => agent.destroy(),
  }
}

const MAX_REDIRECTS = 3
const REDIRECTS = new Set([301, 302, 303, 307, 308])

// Asking for no compression, and taking none, leaves no way to send a small body that unpacks into a huge one.
const HEADERS = {
  accept: 'image/png, image/webp, image/jpeg',
  'accept-encoding': 'identity',
  'user-agent': 'darkroom',
}

function redirectTarget(reply: Dispatcher.ResponseData, from: string): string | undefined {
  const { location } = reply.headers
  if (!REDIRECTS.has(reply.statusCode) || typeof location !== 'string') return undefined
  return URL.parse(location, from)?.href ?? location
}

function problemWith(reply: Dispatcher.ResponseData, maxBytes: number): DownloadError | undefined {
  if (reply.statusCode !== 200)
    return new DownloadError('UNREACHABLE', `answered with status ${reply.statusCode}`)
  const encoding = reply.headers['content-encoding'] ?? 'identity'
  if (encoding !== 'identity') return new DownloadError('UNREACHABLE', 'answered with a compressed body')
  if (Number(reply.headers['content-length'] ?? 0) > maxBytes) return tooLarge(maxBytes)
  return undefined
}

function tooLarge(maxBytes: number): DownloadError {
  return new DownloadError('TOO_LARGE', `holds more than the ${maxBytes} bytes allowed`)
}

function discard(reply: Dispatcher.ResponseData): void {
  reply.body.on('error', () => undefined).destroy()
}

function toDownloadError(error: unknown, signal: AbortSignal): DownloadError {
  if (error instanceof DownloadError) return error
  if (error instanceof ForbiddenAddress)
    return new DownloadError('FORBIDDEN', error.message, { cause: error })
  if (signal.aborted) return new DownloadError('TIMED_OUT', 'did not deliver in time', { cause: error })
  return new DownloadError('UNREACHABLE', 'could not be reached', { cause: error })
}
