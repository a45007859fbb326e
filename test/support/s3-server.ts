// A store with the S3 API on loopback, in memory, with faults on demand. It knows one key and checks no signature.
import { randomUUID } from 'node:crypto'
import { buildApp } from 'fauxqs'
import { addressOf } from '../hosts/namespaces.ts'

export const S3_CREDENTIALS = { AWS_ACCESS_KEY_ID: 'test-key', AWS_SECRET_ACCESS_KEY: 'test-secret' }

export interface S3Request {
  method: string
  /** The key, or the path of the bucket. */
  path: string
  query: string
  headers: Readonly<Record<string, string | string[] | undefined>>
}

/** A refusal in the shape of S3; `hang` never answers. */
export type S3Fault =
  | { status: number; code: string; headers?: Record<string, string>; extra?: string }
  | 'hang'

export interface S3Server {
  endpoint: string
  /** `s3://…` of a bucket of its own, with `prefix`. */
  newUrl(prefix?: string, parameters?: string): string
  /** Answers requests for which `rule` returns a fault. */
  fail(rule?: (request: S3Request) => S3Fault | undefined): void
  requests: S3Request[]
  /** Keys in the bucket of `url`. */
  keys(url: string): Promise<string[]>
  close(): Promise<void>
}

const MAX_OBJECT_BYTES = 64 * 1024 * 1024

export async function startS3Server(): Promise<S3Server> {
  // A folded message of Fastify's logger would hide the output of tests.
  const app = buildApp({ logger: false })
  // Images are larger than its limit, which is not an option.
  app.addHook('onRequest', async (request) => {
    const context = Object.getOwnPropertySymbols(request).find(
      ({ description }) => description === 'fastify.context',
    )
    const { _parserOptions } = Reflect.get(request, context ?? '') as { _parserOptions: { limit: number } }
    _parserOptions.limit = MAX_OBJECT_BYTES
  })
  const requests: S3Request[] = []
  let rule: Parameters<S3Server['fail']>[0]
  app.addHook('onRequest', async (request, reply) => {
    const { pathname, search } = new URL(request.url, 'http://store')
    const seen = { method: request.method, path: pathname, query: search, headers: request.headers }
    requests.push(seen)
    const isSigned =
      request.headers.authorization?.includes('Credential=test-key/') || search.includes('X-Amz-Signature=')
    const fault = rule?.(seen) ?? (isSigned ? undefined : { status: 403, code: 'InvalidAccessKeyId' })
    if (fault === 'hang') {
      reply.hijack()
      return
    }
    if (fault)
      await reply
        .code(fault.status)
        .headers({ 'content-type': 'application/xml', ...fault.headers })
        .send(
          request.method === 'HEAD'
            ? ''
            : `<?xml version="1.0"?><Error><Code>${fault.code}</Code><Message>no</Message>${fault.extra ?? ''}</Error>`,
        )
  })
  const endpoint = await app.listen({ port: 0, host: addressOf('store') ?? '127.0.0.1' })
  const authorization = 'AWS4-HMAC-SHA256 Credential=test-key/0/us-east-1/s3/aws4_request'
  const buckets: Promise<unknown>[] = []
  return {
    endpoint,
    requests,
    newUrl(prefix = '', parameters = '') {
      const bucket = `b-${randomUUID()}`
      buckets.push(fetch(`${endpoint}/${bucket}`, { method: 'PUT', headers: { authorization }, body: ' ' }))
      return `s3://${bucket}/${prefix}?endpoint=${encodeURIComponent(endpoint)}${parameters}`
    },
    fail: (next) => {
      rule = next
    },
    async keys(url) {
      const response = await fetch(`${endpoint}/${new URL(url).hostname}?list-type=2`, {
        headers: { authorization },
      })
      return [...(await response.text()).matchAll(/<Key>([^<]+)<\/Key>/g)].map(([, key = '']) => key)
    },
    async close() {
      await Promise.all(buckets)
      app.server.closeAllConnections()
      await app.close()
    },
  }
}
