// Usage, review and providers in Chromium, against a real server with keys and the sandbox.
import { readFile } from 'node:fs/promises'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Scope } from '../../src/domain.ts'
import { ADMIN_KEY, openGatewayWithKeys, type GatewayWithKeys } from '../access/gateway-with-keys.ts'
import type { Client } from '../support/client.ts'
import { newPlace } from '../support/database.ts'
import { startGateway } from '../support/gateway-process.ts'
import { createLosses, type Losses } from './losses.ts'
import { launch, layoutProblems, openPage, violations, type OpenOptions } from './browser.ts'

const PROVIDERS = [
  { name: 'sandbox', dialect: 'sandbox', durationMs: 0, concurrency: 40 },
  // Its model has no price, so costs are unknown.
  { name: 'contract', dialect: 'sandbox', durationMs: 0, models: ['gpt-image-2.6-flare'] },
]

let browser: Browser
let server: GatewayWithKeys
let operator: Client
let losses: Losses
beforeAll(async () => {
  browser = await launch()
  server = await openGatewayWithKeys({ providers: PROVIDERS })
  operator = server.operator()
  losses = createLosses(operator)
  const ids = await Promise.all(
    [
      { prompt: 'a quay', providers: ['sandbox'] },
      { prompt: 'a crane', providers: ['sandbox'], quality: 'LOW' },
      { prompt: 'a buoy', providers: ['contract'], model: 'gpt-image-2.6-flare' },
    ].map((input) => operator.generate(input)),
  )
  for (const id of ids) await operator.ended(id)
})
afterAll(async () => {
  await browser?.close()
  await server?.[Symbol.asyncDispose]()
})

const open = (path: string, options: OpenOptions = {}) =>
  openPage(browser, server.url + path, { key: ADMIN_KEY, refusals: true, ...options })

async function keyWith(...scopes: Scope[]): Promise<string> {
  return (await server.newKey({ scopes })).key
}

describe('usage', () => {
  it('shows the totals of the server, and "unknown" instead of a cost that is not known', async () => {
    const { page } = await open('/usage?split=provider')
    const { usage } = await operator.get<{ usage: { totals: { images: number } } }>(
      'query ($from: DateTime!, $to: DateTime!) { usage(from: $from, to: $to) { totals { images } } }',
      { from: '2020-01-01T00:00:00Z', to: new Date(Date.now() + 60_000).toISOString() },
    )
    const figure = (name: string) => page.locator('dl > div', { hasText: name }).locator('dd').first()
    await expect.poll(() => figure('Images').innerText()).toBe(String(usage.totals.images))
    const row = page.locator('tr[data-row]', { hasText: 'contract' })
    expect(await row.locator('[data-label=cost]').innerText()).toBe('unknown')
    expect(await row.innerText()).not.toMatch(/\$0\.00\s*$/)
    await row.getByRole('link', { name: 'Live' }).click()
    await page.waitForURL(/\/\?provider=contract&from=[\d-]+T[\d:]+Z&to=[\d-]+T[\d:]+Z$/)
    await page.getByRole('link', { name: 'a buoy' }).first().waitFor()
  })

  it('downloads the same report as CSV', async () => {
    const { page } = await open('/usage?split=provider&tz=Asia/Tokyo')
    const row = page.locator('tr[data-row]', { hasText: 'sandbox' })
    const cost = await row.locator('[data-label=cost] span').getAttribute('title')
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'CSV' }).click(),
    ])
    const [header, ...lines] = (await readFile(await download.path(), 'utf8')).trim().split('\r\n')
    const columns = header!.replace('\u{FEFF}', '').split(',')
    expect(columns.slice(0, 2)).toEqual(['day', 'provider'])
    expect(lines.length).toBe(await page.locator('tr[data-row]').count())
    const cells = lines.find((line) => line.includes('sandbox'))!.split(',')
    expect(`$${(Number(cells[columns.indexOf('cost_micros')]) / 1e6).toFixed(6)}`).toBe(cost)
  })

  it('changes as tasks end, and zooms by keyboard and by drag', async () => {
    const { page } = await open('/usage?range=24h&measure=tasks')
    const chart = page.getByRole('slider')
    const value = async () => Number(/: (\d+)/.exec((await chart.getAttribute('aria-valuetext')) ?? '')?.[1])
    await chart.waitFor()
    await chart.press('End')
    const before = await value()
    await operator.ended(await operator.generate({ prompt: 'a mast', providers: ['sandbox'] }))
    await expect.poll(value).toBe(before + 1)
    await chart.press('Shift+ArrowLeft')
    await chart.press('Enter')
    await page.waitForURL(/from=.*to=/)
    await expect.poll(() => chart.getAttribute('aria-valuemax')).toBe('2')
    await page.goBack()
    await expect.poll(() => chart.getAttribute('aria-valuemax')).toBe('24')
    const box = (await chart.boundingBox())!
    await page.mouse.move(box.x + box.width * 0.5, box.y + 100)
    await page.mouse.down()
    await page.mouse.move(box.x + box.width * 0.99, box.y + 100, { steps: 4 })
    await page.mouse.up()
    await page.waitForURL(/from=.*to=/)
    await expect.poll(async () => Number(await chart.getAttribute('aria-valuemax'))).toBeLessThan(15)
  })

  it('shows its query, which runs as it stands', async () => {
    const { page } = await open('/usage?split=status&status=SUCCEEDED')
    await page.getByRole('slider').waitFor()
    await page.getByRole('button', { name: 'Query' }).click()
    const text = await page.getByLabel('Operation as GraphQL').innerText()
    const href = await page.getByRole('link', { name: 'Open in GraphiQL' }).getAttribute('href')
    expect(new URL(href!).searchParams.get('query')).toBe(text)
    for await (const { data, errors } of operator.watch<{ usage: { rows: unknown[] } }>('SSE', text)) {
      expect(errors).toBeUndefined()
      expect(data!.usage.rows.length).toBeGreaterThan(0)
      break
    }
  })
})

describe('review', () => {
  it('resolves 20 attempts at once; one that was resolved elsewhere stays selected with its reason', async () => {
    const tasks = await losses.lose(20)
    const { page } = await open('/review')
    const rows = page.locator('[data-attempt]')
    await expect.poll(() => rows.count()).toBe(20)
    await expect.poll(() => page.getByRole('link', { name: /^Review/ }).innerText()).toMatch(/21/)
    await page.getByRole('checkbox', { name: /^Select the first/ }).check()
    await page.getByRole('button', { name: 'Not charged' }).click()
    const dialog = page.getByRole('dialog')
    await expect
      .poll(() => dialog.innerText())
      .toMatch(/20 attempts\. Runs 20 tasks again: up to \$\d+\.\d+\./)
    const [first] = await attemptsOf(tasks[0]!)
    await operator.get(
      'mutation ($id: ID!) { resolveAttempt(input: { id: $id, resolution: CHARGED_RESULT_LOST, note: "elsewhere" }) { attempt { id } } }',
      { id: first!.id },
    )
    const confirm = dialog.getByRole('button', { name: 'Record' })
    await dialog.getByLabel('Source, for the audit log').fill('support ticket 7')
    expect(await confirm.isDisabled()).toBe(true)
    expect(await violations(page)).toEqual([])
    await dialog.getByLabel('Type 20 to confirm').fill('20')
    await confirm.click()
    await expect
      .poll(() => page.locator(`[data-attempt="${first!.id}"] [role=alert]`).innerText())
      .toMatch(/needs no resolution/)
    expect(await page.locator('[data-attempt] input:checked').count()).toBe(1)
    await expect.poll(() => rows.count()).toBeGreaterThanOrEqual(1)
    const [second] = await attemptsOf(tasks[1]!)
    expect(second!.decisions).toEqual([
      { by: 'operator', note: 'support ticket 7', resolution: 'NOT_CHARGED' },
    ])
    await losses.settle()
  })

  it('records the amounts of a bill for costs that are unknown', async () => {
    const { page } = await open('/review?reason=COST_UNKNOWN')
    const row = page.locator('[data-attempt]', { hasText: 'a buoy' })
    const id = await row.getAttribute('data-attempt')
    const field = row.getByRole('textbox')
    await field.fill('0.0x')
    expect(await page.getByRole('button', { name: 'Save all' }).isDisabled()).toBe(true)
    await field.fill('0.06174')
    await page.getByRole('button', { name: 'Save all' }).click()
    const dialog = page.getByRole('dialog')
    await expect.poll(() => dialog.innerText()).toContain('Records $0.06174 as the cost of 1 attempt.')
    await dialog.getByLabel('Source, for the audit log').fill('bill')
    await page.keyboard.press('Enter')
    await row.waitFor({ state: 'detached' })
    const { node } = await operator.get<{ node: { costMicros: number } }>(
      'query ($id: ID!) { node(id: $id) { ... on Attempt { costMicros } } }',
      { id },
    )
    expect(node.costMicros).toBe(61_740)
  })

  it('is decided by keyboard alone, from the row to the decision', async () => {
    const [task] = await losses.lose(1)
    const [attempt] = await attemptsOf(task!)
    const { page } = await open('/review')
    await page.locator(`[data-attempt="${attempt!.id}"] a`).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('complementary').waitFor()
    expect(page.url()).toContain(`attempt=${attempt!.id}`)
    await page.getByRole('radio', { name: /^Charged, result lost/ }).focus()
    await page.keyboard.press('Space')
    await page.getByLabel('Source, for the audit log').focus()
    await page.keyboard.type('bill line 3')
    await page.keyboard.press('Enter')
    await page.getByText('Every outcome is known.').waitFor()
    const [decided] = await attemptsOf(task!)
    expect(decided!.decisions[0]).toMatchObject({ note: 'bill line 3', resolution: 'CHARGED_RESULT_LOST' })
  })
})

async function attemptsOf(task: string) {
  const { task: found } = await operator.get<{
    task: { attempts: { id: string; decisions: Record<string, unknown>[] }[] }
  }>('query ($task: ID!) { task(id: $task) { attempts { id decisions { by note resolution } } } }', { task })
  return found.attempts
}

describe('providers', () => {
  it('that an operator pauses show the reason to others within 5 seconds, and are resumed likewise', async () => {
    const { page } = await open('/providers')
    const { page: other } = await open('/providers', { key: await keyWith('READ') })
    const seen = other.locator('[data-provider=contract]')
    await seen.getByText('Healthy').waitFor()
    expect(await other.getByRole('button', { name: /Pause|Resume/ }).count()).toBe(0)
    await page.getByRole('button', { name: 'Pause contract' }).click()
    await page.getByRole('dialog').getByLabel('Reason').fill('invoices are checked')
    await page.keyboard.press('Enter')
    await seen.getByText('invoices are checked').waitFor({ timeout: 5_000 })
    expect(await seen.innerText()).toContain('Paused')
    await page.getByRole('button', { name: 'Resume contract' }).click()
    await seen.getByText('Healthy').waitFor({ timeout: 5_000 })
  })
})

describe('keys', () => {
  const LIVE = ['Live', 'Images', 'Review', 'Providers', 'Webhooks', 'Connect']
  it.each([
    { scopes: ['READ'], pages: LIVE, canDecide: false },
    {
      scopes: ['READ', 'GENERATE'],
      pages: ['Live', 'Studio', 'Images', 'Review', 'Providers', 'Webhooks', 'Connect'],
      canDecide: false,
    },
    {
      scopes: ['READ', 'REPORT'],
      pages: ['Live', 'Images', 'Usage', 'Review', 'Providers', 'Webhooks', 'Connect'],
      canDecide: false,
    },
    {
      scopes: ['READ', 'ADMIN'],
      pages: ['Live', 'Images', 'Review', 'Providers', 'Access', 'Webhooks', 'Connect'],
      canDecide: true,
    },
  ] as { scopes: Scope[]; pages: string[]; canDecide: boolean }[])(
    'with $scopes show what they may do, and are never refused',
    async ({ scopes, pages, canDecide }) => {
      await losses.lose(1)
      const { page, codes } = await open('/', { key: await keyWith(...scopes) })
      expect(await pagesOf(page)).toEqual(pages)
      for (const name of pages.slice(1)) {
        await page.getByRole('link', { name: new RegExp(`^${name}`) }).click()
        await page.getByRole('heading', { name, level: 1 }).waitFor()
      }
      await page.goto(`${server.url}/review`)
      await signIn(page, await keyWith(...scopes))
      await page.locator('[data-attempt]').first().waitFor()
      expect((await page.getByRole('checkbox').count()) > 0).toBe(canDecide)
      if (!scopes.includes('REPORT')) {
        await page.evaluate(() => history.pushState(null, '', '/usage'))
        await page.getByText('This key may not read reports').waitFor()
      }
      expect([...codes].filter((code) => code === 'FORBIDDEN')).toEqual([])
      await losses.settle()
    },
  )

  it('with REPORT alone open the report', async () => {
    const { page, codes } = await open('/', { key: await keyWith('REPORT') })
    await page.getByRole('heading', { name: 'Usage' }).waitFor()
    await page.getByRole('slider').waitFor()
    expect(await pagesOf(page)).toEqual(['Usage'])
    expect(codes.has('FORBIDDEN')).toBe(false)
  })

  it('of operators choose the project, which stays in the address', async () => {
    const project = await server.newProject('Atelier')
    await server.operator(project).generate({ prompt: 'a pier of the atelier' })
    const { page, codes } = await open('/')
    await page.getByLabel('Project').selectOption('Atelier')
    await page.getByText('a pier of the atelier').first().waitFor()
    await page.getByRole('link', { name: 'Usage' }).click()
    await page.waitForURL(`**/usage?project=${project}`)
    await expect.poll(() => page.locator('dl > div', { hasText: 'Tasks' }).innerText()).toMatch(/\b1\b/)
    await page.getByRole('button', { name: 'All projects' }).click()
    await page.getByLabel('Split by', { exact: true }).selectOption('PROJECT')
    await page.locator('tr[data-row]', { hasText: 'Atelier' }).waitFor()
    expect(codes.has('FORBIDDEN')).toBe(false)
  })
})

const pagesOf = async (page: Page) =>
  (await page.getByRole('navigation', { name: 'Pages' }).getByRole('link').allInnerTexts()).map((text) =>
    text.replaceAll(/\d+|\bwaiting\b/g, '').trim(),
  )

async function signIn(page: Page, key: string): Promise<void> {
  await page.getByLabel('API key').fill(key)
  await page.keyboard.press('Enter')
}

it('a server that is killed and started again leaves an unknown outcome, which the page shows without a reload', async () => {
  const place = await newPlace('sqlite')
  onTestFinished(() => place.remove())
  const providers = [{ name: 'sandbox', dialect: 'sandbox', durationMs: 60_000 }]
  // A bundle of the server does not find the built dashboard.
  vi.stubEnv('TEST_BUNDLES', undefined)
  onTestFinished(() => void vi.unstubAllEnvs())
  const first = await startGateway(place, { providers })
  const { page } = await openPage(browser, `${first.url}/review`, { refusals: true })
  await page.getByText('Every outcome is known.').waitFor()
  const id = await first.generate({ prompt: 'a raft' })
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Live' }).click()
  await page.locator(`[data-task="${id}"][data-status=RUNNING]`).waitFor()
  await first.kill()
  await page.getByRole('status').getByText('Reconnecting').waitFor()
  await using second = await startGateway(place, { providers, port: Number(new URL(first.url).port) })
  expect(second.url).toBe(first.url)
  await page.locator(`[data-task="${id}"][data-status=OUTCOME_UNKNOWN]`).waitFor()
  await expect.poll(() => page.getByRole('link', { name: /^Review/ }).innerText()).toMatch(/1/)
})

describe('every page of operations', () => {
  const PATHS = [
    '/usage',
    '/review?reason=COST_UNKNOWN',
    '/providers',
    '/providers/sandbox?tab=models',
    '/providers/sandbox?tab=prices',
  ]

  it.each(['light', 'dark'] as const)(
    'has no violation of WCAG 2.2 AA in the %s theme',
    async (colorScheme) => {
      const { page } = await open('/', { colorScheme, reducedMotion: 'reduce' })
      for (const path of PATHS) {
        await visit(page, path)
        expect([path, ...(await violations(page))]).toEqual([path])
      }
      await page.getByRole('button', { name: 'Query' }).click()
      expect(await violations(page)).toEqual([])
    },
  )

  it('fits 390 to 2560 pixels, and a zoom of 200 %', async () => {
    const { page } = await open('/')
    for (const path of PATHS) {
      await visit(page, path)
      for (const width of [390, 640, 768, 1440, 2560]) {
        await page.setViewportSize({ width, height: 900 })
        expect([path, width, ...(await layoutProblems(page))]).toEqual([path, width])
      }
    }
  })

  it('is opened by two keys', async () => {
    const { page } = await open('/')
    for (const [key, name] of [
      ['u', 'Usage'],
      ['r', 'Review'],
      ['p', 'Providers'],
      ['a', 'Access'],
      ['w', 'Webhooks'],
    ] as const) {
      await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur())
      await page.keyboard.press('g')
      await page.keyboard.press(key)
      await expect.poll(() => page.getByRole('heading', { level: 1 }).innerText()).toBe(name)
    }
  })
})

/** Without a reload, which would forget the key. */
async function visit(page: Page, path: string): Promise<void> {
  await page.evaluate((to) => history.pushState(null, '', to), path)
  const [, first = '', name] = path.split(/[/?]/)
  const title = name !== undefined && path.includes('providers/') ? name : first
  await page.getByRole('heading', { level: 1, name: new RegExp(`^${title}$`, 'i') }).waitFor()
  await expect.poll(() => page.locator('[aria-busy=true]').count()).toBe(0)
}
