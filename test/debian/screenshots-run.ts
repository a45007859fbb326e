// npm run screenshots [-- <page> …]
// Screenshots of every page of the dashboard, light and dark, at 390 and 1440 pixels, with a week of sample tasks. Writes
// out/dashboard/<page>-<theme>-<width>.png, and exits with 1 if a page is wider than its window.
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { chromium, type Browser } from 'playwright-core'
import { startGateway, type GatewayProcess } from '../support/gateway-process.ts'
import { makeHistory, SAMPLE_PROVIDERS } from './sample-history.ts'

const FOLDER = 'out/dashboard'
const WIDTHS = [390, 1440]
const THEMES = ['light', 'dark'] as const
/** For pictures and fonts, after the page shows its data. */
const SETTLE_MS = 700

execFileSync(process.execPath, ['dashboard/build.ts', '--if-stale'], { stdio: 'inherit' })
await mkdir(FOLDER, { recursive: true })
const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-screenshots-'))
const place = { databaseUrl: null, dataDir, remove: () => rm(dataDir, { recursive: true, force: true }) }
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
try {
  await using server = await startGateway(place, { providers: SAMPLE_PROVIDERS, canSetClock: true })
  await makeHistory(server)
  const pages = await pagesOf(server)
  const wanted = process.argv.slice(2)
  const isWanted = (name: string) => wanted.length === 0 || wanted.some((one) => name.startsWith(one))
  for (const theme of THEMES)
    for (const width of WIDTHS)
      for (const [name, path] of Object.entries(pages).filter(([one]) => isWanted(one)))
        await shoot(browser, server.url + path, { name, theme, width })
} finally {
  await browser.close()
  await place.remove()
}

/** Paths by the name of the page. */
async function pagesOf(server: GatewayProcess): Promise<Record<string, string>> {
  const { tasks, images, attempts } = await server.get<{
    tasks: { nodes: { id: string }[] }
    images: { nodes: { id: string }[] }
    attempts: { nodes: { id: string }[] }
  }>(
    '{ tasks(first: 1, filter: { statuses: [SUCCEEDED] }) { nodes { id } } images(first: 2) { nodes { id } } attempts: attemptsNeedingReview(first: 1) { nodes { id } } }',
  )
  const [first, second] = images.nodes.map(({ id }) => id)
  return {
    live: '/',
    studio: '/studio',
    'studio-edit': `/studio?from=${first}`,
    images: '/images',
    'images-large': '/images?size=l&kind=result',
    'images-none': '/images?q=nothing-like-this',
    image: `/images/${first}`,
    'image-missing': '/images/img_missing',
    connect: '/connect',
    'connect-js': '/connect?lang=js',
    'connect-openai': '/connect?lang=openai',
    compare: `/compare?a=${first}&b=${second}`,
    task: `/tasks/${tasks.nodes[0]?.id}`,
    usage: '/usage',
    'usage-day': '/usage?range=24h&split=provider&measure=images',
    'usage-empty': '/usage?from=2020-01-01&to=2020-01-08',
    review: '/review',
    'review-attempt': `/review?attempt=${attempts.nodes[0]?.id}`,
    'review-costs': '/review?reason=COST_UNKNOWN',
    providers: '/providers',
    'provider-health': '/providers/openai',
    'provider-models': '/providers/openai?tab=models',
    'provider-prices': '/providers/openai?tab=prices',
  }
}

async function shoot(
  from: Browser,
  url: string,
  { name, theme, width }: { name: string; theme: 'light' | 'dark'; width: number },
): Promise<void> {
  const viewport = { width, height: width < 720 ? 844 : 900 }
  const context = await from.newContext({ viewport, colorScheme: theme, reducedMotion: 'reduce' })
  const page = await context.newPage()
  await page.goto(url)
  await page.locator('h1, [role=textbox], textarea').first().waitFor()
  await page.locator('[aria-busy=true]').first().waitFor({ state: 'detached' })
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
