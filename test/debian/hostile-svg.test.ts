// Chromium opens hostile SVGs by address and as images: nothing runs, nothing is fetched.
import { createServer } from 'node:http'
import { chromium, type Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { svgOf } from '../assets/hostile-svg.ts'
import { listen } from '../providers/upstreams/listen.ts'
import { openGateway, type TestGateway } from '../support/gateway.ts'

let browser: Browser
let gateway: TestGateway
let trap = ''
let svg: Buffer = Buffer.alloc(0)
/** Paths that were fetched from the trap. */
const caught: string[] = []

const trapServer = createServer((incoming, response) => {
  caught.push(incoming.url ?? '')
  response.writeHead(200, { 'access-control-allow-origin': '*' }).end()
})
const upstream = createServer((incoming, response) => {
  incoming.resume().on('end', () => {
    const body = { data: [{ b64_json: svg.toString('base64') }] }
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
})
beforeAll(async () => {
  trap = await listen(trapServer)
  const models = ['gpt-image-2.6-flare']
  const entry = {
    name: 'upstream',
    dialect: 'openai',
    baseUrl: await listen(upstream),
    apiKey: 'sk-key',
    models,
  }
  gateway = await openGateway({ providers: [entry] })
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
}, 60_000)
afterAll(async () => {
  await browser?.close()
  await gateway?.[Symbol.asyncDispose]()
  upstream.close()
  trapServer.close()
})

const CONTENTS: Record<string, (trap: string) => string> = {
  'a script': (url) =>
    `<script>fetch("${url}/script"); document.title = "ran"</script><rect width="64" height="32" fill="#f00"/>`,
  'an event handler': (url) =>
    `<rect width="64" height="32" fill="#f00" onload="fetch('${url}/handler')"/><animate onbegin="fetch('${url}/begin')" attributeName="x" dur="1s"/>`,
  'a foreign object': (url) =>
    `<rect width="64" height="32" fill="#f00"/><foreignObject width="9" height="9"><img xmlns="http://www.w3.org/1999/xhtml" src="${url}/foreign" onerror="fetch('${url}/error')"/></foreignObject>`,
  'an external image and style': (url) =>
    `<style>@import "${url}/style"; rect { fill: url(${url}/fill#a) }</style><image href="${url}/image" width="9" height="9"/><use href="${url}/use#a"/><rect width="64" height="32"/>`,
}

async function imageUrlOf(content: string): Promise<string> {
  svg = svgOf(content)
  const id = await gateway.generate({
    prompt: content.slice(0, 20),
    model: 'gpt-image-2.6-flare',
    outputFormat: 'SVG',
  })
  expect(await gateway.ended(id)).toMatchObject({ status: 'SUCCEEDED' })
  const { task } = await gateway.get<{ task: { images: { url: string }[] } }>(
    'query ($id: ID!) { task(id: $id) { images { url } } }',
    { id },
  )
  return task.images[0]!.url
}

/** Time in which a script or fetch would have started. */
const SETTLE_MS = 300

describe.each(Object.entries(CONTENTS))('%s', (_, contentOf) => {
  it('is downloaded when it is opened by its address', async () => {
    const url = await imageUrlOf(contentOf(trap))
    const page = await browser.newPage()
    const downloaded = page.waitForEvent('download')
    await page.goto(url).catch(() => undefined)
    expect((await downloaded).suggestedFilename()).toMatch(/\.svg$/)
    for (const tag of [
      `<iframe src="${url}"></iframe>`,
      `<object data="${url}"></object>`,
      `<embed src="${url}">`,
    ]) {
      await page.setContent(tag)
      await page.waitForTimeout(SETTLE_MS)
    }
    expect(caught).toEqual([])
    await page.close()
  })

  it('is shown as an image, in which nothing runs', async () => {
    const url = await imageUrlOf(contentOf(trap))
    const page = await browser.newPage()
    await page.setContent(`<img src="${url}" width="64" height="32">`)
    await page.evaluate('document.images[0].decode()')
    const width = await page.evaluate('document.images[0].naturalWidth')
    expect(width).toBeGreaterThan(0)
    await page.waitForTimeout(SETTLE_MS)
    expect([caught, await page.title()]).toEqual([[], ''])
    await page.close()
  })
})

it('the same content runs and fetches where nothing prevents it', async () => {
  const page = await browser.newPage()
  await page.setContent(svgOf(CONTENTS['a script']!(trap)).toString())
  await page.waitForTimeout(SETTLE_MS)
  expect(caught).toEqual(['/script'])
  await page.close()
})
