// A trace collector: OTLP over HTTP.
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { expect } from 'vitest'
import { z } from 'zod'
import { listen } from '../providers/upstreams/listen.ts'

const VALUE = z.object({
  stringValue: z.string().optional(),
  intValue: z.union([z.number(), z.string()]).optional(),
  doubleValue: z.number().optional(),
  boolValue: z.boolean().optional(),
})
const ATTRIBUTES = z.array(z.object({ key: z.string(), value: VALUE })).default([])
const SPAN = z.object({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().optional(),
  name: z.string(),
  kind: z.number(),
  attributes: ATTRIBUTES,
  status: z.object({ code: z.number().optional(), message: z.string().optional() }).default({}),
})
const EXPORT = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes: ATTRIBUTES }),
      scopeSpans: z.array(z.object({ spans: z.array(SPAN) })),
    }),
  ),
})

/** OTLP values. */
export const KIND = { INTERNAL: 1, SERVER: 2, CLIENT: 3, PRODUCER: 4, CONSUMER: 5 }

export interface Recorded {
  service: unknown
  traceId: string
  spanId: string
  parentSpanId: string | undefined
  name: string
  kind: number
  failed: boolean
  attributes: Record<string, unknown>
}

export interface Collector {
  url: string
  spans: Recorded[]
  /** The raw requests. */
  bodies: string[]
  /** Waits for a span of this name. */
  span(name: string): Promise<Recorded>
  [Symbol.asyncDispose](): Promise<void>
}

export async function openCollector(): Promise<Collector> {
  const spans: Recorded[] = []
  const bodies: string[] = []
  function take(body: string): void {
    bodies.push(body)
    for (const { resource, scopeSpans } of EXPORT.parse(JSON.parse(body)).resourceSpans) {
      const service = flat(resource.attributes)['service.name']
      for (const span of scopeSpans.flatMap((scope) => scope.spans)) {
        const { status, attributes, traceId, spanId, parentSpanId, name, kind } = span
        const failed = status.code === 2
        spans.push({
          service,
          traceId,
          spanId,
          parentSpanId,
          name,
          kind,
          failed,
          attributes: flat(attributes),
        })
      }
    }
  }
  const server = createServer((request, reply) => {
    void text(request).then((body) => {
      take(body)
      reply.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  })
  const url = await listen(server)
  return {
    url,
    spans,
    bodies,
    async span(name) {
      await expect.poll(() => spans.map((span) => span.name)).toContain(name)
      return spans.find((span) => span.name === name)!
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function flat(attributes: z.infer<typeof ATTRIBUTES>): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))
}
