// Downloads that fail several times, each in another way, before the image is delivered.
import type { ServerResponse } from 'node:http'
import { send } from '../providers/upstreams/fake.ts'
import { page, reset, status, type Answer } from '../support/link-server.ts'
import { createDeck } from './faults.ts'
import type { ProxyOptions } from './faulty-proxy.ts'

/** The wait doubles with each failure. */
const MAX_FAILURES = 3
const FAILURE_SHARE = 0.4
const HANG_MS = 3000

type LinkFault = (response: ServerResponse, image: Buffer) => void

const plain =
  (answer: Answer): LinkFault =>
  (response) =>
    answer(response)

const FAULTS: Record<string, LinkFault> = {
  'download: status 404': plain(status(404)),
  'download: status 503': plain(status(503)),
  'download: reset': plain(reset),
  'download: a page instead': plain(page),
  'download: hangs, then reset': (response) =>
    void setTimeout(() => response.socket?.resetAndDestroy(), HANG_MS).unref(),
  'download: cut within the image': (response, image) => {
    response.writeHead(200, { ...PNG, 'content-length': image.length })
    response.write(image.subarray(0, image.length / 2), () => response.destroy())
  },
  'download: cut behind the last byte': (response, image) =>
    send(response, { status: 200, headers: PNG, body: image, ending: 'closed early' }),
  'download: last chunk missing': (response, image) =>
    send(response, { status: 200, headers: PNG, body: image, ending: 'last chunk missing' }),
}

const PNG = { 'content-type': 'image/png' }

export interface LinkFaults {
  serve(path: string, response: ServerResponse): Promise<void>
  /** The path of a new link to the image. */
  host(image: Buffer): string
}

/** `load` returns the image at a path of the upstream. */
export function createLinkFaults(
  { random, tally }: ProxyOptions,
  load: (path: string) => Promise<Buffer>,
): LinkFaults {
  const hosted = new Map<string, Buffer>()
  const failuresLeft = new Map<string, number>()
  const deal = createDeck(random, tally, FAULTS, 0)
  const newFailures = () => (random.next() < FAILURE_SHARE ? Math.ceil(random.next() * MAX_FAILURES) : 0)
  return {
    async serve(path, response) {
      const image = hosted.get(path) ?? (await load(path))
      const left = failuresLeft.get(path) ?? newFailures()
      failuresLeft.set(path, left - 1)
      const card = left > 0 ? deal() : null
      if (card) tally.add(card.kind)
      if (card) card.fault(response, image)
      else response.writeHead(200, PNG).end(image)
    },
    host(image) {
      const path = `/hosted/${hosted.size}.png`
      hosted.set(path, image)
      return path
    },
  }
}
