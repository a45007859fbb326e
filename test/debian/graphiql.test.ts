// GraphiQL in Chromium.
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ADMIN_KEY, openGatewayWithKeys } from '../access/gateway-with-keys.ts'
import { openGateway, type TestGateway } from '../support/gateway.ts'

let browser: Browser
let server: TestGateway
beforeAll(async () => {
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
  server = await openGateway()
})
afterAll(async () => {
  await browser.close()
  await server[Symbol.asyncDispose]()
})

async function open(url: string, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
  const page = await context.newPage()
  await page.goto(`${url}/graphql`)
  await page.locator('.graphiql-query-editor .view-line').first().waitFor()
  return page
}

const tabs = (page: Page) => page.locator('.graphiql-tab')
const response = (page: Page) => page.locator('.result-window .view-lines')

/** The editor shows spaces as no-break spaces. */
const responseText = async (page: Page) => (await response(page).innerText()).replaceAll('\u00a0', ' ')

/** As a person does: not in one instant. */
async function clickSlowly(page: Page, at: { x: number; y: number }): Promise<void> {
  await page.mouse.move(at.x - 4, at.y)
  await page.mouse.move(at.x, at.y)
  await page.mouse.down()
  await page.waitForTimeout(100)
  await page.mouse.up()
}

/** Replaces the content of a small editor. */
async function type(page: Page, section: string, text: string): Promise<void> {
  await page.getByRole('button', { name: section, exact: true }).click()
  await page.locator('.graphiql-editor-tool .view-lines:visible').click()
  await page.keyboard.press('Control+a')
  await page.keyboard.insertText(text)
  // The editor adds closing quotes and braces.
  await page.keyboard.press('Control+Shift+End')
  await page.keyboard.press('Delete')
}

describe('GraphiQL', () => {
  it('selects a tab at the first click, and moves none', async () => {
    const page = await open(server.url)
    expect(await tabs(page).allInnerTexts()).toEqual(['Generate', 'Watch', 'Resume', 'Look', 'Usage'])
    for (const index of [1, 3, 2, 4, 0]) {
      const box = await tabs(page).nth(index).boundingBox()
      await clickSlowly(page, { x: box!.x + 24, y: box!.y + box!.height / 2 })
      await expect.poll(() => tabs(page).nth(index).getAttribute('aria-selected')).toBe('true')
      expect((await tabs(page).nth(index).boundingBox())?.x).toBe(box?.x)
    }
  })

  it('shows its examples without cutting their comments, and runs them', async () => {
    const page = await open(server.url)
    await page.getByRole('button', { name: /^Execute query/ }).click()
    await expect.poll(() => responseText(page)).toMatch(/task_\w{26}/)
    const [id = ''] = /task_\w{26}/.exec(await responseText(page)) ?? []
    await server.ended(id)
    for (let index = 0; index < 5; index++) {
      await tabs(page).nth(index).getByRole('button').first().click()
      await expect.poll(() => tabs(page).nth(index).getAttribute('aria-selected')).toBe('true')
      const cut = await page.evaluate(() => {
        const area = document.querySelector('.graphiql-query-editor .overflow-guard')
        const right = area?.getBoundingClientRect().right ?? 0
        const comments = [...document.querySelectorAll('.graphiql-query-editor .view-line')].filter(
          ({ textContent }) => textContent?.trim().startsWith('#'),
        )
        const widths = comments.map(
          (line) => line.querySelector('span > span:last-child')?.getBoundingClientRect().right ?? 0,
        )
        return { comments: comments.length, cut: widths.filter((edge) => edge > right).length }
      })
      expect(cut).toEqual({ comments: cut.comments, cut: 0 })
      expect(cut.comments).toBeGreaterThan(1)
    }
    await page.getByRole('button', { name: /^Execute query/ }).waitFor()
    await tabs(page).nth(2).getByRole('button').first().click()
    await type(page, 'Variables', JSON.stringify({ task: id }))
    await page.getByRole('button', { name: /^Execute query/ }).click()
    await expect.poll(() => responseText(page)).toContain('AttemptStarted')
    // The editor renders what is in view.
    await response(page).click()
    await page.keyboard.press('Control+End')
    await expect.poll(() => responseText(page)).toContain('TaskFinished')
    await tabs(page).nth(4).getByRole('button').first().click()
    // GraphiQL reads the operation of a tab some time after the tab was selected.
    await expect
      .poll(
        async () => {
          await page.getByRole('button', { name: /^Execute query/ }).click()
          return responseText(page)
        },
        { interval: 1_000 },
      )
      .toContain('"costMicros"')
  })

  it('stores API keys only after the user chose to', async () => {
    const page = await open(server.url)
    await type(page, 'Headers', '{ "Authorization": "Bearer dk_live_secret" }')
    const stored = () => page.evaluate(() => JSON.stringify(localStorage))
    await page.waitForTimeout(1_500)
    expect(await stored()).not.toContain('dk_live_secret')
    await page.getByRole('button', { name: 'Open settings dialog' }).click()
    await page.getByRole('button', { name: 'On', exact: true }).click()
    await expect.poll(stored).toContain('dk_live_secret')
    await page.reload()
    await page.locator('.graphiql-query-editor .view-line').first().waitFor()
    expect(await stored()).toContain('dk_live_secret')
  })

  it('fits a narrow screen', async () => {
    const page = await open(server.url, {
      viewport: { width: 390, height: 844 },
      isMobile: true,
      hasTouch: true,
    })
    expect(await page.evaluate(() => [innerWidth, document.documentElement.scrollWidth])).toEqual([390, 390])
    expect((await page.locator('.graphiql-editors').boundingBox())?.width).toBeGreaterThan(250)
    await page.getByRole('button', { name: /^Execute query/ }).tap()
    await expect.poll(() => responseText(page)).toContain('"status": "QUEUED"')
    expect((await page.locator('.result-window').boundingBox())?.width).toBeGreaterThan(250)
  })

  it('shows the documentation to the operator on a server with a public URL, after its key is entered', async () => {
    const settings = { publicUrl: 'https://paint.example' }
    await using keyed = await openGatewayWithKeys({ settings })
    const page = await open(keyed.url)
    await type(page, 'Headers', JSON.stringify({ Authorization: `Bearer ${ADMIN_KEY}` }))
    await page.getByRole('button', { name: 'Re-fetch GraphQL schema' }).click()
    await page.getByRole('button', { name: 'Show Documentation Explorer' }).click()
    await expect.poll(() => page.locator('.graphiql-plugin').innerText()).toContain('Subscription')
  })
})
