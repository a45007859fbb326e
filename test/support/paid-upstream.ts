// An upstream that charges for each request, and records the charges.
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import sharp from 'sharp'
import { request } from 'undici'
import { ProviderError } from '../../src/providers/error.ts'
import { UNKNOWN_USAGE, type Call, type Provider } from '../../src/providers/provider.ts'
import { sandbox } from '../../src/providers/sandbox/sandbox.ts'

export interface PaidUpstream {
  url: string
  /** The client reference of every charged request, in order. */
  charges: string[]
  close(): Promise<void>
}

export async function startPaidUpstream(): Promise<PaidUpstream> {
  const charges: string[] = []
  const png = await sharp({ create: { width: 32, height: 32, channels: 3, background: '#3a6ea5' } })
    .png()
    .toBuffer()
  const server = createServer((incoming, reply) => {
    charges.push(String(incoming.headers['x-client-ref']))
    reply.writeHead(200, { 'content-type': 'image/png' }).end(png)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    charges,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** The provider of this upstream. `boundary` is called at each moment at which a process may die. */
export function paidProvider(url: string, boundary: (name: string) => void = () => {}): Provider {
  return {
    name: 'paid',
    dialect: 'scripted',
    traits: { modes: ['SYNC'], recovery: 'NONE', failureCharge: 'UNKNOWN' },
    offers: sandbox.create('sandbox', sandbox.options.parse({})).offers,
    concurrency: 4,
    timeoutMs: 10_000,

    async submit(_, call) {
      boundary('before the request')
      const bytes = await fetchImage(url, call)
      boundary('after the charge')
      const [partial, final] = [call.newFile(), call.newFile()]
      await writeFile(partial, bytes)
      await call.onPartial(partial, 0)
      await writeFile(final, bytes)
      boundary('before the result')
      return {
        state: 'DONE',
        images: [{ file: final, revisedPrompt: null }],
        usage: UNKNOWN_USAGE,
        resolved: {},
      }
    },

    async close() {},
  }
}

async function fetchImage(url: string, call: Call): Promise<Buffer> {
  const { clientRef, signal } = call
  try {
    call.onWire('DISPATCHED')
    const reply = await request(url, { method: 'POST', headers: { 'x-client-ref': clientRef }, signal })
    return Buffer.from(await reply.body.arrayBuffer())
  } catch (cause) {
    throw new ProviderError({
      kind: 'lost',
      code: 'OUTCOME_UNKNOWN',
      message: 'The reply was lost.',
      charged: 'UNKNOWN',
      cause,
    })
  }
}
