// Access and Webhooks in Chromium, against a real server with keys and a real receiver.
import { Webhook } from 'standardwebhooks'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ADMIN_KEY, openGatewayWithKeys, type GatewayWithKeys } from '../access/gateway-with-keys.ts'
import type { Client } from '../support/client.ts'
import { ANY_ADDRESS, openReceiver, type Receiver } from '../support/receiver.ts'
import { launch, layoutProblems, openPage, violations, type OpenOptions } from './browser.ts'

let browser: Browser
let server: GatewayWithKeys
let operator: Client
let receiver: Receiver
beforeAll(async () => {
  browser = await launch()
  server = await openGatewayWithKeys({ webhookRule: ANY_ADDRESS })
  operator = server.operator()
  // The first message to an address that asks for it is refused.
  receiver = await openReceiver(
    (response, nth, { path }) => void response.writeHead(path === '/late' && nth === 1 ? 500 : 204).end(),
  )
})
afterAll(async () => {
  await browser?.close()
  await server?.[Symbol.asyncDispose]()
  await receiver?.[Symbol.asyncDispose]()
})

const open = (path: string, options: OpenOptions = {}) =>
  openPage(browser, server.url + path, { key: ADMIN_KEY, refusals: true, ...options })

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name, exact: true })
const dialog = (page: Page) => page.getByRole('dialog')

describe('keys', () => {
  it('are shown once when they are created, work at once, and are gone after a reload', async () => {
    const { page } = await open('/access')
    await button(page, 'Create a key').click()
    await dialog(page).getByLabel('Name').fill('shop of a test')
    await dialog(page)
      .getByRole('checkbox', { name: /^Report/ })
      .check()
    expect(await violations(page)).toEqual([])
    await button(page, 'Create').click()
    const secret = await page.getByRole('group', { name: 'New API key' }).locator('code').innerText()
    expect(secret).toMatch(/^dk_live_/)
    await button(page, 'Try it').click()
    await page.getByText('It works: Read, generate, report, project default.').waitFor()
    expect(await violations(page)).toEqual([])
    // Escape does not lose it.
    await page.keyboard.press('Escape')
    expect(await page.content()).toContain(secret)
    const shop = server.as(secret)
    await shop.ended(await shop.generate({ prompt: 'a till', quality: 'LOW' }))

    await button(page, 'I have stored it').click()
    const row = page.locator('[data-key]', { hasText: 'shop of a test' })
    await row.waitFor()
    // The last use is recorded some time after it.
    const used = { name: 'shop of a test', lastUsedAt: expect.any(String) as unknown }
    await expect
      .poll(() => operator.get('{ project { keys { nodes { name lastUsedAt } } } }'))
      .toMatchObject({ project: { keys: { nodes: expect.arrayContaining([used]) } } })
    await page.reload()
    await page.getByLabel('API key').fill(ADMIN_KEY)
    await page.keyboard.press('Enter')
    await row.waitFor()
    expect(await page.content()).not.toContain(secret)
    await expect.poll(() => row.innerText()).toMatch(/Read, generate, report[^]*(?:just now|\d s ago)/)

    await row.getByRole('link').click()
    await page.waitForURL(/\/access\/keys\/key_\w+$/)
    await button(page, 'Revoke').click()
    expect(await button(page, 'Revoke').last().isDisabled()).toBe(true)
    await dialog(page).getByLabel('Type the name to confirm').fill('shop of a test')
    await page.keyboard.press('Enter')
    await page
      .getByText(/^revoked/)
      .first()
      .waitFor()
    await page.getByText('operator revoked the key “shop of a test”').waitFor()
    await expect(shop.get('{ viewer { isOpen } }')).rejects.toThrow(/UNAUTHENTICATED|revoked/i)
  })
})

async function budgetOf(id: string, period: string) {
  const { node } = await operator.get<{
    node: { budgets: { period: string; limitMicros: number | null }[] }
  }>(
    `query ($id: ID!) { node(id: $id) {
      ... on Project { budgets { period limitMicros } } ... on ApiKey { budgets { period limitMicros } }
    } }`,
    { id },
  )
  return node.budgets.find((one) => one.period === period)?.limitMicros
}
async function projectId(): Promise<string> {
  return (await operator.get<{ project: { id: string } }>('{ project { id } }')).project.id
}

describe('budgets and limits', () => {
  it('of the project are set and removed one by one, with the author of each change', async () => {
    const { page } = await open('/access?tab=budgets')
    await button(page, /^Set a budget this month/).click()
    await dialog(page).getByLabel('Maximum in USD').fill('12.5x')
    expect(await button(page, 'Save').isDisabled()).toBe(true)
    await dialog(page).getByLabel('Maximum in USD').fill('12.5')
    await page.keyboard.press('Enter')
    await page.getByText('spent of $12.50').waitFor()
    expect(await budgetOf(await projectId(), 'MONTH')).toBe(12_500_000)
    await page.getByText('operator set the budget (this month) to $12.50, before: none').waitFor()
    await button(page, /^Remove the budget this month/).click()
    await button(page, 'Remove').click()
    await page.getByText('operator removed the budget (this month), before: $12.50').waitFor()
    expect(await budgetOf(await projectId(), 'MONTH')).toBeNull()
  })

  it('of a key apply to it alone; a limit is changed without the others', async () => {
    const { id } = await server.newKey()
    const { page } = await open(`/access/keys/${id}`)
    await button(page, /^Set a budget today/).click()
    await dialog(page).getByLabel('Maximum in USD').fill('0')
    await dialog(page).getByText('Stops all spending, from the next attempt.').waitFor()
    await page.keyboard.press('Enter')
    await page.getByText('All spending is stopped').waitFor()
    expect(await budgetOf(id, 'DAY')).toBe(0)
    await button(page, 'Change').first().click()
    await dialog(page)
      .getByLabel(/^New tasks per minute/)
      .fill('120')
    await page.keyboard.press('Enter')
    await page.getByText('operator set limits, new tasks per minute: 120').waitFor()
    const { node } = await operator.get<{ node: { limits: Record<string, unknown> } }>(
      'query ($id: ID!) { node(id: $id) { ... on ApiKey { limits { tasksPerMinute concurrentTasks } } } }',
      { id },
    )
    expect(node.limits).toEqual({ tasksPerMinute: 120, concurrentTasks: null })
  })

  it('of the project are shown to an administrator, who cannot change them and is never refused', async () => {
    const { key } = await server.newKey({ scopes: ['READ', 'ADMIN'] })
    const { page, codes } = await open('/access?tab=limits', { key })
    await page.getByText('Limits in force').waitFor()
    expect(await button(page, 'Change').count()).toBe(0)
    expect(await button(page, 'Projects').count()).toBe(0)
    // Budgets need REPORT.
    expect(await button(page, 'Budgets').count()).toBe(0)
    await button(page, 'Keys').click()
    await page.locator('[data-key]').first().getByRole('link').click()
    await page.getByText('Limits of this key').waitFor()
    expect([...codes]).not.toContain('FORBIDDEN')
  })
})

it('a project is created, chosen, and has keys of its own', async () => {
  const { page } = await open('/access?tab=projects')
  await button(page, 'Create a project').click()
  await dialog(page).getByLabel('Name').fill('Workshop')
  await page.keyboard.press('Enter')
  await page.locator('[data-project]', { hasText: 'Workshop' }).getByRole('link').click()
  await page.waitForURL(/\/access\?project=prj_\w+$/)
  expect(await page.locator('[data-key]').count()).toBe(0)
  await page.getByText('This project has no key').waitFor()
})

describe('webhooks', () => {
  it('are created with a secret that is shown once; a message that failed is sent again with its id', async () => {
    const { page } = await open('/webhooks')
    await page.getByText('No webhook yet').waitFor()
    await button(page, 'Create a webhook').click()
    await dialog(page).getByLabel('URL of the receiver').fill(`${receiver.url}/late`)
    await dialog(page).getByLabel('Note').fill('for a test')
    expect(await violations(page)).toEqual([])
    await button(page, 'Create').click()
    const secret = await page
      .getByRole('group', { name: 'Secret of the webhook' })
      .locator('code')
      .innerText()
    expect(await violations(page)).toEqual([])
    await button(page, 'I have stored it').click()
    expect(await page.content()).not.toContain(secret)

    await button(page, 'Send a test').click()
    await page.getByRole('link', { name: /^HTTP 500 in .*: the receiver refused it$/ }).click()
    await page.waitForURL(/\/webhooks\/deliveries\/dlv_\w+$/)
    await page.locator('[data-try="1"]').waitFor()
    await button(page, 'Send again').click()
    await page.locator('[data-try="2"]', { hasText: 'HTTP 204' }).waitFor()
    await page.getByText('Delivered').first().waitFor()
    const [first, second] = await receiver.received(2, '/late')
    const ids = [first!, second!].map(({ headers }) => headers['webhook-id'])
    expect(ids).toEqual([page.url().split('/').at(-1), page.url().split('/').at(-1)])
    expect(first!.body).toBe(second!.body)
    for (const { body, headers } of [first!, second!])
      expect(new Webhook(secret).verify(body, headers)).toMatchObject({ type: 'webhook.test' })
  })

  it('show the delivery of a task by its state, send several again, and are edited and deleted', async () => {
    const { createWebhook } = await operator.get<{ createWebhook: { webhook: { id: string } } }>(
      'mutation ($url: URL!) { createWebhook(input: { url: $url }) { webhook { id } } }',
      { url: `${receiver.url}/orders` },
    )
    const { id } = createWebhook.webhook
    const { page } = await open(`/webhooks/${id}`)
    await page.getByText('No message yet').waitFor()
    await operator.ended(await operator.generate({ prompt: 'an order', quality: 'LOW' }))
    const row = page.locator('[data-delivery][data-state=SUCCEEDED]')
    await row.waitFor()
    await button(page, 'Failed').click()
    await page.waitForURL(/state=FAILED$/)
    await page.getByText('No delivery is in the state “failed”.').waitFor()
    await page.goBack()
    await row.getByRole('checkbox').check()
    await button(page, 'Send 1 again').click()
    await receiver.received(2, '/orders')
    await button(page, 'Edit').click()
    await dialog(page)
      .getByRole('checkbox', { name: /^All events/ })
      .uncheck()
    for (const name of [/succeeded/, /canceled/, /unknown/])
      await dialog(page).getByRole('checkbox', { name }).uncheck()
    await button(page, 'Save').click()
    await page.getByText('task.failed', { exact: true }).waitFor()
    await button(page, 'Delete').click()
    await dialog(page).getByRole('button', { name: 'Delete' }).click()
    await page.waitForURL(/\/webhooks$/)
    expect(await page.locator(`[data-webhook="${id}"]`).count()).toBe(0)
  })

  it('are read only for a key without ADMIN, which is never refused', async () => {
    const { key } = await server.newKey({ scopes: ['READ'] })
    const { page, codes } = await open('/webhooks', { key })
    await page.locator('[data-delivery]').first().waitFor()
    expect(await page.getByRole('checkbox').count()).toBe(0)
    expect(await page.getByRole('button', { name: /Create|Send|secret/ }).count()).toBe(0)
    await page.locator('[data-delivery] a').first().click()
    await page.locator('[data-try]').first().waitFor()
    expect(await page.getByRole('button', { name: /Send/ }).count()).toBe(0)
    await page.evaluate(() => history.pushState(null, '', '/access'))
    await page.getByText('The key lacks the scope ADMIN.').waitFor()
    expect([...codes]).not.toContain('FORBIDDEN')
  })
})

describe('every page of access and webhooks', () => {
  it('has no violation of WCAG 2.2 AA, and fits 390 to 2560 pixels, in both themes', async () => {
    const { nodes } = (
      await operator.get<{ webhookDeliveries: { nodes: { id: string; webhook: { id: string } }[] } }>(
        '{ webhookDeliveries(first: 1) { nodes { id webhook { id } } } }',
      )
    ).webhookDeliveries
    const { id: key } = await server.newKey()
    const { page } = await open('/access', { reducedMotion: 'reduce' })
    const paths = [
      '/access',
      '/access?tab=budgets',
      '/access?tab=limits',
      '/access?tab=projects',
      `/access/keys/${key}`,
      '/webhooks',
      `/webhooks/${nodes[0]!.webhook.id}`,
      `/webhooks/deliveries/${nodes[0]!.id}`,
    ]
    for (const path of paths) {
      await page.evaluate((to) => history.pushState(null, '', to), path)
      await page.getByRole('heading', { level: 1 }).waitFor()
      await expect.poll(() => page.locator('[aria-busy=true]').count()).toBe(0)
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme })
        // The frame was checked with the first page.
        expect([path, ...(await violations(page, path === paths[0] ? 'html' : 'main'))]).toEqual([path])
      }
      for (const width of [390, 640, 768, 2560, 1280]) {
        await page.setViewportSize({ width, height: 900 })
        expect([path, width, ...(await layoutProblems(page))]).toEqual([path, width])
      }
    }
  })

  it('that does not fit the bar of a narrow window is behind "More"', async () => {
    const { page } = await open('/', { viewport: { width: 390, height: 844 } })
    const nav = page.getByRole('navigation', { name: 'Pages' })
    const more = nav.getByRole('button', { name: /^More/ })
    await more.click()
    expect(await violations(page, 'nav')).toEqual([])
    await page.keyboard.press('Escape')
    expect(await nav.getByRole('link', { name: 'Access' }).count()).toBe(0)
    await page.keyboard.press('Enter')
    await nav.getByRole('link', { name: 'Access' }).click()
    await page.getByRole('heading', { name: 'Access' }).waitFor()
    expect(await nav.getByRole('link').count()).toBe(4)
  })

  it('moves through its rows with one tab stop, by arrows, Home and End', async () => {
    for (let count = 0; count < 2; count++) await server.newKey()
    const { page } = await open('/access')
    const links = page.locator('[data-key] a')
    await links.nth(1).waitFor()
    const stops = () => page.locator('[data-key] a:not([tabindex="-1"])').count()
    await expect.poll(stops).toBe(1)
    const focused = () =>
      page.evaluate(() => document.activeElement?.closest('[data-key]')?.getAttribute('data-key'))
    const keys = await page
      .locator('[data-key]')
      .evaluateAll((rows) => rows.map((row) => row.getAttribute('data-key')))
    await links.first().focus()
    await page.keyboard.press('ArrowDown')
    expect(await focused()).toBe(keys[1])
    await page.keyboard.press('End')
    expect(await focused()).toBe(keys.at(-1))
    await page.keyboard.press('Home')
    expect(await focused()).toBe(keys[0])
    expect(await stops()).toBe(1)
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/access\/keys\//)
  })
})

it('a server without keys says how the first one is created', async () => {
  await using unlocked = await openGatewayWithKeys({ settings: { adminKey: null } })
  const { page } = await openPage(browser, `${unlocked.url}/access`)
  await page.getByRole('heading', { name: 'Set the key of the operator' }).waitFor()
  expect(await button(page, 'Create a key').count()).toBe(0)
  expect(await violations(page)).toEqual([])
  await page.context().close()
})
