// A webhook receiver on the loopback address. It records the requests and responds as the test decides.
import { createServer, type ServerResponse } from 'node:http'
import { expect } from 'vitest'
import { requestRule, type AddressRule } from '../../src/providers/wire/address.ts'
import { listen } from '../providers/upstreams/listen.ts'

/** Allows webhooks to the test's own servers. */
export const ANY_ADDRESS: AddressRule = { ...requestRule(['http:']), ports: null, isPublic: () => true }

export interface WebhookRequest {
  path: string
  headers: Record<string, string>
  body: string
}

export interface Receiver {
  url: string
  /** All requests so far, oldest first. */
  requests: WebhookRequest[]
  /** Waits for `count` requests, to `path` if given, and returns them. */
  received(count: number, path?: string): Promise<WebhookRequest[]>
  [Symbol.asyncDispose](): Promise<void>
}

/** Responds to one request, or lets it hang. `nth` counts requests to the same path from 1. */
export type Responder = (response: ServerResponse, nth: number, request: WebhookRequest) => void

export const ok: Responder = (response) => void response.writeHead(204).end()

/** Responds with these statuses in turn, and then always with the last one. */
export function statuses(...all: number[]): Responder {
  return (response, nth) => void response.writeHead(all[nth - 1] ?? all.at(-1) ?? 204).end()
}

export async function openReceiver(respond: Responder = ok): Promise<Receiver> {
  const requests: WebhookRequest[] = []
  const to = (path?: string) => requests.filter((one) => path === undefined || one.path === path)
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const headers = Object.fromEntries(
        Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]),
      )
      const request = { path: incoming.url ?? '', headers, body: Buffer.concat(chunks).toString() }
      requests.push(request)
      respond(response, to(request.path).length, request)
    })
  })
  server.on('connection', (socket) => socket.on('error', () => undefined))
  const url = await listen(server)
  return {
    url,
    requests,
    async received(count, path) {
      await expect.poll(() => to(path).length, { interval: 10 }).toBeGreaterThanOrEqual(count)
      return to(path)
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
