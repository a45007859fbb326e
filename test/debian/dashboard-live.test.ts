// The table of Live, its shortcuts, long absences and high rates, in Chromium.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { ADMIN_KEY, openGatewayWithKeys, type GatewayWithKeys } from '../access/gateway-with-keys.ts'
import type { Client } from '../support/client.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { startFeedPlayer } from './feed-player.ts'
import { launch, layoutProblems, openPage, violations, type OpenOptions } from './browser.ts'

let browser: Browser
let server: GatewayWithKeys
let operator: Client
beforeAll(async () => {
  browser = await launch()
  server = await openGatewayWithKeys()
  operator = server.operator()
})
afterAll(async () => {
  await browser?.close()
  await server?.[Symbol.asyncDispose]()
})

const open = async (url: string, options: OpenOptions = {}) =>
  (await openPage(browser, url, { key: ADMIN_KEY, refusals: true, ...options })).page

const tile = (page: Page, id: string) => page.locator(`[data-task="${id}"]`)

async function finished(prompt: string): Promise<string> {
  const id = await operator.generate({ prompt, quality: 'LOW' })
  await operator.ended(id)
  return id
}

it('Live has a table with chosen columns, and filters by time and key, in its address', async () => {
  const { id: keyId, key } = await server.newKey()
  const client = server.as(key)
  const own = await client.generate({ prompt: 'a silo of a key', quality: 'LOW', user: 'ann' })
  await client.ended(own)
  const other = await finished('a silo of the operator')
  const page = await open(`${server.url}/?view=table&from=1h&key=${keyId}`)
  const row = (id: string) => page.locator(`[data-task-row="${id}"]`)
  await row(own).waitFor()
  expect(await row(other).count()).toBe(0)
  expect(await violations(page)).toEqual([])
  await page.getByRole('button', { name: 'Columns' }).click()
  await page.getByRole('checkbox', { name: 'User' }).check()
  await page.getByRole('checkbox', { name: 'Key' }).check()
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click()
  expect(await row(own).innerText()).toMatch(/of a test\s+ann/)
  // An event is filtered by the same rule.
  const next = await client.generate({ prompt: 'a second silo', quality: 'LOW' })
  // The focus is in the table, so it stands still.
  await page.getByRole('button', { name: '1 new' }).click()
  await row(next).waitFor()
  await page.getByLabel('Created').selectOption({ label: 'From … to …' })
  await page.getByRole('dialog').getByLabel('To').fill('2020-01-01T00:00')
  await page.getByRole('dialog').getByLabel('From').fill('')
  await page.keyboard.press('Enter')
  await page.getByText('No task matches.').waitFor()
  await page.getByRole('button', { name: 'Clear' }).first().click()
  await row(other).waitFor()
  expect(new URL(page.url()).search).toBe('?view=table')
  for (const width of [390, 768, 1440]) {
    await page.setViewportSize({ width, height: 900 })
    expect([width, ...(await layoutProblems(page))]).toEqual([width])
  }
})

it('Live goes from task to task with j and k, compares with c, and holds new tasks with Space', async () => {
  const [older, newer] = [await finished('a weir'), await finished('a lock')]
  const page = await open(server.url)
  await tile(page, newer).focus()
  await page.keyboard.press('Enter')
  await page.waitForURL(`**/tasks/${newer}`)
  await page.getByRole('heading', { name: 'a lock' }).waitFor()
  await page.keyboard.press('j')
  await page.waitForURL(`**/tasks/${older}`)
  await page.keyboard.press('k')
  await page.waitForURL(`**/tasks/${newer}`)
  await page.goBack()
  await page.goBack()
  await page.goBack()
  await tile(page, older).focus()
  await page.keyboard.press('Space')
  await page.getByRole('button', { name: 'Continue' }).waitFor()
  const hidden = await finished('a sluice')
  await page.getByRole('button', { name: '1 new' }).click()
  await tile(page, hidden).waitFor()
  await tile(page, older).focus()
  await page.keyboard.press('c')
  await page.waitForURL('**/compare?a=*')
  await expect.poll(() => page.getByRole('heading', { level: 1 }).innerText()).toBe('Compare')
})

it('Live reads the list again after more than a minute, instead of all that was missed', async () => {
  const proxy = await startTcpProxy(server.url)
  onTestFinished(() => proxy.close())
  const page = await open(proxy.url, { refusals: true })
  const link = page.getByRole('status')
  await link.getByText('Live').waitFor()
  const running = await operator.generate({ prompt: 'a viaduct [sandbox:duration=1500]' })
  await tile(page, running).waitFor()
  proxy.reset()
  await link.getByText('Reconnecting').waitFor()
  await operator.ended(running)
  const missed = await finished('an aqueduct')
  const states = page.evaluate(
    () =>
      new Promise<string[]>((resolve) => {
        const { now } = Date
        Date.now = () => now() + 70_000
        const seen: string[] = []
        const status = document.querySelector('header [role=status]')!
        new MutationObserver(() => {
          seen.push(status.textContent)
          if (status.textContent === 'Live') resolve(seen)
        }).observe(status, { childList: true, subtree: true, characterData: true })
      }),
  )
  proxy.heal()
  expect((await states).filter((text) => text.startsWith('Caught up'))).toEqual([])
  await page.locator(`[data-task="${running}"][data-status=SUCCEEDED]`).waitFor()
  await tile(page, missed).waitFor()
})

it('a page whose script is missing says that Darkroom was updated, and keeps the key', async () => {
  const page = await open(`${server.url}/`)
  await page.route('**/webhooks-page-*.js', (route) => route.fulfill({ status: 404 }))
  await page.getByRole('link', { name: 'Webhooks' }).click()
  await page.getByText('Darkroom was updated. Reload this page to continue.').waitFor()
  await page.getByRole('button', { name: 'Reload' }).waitFor()
  await page.getByRole('link', { name: 'Providers' }).click()
  await page.getByRole('heading', { name: 'Providers' }).waitFor()
  expect(new URL(page.url()).pathname).toBe('/providers')
})

it('Live at 12,000 tasks a minute keeps few elements; paused, hovered or focused, the grid stands still and counts', async () => {
  await using player = await startFeedPlayer({ durationMs: 500 })
  const { page } = await openPage(browser, player.url)
  await page.getByRole('status').getByText('Live').waitFor()
  await player.play(300, 12_000)
  // As many places as fit on two screens, and a few rows of the grid.
  expect(await page.evaluate(() => document.querySelectorAll('*').length)).toBeLessThanOrEqual(1_500)
  const done = page.getByRole('region', { name: 'Done' })
  const shown = () =>
    done.locator('[data-task]').evaluateAll((tiles) => tiles.map((one) => one.getAttribute('data-task')))
  // Finished tasks keep their places for 5 seconds.
  await expect
    .poll(() => page.locator('[aria-label=Running] [data-task]').count(), { timeout: 15_000 })
    .toBe(0)
  const pause = page.getByRole('button', { name: 'Pause' })
  await pause.click()
  const before = await shown()
  await player.play(40, 12_000)
  await page.getByRole('button', { name: '40 new' }).waitFor({ timeout: 15_000 })
  expect(await shown()).toEqual(before)
  await page.getByRole('button', { name: '40 new' }).click()
  await page.getByRole('button', { name: 'Continue' }).click()

  await done.locator('[data-task]').first().focus()
  await done.locator('[data-task]').nth(1).hover()
  const held = await shown()
  await player.play(10, 12_000)
  await page.getByRole('button', { name: '10 new' }).waitFor({ timeout: 15_000 })
  await page.mouse.move(5, 5)
  await page.waitForTimeout(1_200)
  expect(await shown()).toEqual(held)
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur())
  await expect.poll(shown).not.toEqual(held)
  expect(await page.getByRole('button', { name: /new$/ }).count()).toBe(0)
})
