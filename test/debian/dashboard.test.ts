// The dashboard in Chromium, against a real server with the sandbox.
import { globSync, readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { ADMIN_KEY, openGatewayWithKeys, type GatewayWithKeys } from '../access/gateway-with-keys.ts'
import { openGateway, type TestGateway } from '../support/gateway.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { launch, layoutProblems, openPage, violations, type OpenOptions } from './browser.ts'

let browser: Browser
let server: TestGateway
let keyed: GatewayWithKeys
beforeAll(async () => {
  browser = await launch()
  server = await openGateway()
  keyed = await openGatewayWithKeys()
})
afterAll(async () => {
  await browser?.close()
  await server?.[Symbol.asyncDispose]()
  await keyed?.[Symbol.asyncDispose]()
})

async function open(url: string, options: OpenOptions = {}): Promise<Page> {
  return (await openPage(browser, url, options)).page
}

const tile = (page: Page, id: string) => page.locator(`[data-task="${id}"]`)
const prompt = (page: Page) => page.getByRole('textbox', { name: 'Prompt' })

async function finished(input: Record<string, unknown>): Promise<string> {
  const id = await server.generate(input)
  await server.ended(id)
  return id
}

describe('the first page', () => {
  it('makes a picture from a prompt and shows it developing in the first place', async () => {
    const fresh = await openGateway()
    // After its page was closed.
    onTestFinished(() => fresh[Symbol.asyncDispose]())
    const page = await open(fresh.url)
    await page.getByRole('heading', { name: 'Make the first picture' }).waitFor()
    expect(await violations(page)).toEqual([])
    await prompt(page).fill('a lighthouse at dusk [sandbox:duration=3000]')
    await page.getByText('Sandbox, free').waitFor()
    await page.getByRole('button', { name: 'Generate' }).click()
    const first = page.getByRole('region', { name: 'Running' }).getByRole('link').first()
    await first.locator('[data-state=preview]').waitFor()
    await first.locator('[data-state=final]').waitFor()
    expect(await first.locator('img').last().getAttribute('alt')).toBe(
      'a lighthouse at dusk [sandbox:duration=3000]',
    )
    await first.click()
    await page.getByText(/^Charged \$0\.\d+ by price table /).waitFor()
    expect(new URL(page.url()).pathname).toMatch(/^\/tasks\/task_\w+$/)
  })
})

describe('Live', () => {
  it('shows a task of another client within a second, through its previews to the result, in one place', async () => {
    const page = await open(server.url)
    await page.getByRole('status').getByText('Live').waitFor()
    const id = await server.generate({ prompt: 'a ferry [sandbox:duration=4000]', partialImages: 3 })
    await tile(page, id).waitFor({ timeout: 1_000 })
    const place = await tile(page, id).boundingBox()
    const sources = new Set<string>()
    await expect
      .poll(
        async () => {
          const images = tile(page, id).locator('img')
          for (const one of await images.all()) sources.add((await one.getAttribute('src')) ?? '')
          expect(await tile(page, id).boundingBox()).toEqual(place)
          return tile(page, id).locator('[data-state=final]').count()
        },
        { interval: 50 },
      )
      .toBe(1)
    // Three previews and the result; a preview that is replaced before it is looked for is not seen.
    expect(sources.size).toBeGreaterThanOrEqual(3)
  })

  it('keeps its filter in the address, and shows only tasks that meet it', async () => {
    const done = await finished({ prompt: 'a bridge' })
    const page = await open(`${server.url}/?status=FAILED`)
    await page.getByRole('button', { name: 'Failed', pressed: true }).waitFor()
    const failed = await finished({ prompt: 'a forbidden bridge [sandbox:moderation]' })
    await tile(page, failed).waitFor()
    expect(await tile(page, done).count()).toBe(0)
    await page.getByRole('button', { name: 'Clear' }).click()
    await tile(page, done).waitFor()
    await page.goBack()
    await expect.poll(() => tile(page, done).count()).toBe(0)
    expect(page.url()).toBe(`${server.url}/?status=FAILED`)
    await page.goto(`${server.url}/?q=nothing-of-this-kind`)
    await page.getByText('No task matches.').waitFor()
  })

  it('resumes after its connection was cut, and says how many events it missed', async () => {
    const proxy = await startTcpProxy(server.url)
    onTestFinished(() => proxy.close())
    const page = await open(proxy.url, { refusals: true })
    const link = page.getByRole('status')
    await link.getByText('Live').waitFor()
    proxy.reset()
    await link.getByText('Reconnecting, data from').waitFor()
    const id = await finished({ prompt: 'a tunnel' })
    const { task } = await server.get<{ task: { events: { totalCount: number } } }>(
      'query ($id: ID!) { task(id: $id) { events { totalCount } } }',
      { id },
    )
    proxy.heal()
    await link.getByText(`Caught up ${task.events.totalCount} missed events`).waitFor()
    await tile(page, id).waitFor()
    expect(await tile(page, id).getAttribute('data-status')).toBe('SUCCEEDED')
  })
})

describe('a task', () => {
  // Failures put the provider into a cooldown, in which the tasks of the next tests would wait.
  afterAll(() =>
    server.get('mutation { resumeProvider(input: { name: "sandbox" }) { provider { health } } }', {}),
  )

  it('shows previews, verdict, ledger, events and settings, each at its own address', async () => {
    const id = await finished({ prompt: 'a mill', partialImages: 2 })
    const page = await open(`${server.url}/tasks/${id}`)
    const slider = page.getByRole('slider', { name: 'Previews and result' })
    expect(await slider.getAttribute('aria-valuetext')).toContain('Result')
    await slider.press('ArrowLeft')
    expect(await slider.getAttribute('aria-valuetext')).toContain('Preview 2')
    await page.getByText('Held from the budget').waitFor()
    await page.getByRole('tab', { name: 'Events' }).click()
    await page.getByText('TaskFinished').waitFor()
    expect(page.url()).toContain('?tab=events')
    await page.getByRole('tab', { name: 'Request' }).click()
    await page.getByRole('rowheader', { name: 'quality' }).waitFor()
  })

  it.each([
    ['moderation', /^Not charged: /m],
    ['vanish', /^May have been charged, at most \$0\.\d+$/m],
    ['unreached', /^Not charged: nothing was sent/m],
  ])('of the scenario %s has the verdict %s', async (scenario, verdict) => {
    const id = await server.generate({ prompt: `a kite [sandbox:${scenario}]` })
    const page = await open(`${server.url}/tasks/${id}`)
    await expect.poll(() => page.locator('#panel').innerText()).toMatch(verdict)
  })

  it('whose outcome is unknown runs again only after a second charge is accepted', async () => {
    const id = await server.generate({ prompt: 'a lost kite [sandbox:vanish]' })
    const page = await open(`${server.url}/tasks/${id}`)
    await page.getByRole('button', { name: 'Run again' }).click()
    const dialog = page.getByRole('dialog')
    const confirm = dialog.getByRole('button', { name: 'Run again' })
    expect(await confirm.isDisabled()).toBe(true)
    expect(await violations(page)).toEqual([])
    await dialog.getByRole('checkbox').check()
    await confirm.click()
    await page.getByLabel('Attempt 2').waitFor()
  })

  it('shows that its cancellation was requested', async () => {
    const id = await server.generate({ prompt: 'a canceled kite [sandbox:duration=5000]' })
    const page = await open(`${server.url}/tasks/${id}`)
    await page.getByRole('button', { name: 'Cancel' }).click()
    // At once if nothing was sent; else the provider finishes.
    await expect.poll(() => page.getByRole('article').innerText()).toMatch(/^Cancel(?:ed|ing)$/m)
  })
})

describe('keys', () => {
  it('open the address that was asked for, stay in memory, and are forgotten in all tabs', async () => {
    const id = await keyed.operator().generate({ prompt: 'a vault' })
    const page = await open(`${keyed.url}/tasks/${id}`, { refusals: true })
    const field = page.getByLabel('API key')
    await field.fill('dk_live_wrong')
    await page.keyboard.press('Enter')
    await expect.poll(() => page.getByRole('alert').innerText()).toMatch(/key/i)
    expect(await violations(page)).toEqual([])
    await field.fill(ADMIN_KEY)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'a vault' }).waitFor()
    const traces = () =>
      page.evaluate(() =>
        [
          document.documentElement.outerHTML,
          location.href,
          document.cookie,
          JSON.stringify(localStorage),
          JSON.stringify(sessionStorage),
        ].join(' '),
      )
    expect(await traces()).not.toContain(ADMIN_KEY)

    const other = await page.context().newPage()
    await other.goto(keyed.url)
    await other.getByRole('textbox', { name: 'Prompt' }).waitFor()
    await page.getByRole('button', { name: 'Lock' }).click()
    for (const one of [page, other]) await one.getByLabel('API key').waitFor()

    await page.getByLabel('Keep until this tab is closed').check()
    await page.getByLabel('API key').fill(ADMIN_KEY)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'a vault' }).waitFor()
    expect(await page.evaluate(() => JSON.stringify(localStorage))).not.toContain(ADMIN_KEY)
    await page.reload()
    await page.getByRole('heading', { name: 'a vault' }).waitFor()
  })

  it('without READ see what is missing', async () => {
    const { key } = await keyed.newKey({ scopes: ['GENERATE'] })
    const page = await open(keyed.url, { refusals: true })
    await page.getByLabel('API key').fill(key)
    await page.keyboard.press('Enter')
    const text = 'This key may create tasks but not watch them'
    await expect.poll(() => page.getByRole('heading').first().innerText()).toBe(text)
  })
})

describe('every page', () => {
  it.each(['light', 'dark'] as const)(
    'has no violation of WCAG 2.2 AA in the %s theme',
    async (colorScheme) => {
      const id = await finished({ prompt: 'a tower', partialImages: 1, n: 2 })
      for (const path of ['/', `/tasks/${id}`, `/tasks/${id}?tab=events`, `/tasks/${id}?tab=request`]) {
        const page = await open(server.url + path, { colorScheme, reducedMotion: 'reduce' })
        await page.locator(`[data-task="${id}"], article h1`).first().waitFor()
        expect([path, ...(await violations(page))]).toEqual([path])
      }
    },
  )

  it.each([390, 768, 1440, 2560])('fits a width of %d pixels', async (width) => {
    const id = await finished({ prompt: 'a well', partialImages: 1 })
    for (const path of ['/', `/tasks/${id}`, `/tasks/${id}?tab=events`, `/tasks/${id}?tab=request`]) {
      const page = await open(server.url + path, { viewport: { width, height: 900 } })
      await page.locator(`[data-task="${id}"], article h1`).first().waitFor()
      expect(await layoutProblems(page)).toEqual([])
    }
  })

  it('lists its shortcuts, and a single character does nothing once they are off', async () => {
    const page = await open(server.url)
    await prompt(page).waitFor()
    await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur())
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keyboard' }).waitFor()
    expect(await violations(page)).toEqual([])
    await page.getByRole('checkbox').uncheck()
    await page.keyboard.press('Escape')
    await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur())
    await page.keyboard.press('?')
    expect(await page.getByRole('dialog').count()).toBe(0)
  })
})

function bytes(pattern: string): number {
  const files = globSync(`dashboard/dist/dashboard/${pattern}`)
  return files.reduce((sum, file) => sum + gzipSync(readFileSync(file)).length, 0)
}

it('the built files stay within their sizes', () => {
  expect(bytes('index-*.js')).toBeGreaterThan(50_000)
  expect(bytes('index-*.js')).toBeLessThan(200_000)
  // The development build of React has these texts.
  const texts = globSync('dashboard/dist/dashboard/*.js')
    .map((file) => readFileSync(file, 'utf8'))
    .join('')
  expect(texts).not.toContain('must not return anything besides a function')
  for (const page of ['task', 'studio', 'compare', 'images', 'image', 'connect'])
    expect(bytes(`${page}-page-*.js`)).toBeLessThan(90_000)
  expect(bytes('*.css')).toBeLessThan(20_000)
})
