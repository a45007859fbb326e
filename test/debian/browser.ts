// Pages of the dashboard in Chromium, which fail their test on an error in the console and on a request to another origin.
import { execFile } from 'node:child_process'
import process from 'node:process'
import { promisify } from 'node:util'
import { AxeBuilder } from '@axe-core/playwright'
import { chromium, type Browser, type BrowserContextOptions, type Locator, type Page } from 'playwright-core'
import { expect, onTestFinished } from 'vitest'

/** Builds the dashboard if its sources have changed. */
export async function launch(): Promise<Browser> {
  await promisify(execFile)(process.execPath, ['dashboard/build.ts', '--if-stale'])
  return chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
}

export interface OpenOptions extends BrowserContextOptions {
  /** Responses with an error are expected. */
  refusals?: boolean
  /** Typed into the sign-in. */
  key?: string
}

export interface Watched {
  page: Page
  /** Codes of errors in every result that the page received. */
  codes: Set<string>
}

export async function openPage(
  browser: Browser,
  url: string,
  { refusals = false, key, ...options }: OpenOptions = {},
): Promise<Watched> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })
  onTestFinished(() => context.close())
  const page = await context.newPage()
  const problems: string[] = []
  const codes = new Set<string>()
  const { origin } = new URL(url)
  const readCodes = (text: string) => {
    for (const [, code] of text.matchAll(/"code":"([A-Z_]+)"/g)) if (code) codes.add(code)
  }
  page.on('pageerror', (error) => problems.push(String(error)))
  page.on('console', (message) => {
    // React reports what its error boundaries show.
    const isExpected = /^Failed to load resource|^WebSocket connection|script of this page/
    const isRefusal = refusals && isExpected.test(message.text())
    if (message.type() === 'error' && !isRefusal) problems.push(message.text())
  })
  page.on('request', (request) => {
    if (!/^(?:data|blob):/.test(request.url()) && new URL(request.url()).origin !== origin)
      problems.push(request.url())
  })
  page.on('response', (response) => {
    if (response.url().endsWith('/graphql')) void response.text().then(readCodes, () => {})
  })
  page.on('websocket', (socket) => {
    socket.on('framereceived', ({ payload }) => readCodes(String(payload)))
  })
  onTestFinished(() => expect(problems).toEqual([]))
  await page.goto(url)
  if (key !== undefined) {
    await page.getByLabel('API key').fill(key)
    await page.keyboard.press('Enter')
    await page.getByRole('navigation', { name: 'Pages' }).waitFor()
  }
  return { page, codes }
}

/** Of WCAG 2.2 A and AA. `within`: of this part only, which takes a fraction of the time. */
export async function violations(page: Page, within = 'html'): Promise<string[]> {
  const { violations: found } = await new AxeBuilder({ page })
    .include(within)
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'])
    .analyze()
  return found.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 160)}`))
}

/** By how many pixels the document is wider than the window, and controls that are cut off or too small. */
export function layoutProblems(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement
    const wide = scrollWidth > clientWidth ? [`${scrollWidth - clientWidth} px too wide`] : []
    const controls = [...document.querySelectorAll<HTMLElement>('button, select, input:not([type=checkbox])')]
    const visible = controls.filter((one) => one.checkVisibility() && !one.closest('dialog:not([open])'))
    const small = visible.filter((one) => {
      // A hidden radio button is chosen by its label.
      const target = one.matches('label .hidden') ? one.closest('label')! : one
      const { width, height } = target.getBoundingClientRect()
      return width < 24 || height < 24
    })
    return [...wide, ...small.map((one) => `too small: ${one.outerHTML.slice(0, 100)}`)]
  })
}

/** Waits for the element. Whether all of it is in the window, above and below. */
export async function isInView(element: Locator): Promise<boolean> {
  await element.waitFor()
  const { y, height } = (await element.boundingBox())!
  return y >= 0 && y + height <= element.page().viewportSize()!.height
}
