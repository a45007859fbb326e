// npm run screenshots [-- --only live,access]
// Screenshots of every page of the dashboard, light and dark, at 390 and 1440 pixels, with a week of sample tasks, and with
// sample keys and webhooks. Writes out/dashboard/<page>-<theme>-<width>.png, and exits with 1 if a page is wider than its
// window. `--only`: pages whose name begins with one of these.
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { chromium, type Browser, type Page } from 'playwright-core'
import { ADMIN_KEY } from '../access/gateway-with-keys.ts'
import { startGateway, type GatewayProcess } from '../support/gateway-process.ts'
import { openSampleAccess, type SampleAccess } from './sample-access.ts'
import { makeHistory, SAMPLE_PROVIDERS } from './sample-history.ts'

const FOLDER = 'out/dashboard'
const WIDTHS = [390, 1440]
const THEMES = ['light', 'dark'] as const
/** For pictures and fonts, after the page shows its data. */
const SETTLE_MS = 700

interface Shot {
  path: string
  /** Done before the screenshot. */
  act?: (page: Page) => Promise<void>
}

const { values } = parseArgs({ options: { only: { type: 'string' } } })
const only = values.only?.split(',')

execFileSync(process.execPath, ['dashboard/build.ts', '--if-stale'], { stdio: 'inherit' })
await mkdir(FOLDER, { recursive: true })
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
try {
  if (!only || only.some(isOfAccess)) await shootAccess()
  if (!only || !only.every(isOfAccess)) await shootHistory()
} finally {
  await browser.close()
}

function isOfAccess(name: string): boolean {
  return /^(?:access|webhook|delivery)/.test(name)
}

function isWanted(name: string): boolean {
  return !only || only.some((one) => name.startsWith(one))
}

async function shootHistory(): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-screenshots-'))
  const place = { databaseUrl: null, dataDir, remove: () => rm(dataDir, { recursive: true, force: true }) }
  {
    await using server = await startGateway(place, { providers: SAMPLE_PROVIDERS, canSetClock: true })
    await makeHistory(server)
    await shootAll(server.url, await historyShots(server))
  }
  await place.remove()
}

async function shootAccess(): Promise<void> {
  await using sample = await openSampleAccess()
  await shootAll(sample.gateway.url, accessShots(sample), ADMIN_KEY)
}

/** By the name of the page. */
async function historyShots(server: GatewayProcess): Promise<Record<string, Shot>> {
  const { tasks, images, attempts } = await server.get<{
    tasks: { nodes: { id: string }[] }
    images: { nodes: { id: string }[] }
    attempts: { nodes: { id: string }[] }
  }>(
    '{ tasks(first: 1, filter: { statuses: [SUCCEEDED] }) { nodes { id } } images(first: 2) { nodes { id } } attempts: attemptsNeedingReview(first: 1) { nodes { id } } }',
  )
  const [first, second] = images.nodes.map(({ id }) => id)
  return {
    live: { path: '/' },
    'live-table': { path: '/?view=table' },
    'live-filtered': { path: '/?q=nothing-of-this-kind&from=24h' },
    studio: { path: '/studio' },
    'studio-edit': { path: `/studio?from=${first}` },
    images: { path: '/images' },
    'images-large': { path: '/images?size=l&kind=result' },
    'images-none': { path: '/images?q=nothing-of-this-kind' },
    image: { path: `/images/${first}` },
    'image-missing': { path: '/images/img_missing' },
    connect: { path: '/connect' },
    'connect-js': { path: '/connect?lang=js' },
    'connect-openai': { path: '/connect?lang=openai' },
    compare: { path: `/compare?a=${first}&b=${second}` },
    task: { path: `/tasks/${tasks.nodes[0]?.id}` },
    usage: { path: '/usage' },
    'usage-day': { path: '/usage?range=24h&split=provider&measure=images' },
    'usage-empty': { path: '/usage?from=2020-01-01&to=2020-01-08' },
    review: { path: '/review' },
    'review-attempt': { path: `/review?attempt=${attempts.nodes[0]?.id}` },
    'review-costs': { path: '/review?reason=COST_UNKNOWN' },
    providers: { path: '/providers' },
    'provider-health': { path: '/providers/openai' },
    'provider-models': { path: '/providers/openai?tab=models' },
    'provider-prices': { path: '/providers/openai?tab=prices' },
    // Without keys.
    'open-access': { path: '/access' },
    'open-webhooks': { path: '/webhooks' },
  }
}

function press(name: string): Pick<Shot, 'act'> {
  return { act: (page) => page.getByRole('button', { name }).last().click() }
}

function accessShots({ key, webhook, delivery }: SampleAccess): Record<string, Shot> {
  return {
    access: { path: '/access' },
    'access-create': { path: '/access', ...press('Create a key') },
    'access-created': {
      path: '/access',
      async act(page) {
        await page.getByRole('button', { name: 'Create a key' }).click()
        await page.getByLabel('Name').fill('sample')
        await page.getByRole('button', { name: 'Create', exact: true }).click()
        await page.getByRole('button', { name: 'Try it' }).click()
        await page.getByText('It works').waitFor()
      },
    },
    'access-budgets': { path: '/access?tab=budgets' },
    'access-budget-form': { path: '/access?tab=budgets', ...press('Change this month') },
    'access-limits': { path: '/access?tab=limits' },
    'access-projects': { path: '/access?tab=projects' },
    'access-key': { path: `/access/keys/${key}` },
    'access-missing': { path: '/access/keys/key_01NOTHING' },
    webhooks: { path: '/webhooks' },
    'webhooks-create': { path: '/webhooks', ...press('Create a webhook') },
    webhook: { path: `/webhooks/${webhook}` },
    delivery: { path: `/webhooks/deliveries/${delivery}` },
  }
}

async function shootAll(url: string, shots: Readonly<Record<string, Shot>>, key?: string): Promise<void> {
  for (const theme of THEMES)
    for (const width of WIDTHS)
      for (const [name, shot] of Object.entries(shots))
        if (isWanted(name)) await shoot(browser, url, { name, theme, width, key, ...shot })
}

async function shoot(
  from: Browser,
  url: string,
  options: Shot & { name: string; theme: 'light' | 'dark'; width: number; key: string | undefined },
): Promise<void> {
  const { name, path, theme, width, key, act } = options
  const viewport = { width, height: width < 720 ? 844 : 900 }
  const context = await from.newContext({ viewport, colorScheme: theme, reducedMotion: 'reduce' })
  const page = await context.newPage()
  await page.goto(url + path)
  if (key !== undefined) {
    await page.getByLabel('API key').fill(key)
    await page.keyboard.press('Enter')
    await page.getByRole('navigation', { name: 'Pages' }).waitFor()
  }
  await page.locator('h1, [role=textbox], textarea').first().waitFor()
  await page.locator('[aria-busy=true]').first().waitFor({ state: 'detached' })
  await act?.(page)
  await page.waitForTimeout(SETTLE_MS)
  const excess = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  )
  if (excess > 0) {
    process.stderr.write(`${name} is ${excess} pixels wider than ${width}.\n`)
    process.exitCode = 1
  }
  await page.screenshot({ path: join(FOLDER, `${name}-${theme}-${width}.png`) })
  await context.close()
}
