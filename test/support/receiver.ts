// A receiver of webhooks on the loopback address: keeps what came, and answers as the test says.
import { createServer, type ServerResponse } from 'node:http'
import { expect } from 'vitest'
import { requestRule, type AddressRule } from '../../src/providers/wire/address.ts'
import { listen } from '../providers/upstreams/listen.ts'

/** Lets webhooks go to a server of the test's own. */
export const ANY_ADDRESS: AddressRule = { ...requestRule(['http:']), ports: null, isPublic: () => true }

export interface Came {
  path: string
  headers: Record<string, string>
  body: string
  at: number
}

export interface Receiver {
  url: string
  /** Everything that came, in order. */
  came: Came[]
  /** Waits until so many have come to a path, and answers them. */
  received(count: number, path?: string): Promise<Came[]>
  [Symbol.asyncDispose](): Promise<void>
}

/** Answers one request; `nth` counts those of the same path from 1. Not to answer is to hang. */
export type Answering = (reply: ServerResponse, nth: number, came: Came) => void

/** The receiver that is always glad. */
export const ok: Answering = (reply) => void reply.writeHead(204).end()

/** Answers with these statuses one after the other, and with the last one from then on. */
export function statuses(...all: number[]): Answering {
  return (reply, nth) => void reply.writeHead(all[nth - 1] ?? all.at(-1) ?? 204).end()
}

export async function openReceiver(answer: Answering = ok): Promise<Receiver> {
  const came: Came[] = []
  const server = createServer((request, reply) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const headers = Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
      )
      const one = {
        path: request.url ?? '',
        headers,
        body: Buffer.concat(chunks).toString(),
        at: Date.now(),
      }
      came.push(one)
      answer(reply, came.filter(({ path }) => path === one.path).length, one)
    })
  })
  server.on('connection', (socket) => socket.on('error', () => undefined))
  const url = await listen(server)
  const at = (path?: string) => came.filter((one) => path === undefined || one.path === path)
  return {
    url,
    came,
    async received(count, path) {
      await expect
        .poll(() => at(path).length, { interval: 10, timeout: 10_000 })
        .toBeGreaterThanOrEqual(count)
      return at(path)
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
