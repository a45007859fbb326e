// Hostile SVGs from an upstream: the paid file is kept, charged as reported, and harmless.
import { createServer } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HOSTILE_SVGS, svgOf } from '../assets/hostile-svg.ts'
import { listen } from '../providers/upstreams/listen.ts'
import { openGateway, type TestGateway } from '../support/gateway.ts'

const SVGS: Record<string, Buffer> = {
  ...HOSTILE_SVGS,
  'a script': svgOf(
    '<script>fetch("https://example.com")</script><rect width="9" height="9" onload="alert(1)"/>',
  ),
  'a foreign object': svgOf(
    '<foreignObject width="9" height="9"><iframe xmlns="http://www.w3.org/1999/xhtml" src="https://example.com"/></foreignObject>',
  ),
}
const USAGE = {
  total_tokens: 110,
  input_tokens: 10,
  output_tokens: 100,
  input_tokens_details: { text_tokens: 10, image_tokens: 0 },
}

let gateway: TestGateway
let reply: Buffer
const server = createServer((incoming, response) => {
  incoming.resume().on('end', () => {
    const body = {
      data: [{ b64_json: reply.toString('base64') }],
      output_format: 'svg',
      usage: USAGE,
      svg_usage: {
        model: 'author-1-2026',
        input_tokens: 40,
        output_tokens: 50,
        reasoning_tokens: 5,
        total_tokens: 90,
      },
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
})
beforeAll(async () => {
  const model = {
    name: 'gpt-image-2.6-flare',
    price: { inputTextMicros: 1_000_000, outputImageMicros: 1_000_000 },
  }
  const entry = {
    name: 'upstream',
    dialect: 'openai',
    baseUrl: await listen(server),
    apiKey: 'sk-test-key',
    models: [model],
    svgPrices: { 'author-1': { inputMicros: 1_000_000, outputMicros: 2_000_000 } },
  }
  gateway = await openGateway({ providers: [entry] })
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  server.close()
})

interface Seen {
  task: {
    costMicros: number
    images: { url: string; png: string; byteSize: number; sha256: string; width: number }[]
  }
}

describe.each(Object.entries(SVGS))('%s', (what, svg) => {
  it('is kept and charged as reported, and no request takes long or much memory', async () => {
    reply = svg
    const id = await gateway.generate({
      prompt: what,
      model: 'gpt-image-2.6-flare',
      outputFormat: 'SVG',
      svg: { model: 'author-1' },
    })
    expect(await gateway.ended(id)).toMatchObject({ status: 'SUCCEEDED' })
    const { task } = await gateway.get<Seen>(
      'query ($id: ID!) { task(id: $id) { costMicros images { url png: url(format: PNG, width: 256) byteSize sha256 width } } }',
      { id },
    )
    // The images, the author's input and its output.
    expect(task.costMicros).toBe(110 + 40 + 2 * 50)
    const [image] = task.images
    expect(image).toMatchObject({ byteSize: svg.length, width: expect.any(Number) as number })

    const original = await fetch(image!.url)
    expect(Buffer.from(await original.arrayBuffer()).equals(svg)).toBe(true)
    expect(original.headers.get('content-security-policy')).toBe("sandbox; default-src 'none'")
    expect(original.headers.get('content-disposition')).toMatch(/^attachment/)

    const before = process.memoryUsage().rss
    const startedAt = performance.now()
    const rendition = await fetch(image!.png)
    await rendition.arrayBuffer()
    // Nothing of a script is run, so that it may be rendered.
    expect(rendition.status).toBe(what === 'a script' ? 200 : 400)
    expect(performance.now() - startedAt).toBeLessThan(1000)
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024)
  })
})
