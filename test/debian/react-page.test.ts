// The hooks and the examples' page in a browser.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { chromium, type Browser, type Page } from 'playwright-core'
import { rolldown } from 'rolldown'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { readBlocks } from '../story/page.ts'
import { openGateway, type TestGateway } from '../support/gateway.ts'

let browser: Browser
let server: TestGateway
let html: string

beforeAll(async () => {
  server = await openGateway()
  const script = await bundlePage()
  html = `<!doctype html><title>Page</title><div id="root"></div><script type="module">${script}</script>`
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-features=LocalNetworkAccessChecks'],
  })
})
afterAll(async () => {
  await browser?.close()
  await server?.[Symbol.asyncDispose]()
})

interface OpenOptions {
  /** The only errors of the page and in its console. */
  error: RegExp
  prepare?: (page: Page) => Promise<unknown>
  /** By default that of the server, so that both transports reach it. */
  origin?: string
}

async function open(query: string, expected?: OpenOptions) {
  const origin = expected?.origin ?? server.url
  const page = await browser.newPage()
  onTestFinished(() => page.close())
  const problems: string[] = []
  page.on('pageerror', (error) => {
    if (!expected?.error.test(String(error))) problems.push(String(error))
  })
  page.on('console', (message) => {
    // React warns about its misuse. The server has no icon.
    const isIcon = message.location().url.endsWith('/favicon.ico')
    const isExpected = expected?.error.test(message.text()) ?? false
    if (message.type() === 'error' && !isIcon && !isExpected) problems.push(message.text())
  })
  onTestFinished(() => expect(problems).toEqual([]))
  await page.route(`${origin}/page*`, (route) => route.fulfill({ contentType: 'text/html', body: html }))
  await expected?.prepare?.(page)
  await page.goto(`${origin}/page${query}`)
  return page
}

const taskCount = async () =>
  (await server.get<{ tasks: { totalCount: number } }>('{ tasks { totalCount } }')).tasks.totalCount

describe('a React page in strict mode', () => {
  it.each(['sse', 'auto'])(
    'generates, shows three previews, and resumes after a reload (transport %s)',
    async (transport) => {
      const before = await taskCount()
      const page = await open(`?transport=${transport}`)
      let sockets = 0
      page.on('websocket', () => sockets++)
      await page.getByRole('button').dblclick()
      await page.waitForFunction(() => globalThis.shown.includes('RUNNING 1'), null, { polling: 20 })
      expect(await page.locator('img').getAttribute('data-state')).toBe('partial')
      expect(await page.locator('img').getAttribute('alt')).toBe('a ferry [sandbox:duration=8000]')

      await page.reload()
      // The state before the reload comes first, then the rest.
      await page.waitForFunction(() => globalThis.shown.some((one) => /RUNNING [123]/.test(one)), null, {
        polling: 20,
      })
      await page.waitForFunction(() => globalThis.shown.includes('RUNNING 3'), null, { polling: 20 })
      await page.locator('img[data-state=final]').waitFor()
      expect(await page.locator('output').textContent()).toBe('SUCCEEDED')
      expect(await page.locator('li').first().textContent()).toBe('SUCCEEDED')
      const size = await page.locator('img').evaluate(async (image: HTMLImageElement) => {
        await image.decode()
        return [
          image.naturalWidth > 0,
          image.currentSrc,
          image.srcset,
          image.style.backgroundImage.slice(0, 20),
        ] as const
      })
      expect(size[0]).toBe(true)
      expect(size[1]).toContain('width=640')
      expect(size[3]).toBe('url("data:image/png;')
      expect(await taskCount()).toBe(before + 1)
      expect(sockets > 0).toBe(transport === 'auto')
    },
  )

  it('makes one task from an effect that strict mode runs twice', async () => {
    const before = await taskCount()
    const page = await open('?effect=1')
    await page.locator('img[data-state=final]').waitFor()
    expect(await taskCount()).toBe(before + 1)
  })
})

it('reads the task again for an image whose address has expired', async () => {
  const id = await server.generate({ prompt: 'a ferry' })
  await server.ended(id)
  let requests = 0
  const page = await open(`?task=${id}`, {
    error: /status of 403/,
    prepare: (one) =>
      one.route('**/assets/**', (route) =>
        requests++ === 0 ? route.fulfill({ status: 403 }) : route.continue(),
      ),
  })
  const image = page.locator('img[data-state=final]')
  await expect.poll(() => image.evaluate((one: HTMLImageElement) => one.naturalWidth)).toBeGreaterThan(0)
  expect(requests).toBe(2)
})

it.each(['sse', 'auto'])(
  'shows at once that the server does not allow its origin (transport %s)',
  async (transport) => {
    const origin = 'http://shop.example'
    const page = await open(`?server=${encodeURIComponent(server.url)}&transport=${transport}`, {
      error: /blocked by CORS policy|^Failed to load resource|^WebSocket connection|may not call this server/,
      origin,
    })
    await page.getByRole('button').click()
    const message = `Pages of ${origin} may not call this server. Add the origin to CORS_ORIGINS or corsOrigins, and restart.`
    await expect.poll(() => page.locator('output').textContent(), { timeout: 10_000 }).toBe(message)
  },
)

it('the page of docs/tutorial-first-picture.md shows the previews and the result', async () => {
  const blocks = readBlocks(readFileSync('docs/tutorial-first-picture.md', 'utf8'))
  const [, origin = ''] = /CORS_ORIGINS=(\S+)/.exec(blocks.map(({ text }) => text).join('')) ?? []
  await using tutorial = await openGateway({ settings: { corsOrigins: [origin] } })
  const text = blocks.find(({ language }) => language === 'html')?.text ?? ''
  const client = await bundlePage('../../client/index.ts')
  const page = await browser.newPage()
  onTestFinished(() => page.close())
  await page.route(`${origin}/`, (route) =>
    route.fulfill({ contentType: 'text/html', body: text.replace('http://127.0.0.1:4000', tutorial.url) }),
  )
  await page.route(`${origin}/darkroom-client/index.js`, (route) =>
    route.fulfill({ contentType: 'text/javascript', body: client }),
  )
  await page.goto(origin)
  await page.getByRole('button', { name: 'Generate' }).click()
  const images = new Set<string>()
  await expect
    .poll(
      async () => {
        images.add((await page.locator('img').getAttribute('src')) ?? '')
        return page.locator('output').textContent()
      },
      { interval: 20 },
    )
    .toBe('SUCCEEDED, 61740 micro-USD')
  expect(images.size).toBeGreaterThan(2)
  expect(
    await page.locator('img').evaluate(async (image: HTMLImageElement) => {
      await image.decode()
      return image.naturalWidth
    }),
  ).toBe(1024)
})

async function bundlePage(input = 'page.ts'): Promise<string> {
  const bundle = await rolldown({
    input: join(import.meta.dirname, input),
    platform: 'browser',
    transform: { define: { 'process.env.NODE_ENV': '"development"' } },
    onLog: () => {},
  })
  const { output } = await bundle.generate({ format: 'esm', codeSplitting: false })
  return output[0].code.replaceAll('</script', '<\\/script')
}
