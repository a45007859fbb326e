import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import sharp from 'sharp'
import { onTestFinished } from 'vitest'

/** An upstream that paints at once and tells nothing of tokens, as a configuration names it. Closed when the test ends. */
export async function openShop(price: Record<string, number>): Promise<Record<string, unknown>> {
  const picture = await sharp({ create: { width: 16, height: 16, channels: 3, background: '#3a6ea5' } })
    .png()
    .toBuffer()
  const answer = JSON.stringify({ created: 1, data: [{ b64_json: picture.toString('base64') }] })
  const server = createServer((asked, reply) => {
    asked.resume().once('end', () => reply.writeHead(200, { 'content-type': 'application/json' }).end(answer))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => new Promise((resolve) => server.close(() => resolve())))
  const { port } = server.address() as AddressInfo
  return {
    name: 'shop',
    dialect: 'basic',
    baseUrl: `http://127.0.0.1:${port}/v1`,
    apiKey: 'key-of-a-test',
    concurrency: 8,
    models: [{ name: 'gpt-image-2', price }],
  }
}
