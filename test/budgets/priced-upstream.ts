import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import sharp from 'sharp'
import { onTestFinished } from 'vitest'

/** Starts an upstream that returns an image without delay and without usage, closed when the test ends. Returns its provider entry. */
export async function openPricedUpstream(price: Record<string, number>): Promise<Record<string, unknown>> {
  const image = await sharp({ create: { width: 16, height: 16, channels: 3, background: '#3a6ea5' } })
    .png()
    .toBuffer()
  const body = JSON.stringify({ created: 1, data: [{ b64_json: image.toString('base64') }] })
  const server = createServer((request, response) => {
    request
      .resume()
      .once('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => new Promise((resolve) => server.close(() => resolve())))
  const { port } = server.address() as AddressInfo
  return {
    name: 'priced',
    dialect: 'basic',
    baseUrl: `http://127.0.0.1:${port}/v1`,
    apiKey: 'key-of-a-test',
    concurrency: 8,
    models: [{ name: 'gpt-image-2', price }],
  }
}
