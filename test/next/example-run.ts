// npm run next-example
// Builds and starts examples/nextjs with the packed package in an empty folder, generates an image through its route, and
// another one with a click in Chromium. Then the same with `output: 'standalone'`, as docs/install.md describes.
// Needs /usr/bin/chromium, and the registry or npm's cache of an earlier run. Exits with 1 if a step fails.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { chromium } from 'playwright-core'
import { createClient } from '../../client/index.ts'
import { pack } from '../package/install.ts'
import { freePort } from '../support/free-port.ts'
import { npm, run, withoutNpm } from '../support/npm.ts'

const EXAMPLE = resolve(import.meta.dirname, '../../examples/nextjs')
const NPM_OPTIONS = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error']
const START_TIMEOUT_MS = 60_000
/** Every application of Next.js has one. */
const LAYOUT = `export default function Layout({ children }: { children: React.ReactNode }) {
  return <html lang="en"><body>{children}</body></html>
}
`

const folder = await mkdtemp(join(tmpdir(), 'darkroom-next-'))
const port = await freePort()
const origin = `http://localhost:${port}`
const next = join(folder, 'node_modules/next/dist/bin/next')
const env = {
  ...withoutNpm(process.env),
  NEXT_TELEMETRY_DISABLED: '1',
  DATA_DIR: join(folder, 'pictures'),
  HOSTNAME: '127.0.0.1',
  PORT: String(port),
}

try {
  await timed('package packed', packExample)
  await timed('packages installed', install)
  await timed('next build', build)
  await use('next start', [next, 'start'], folder)
  await timed('next build, standalone', buildStandalone)
  await use('standalone server', [join(folder, 'deploy/web/server.js')], join(folder, 'deploy'))
} finally {
  await rm(folder, { recursive: true, force: true, maxRetries: 3 })
}

async function use(step: string, program: string[], cwd: string): Promise<void> {
  const server = spawn(process.execPath, program, { cwd, env, stdio: ['ignore', 'inherit', 'inherit'] })
  try {
    await timed(step, () => started(server))
    await timed('page', visitPage)
    await timed('route', generate)
    await timed('click', click)
  } finally {
    const ended = server.exitCode === null ? once(server, 'exit') : undefined
    server.kill('SIGTERM')
    await ended
  }
}

async function timed(step: string, work: () => Promise<string>): Promise<void> {
  const start = performance.now()
  const result = await work()
  process.stdout.write(`${step}: ${result}, ${((performance.now() - start) / 1000).toFixed(1)} s\n`)
}

async function packExample(): Promise<string> {
  const { filename, size } = await pack(folder)
  await copyFile(join(folder, filename), join(folder, 'darkroom.tgz'))
  return `${Math.round(size / 1024)} KB`
}

async function install(): Promise<string> {
  for (const name of ['package.json', 'package-lock.json'])
    await copyFile(join(import.meta.dirname, name), join(folder, name))
  await npm(['ci', ...NPM_OPTIONS], folder)
  await npm(['install', '--no-save', ...NPM_OPTIONS, './darkroom.tgz'], folder)
  const manifest = JSON.parse(await readFile(join(folder, 'node_modules/next/package.json'), 'utf8')) as {
    version: string
  }
  return `Next.js ${manifest.version}`
}

async function build(): Promise<string> {
  await cp(EXAMPLE, folder, { recursive: true })
  await writeFile(join(folder, 'app/layout.tsx'), LAYOUT)
  for (const path of ['app/page.tsx', 'app/images/[...path]/route.ts']) {
    const text = await readFile(join(folder, path), 'utf8')
    await writeFile(join(folder, path), text.replace('http://localhost:3000', origin))
  }
  return runBuild()
}

/** The commands of docs/install.md. */
async function buildStandalone(): Promise<string> {
  const root = 'outputFileTracingRoot: import.meta.dirname'
  await writeFile(join(folder, 'next.config.mjs'), `export default { output: 'standalone', ${root} }\n`)
  const routes = await runBuild()
  const deploy = join(folder, 'deploy')
  await mkdir(deploy)
  await npm(['install', ...NPM_OPTIONS, '--prefix', 'deploy', './darkroom.tgz'], folder)
  await cp(join(folder, '.next/standalone'), join(deploy, 'web'), { recursive: true, verbatimSymlinks: true })
  await cp(join(folder, '.next/static'), join(deploy, 'web/.next/static'), { recursive: true })
  // Otherwise the server would find the package there.
  await rm(join(folder, 'node_modules'), { recursive: true })
  return routes
}

async function runBuild(): Promise<string> {
  const { code, stdout, stderr } = await run(process.execPath, [next, 'build'], { cwd: folder, env })
  if (code !== 0) throw new Error(`next build ended with ${code}:\n${stdout}\n${stderr}`)
  const routes = [...stdout.matchAll(/[○ƒ●] (\/\S*)/g)].map(([, path]) => path)
  return `routes ${routes.join(' ')}`
}

async function started(server: ChildProcess): Promise<string> {
  const deadline = performance.now() + START_TIMEOUT_MS
  while (server.exitCode === null && performance.now() < deadline) {
    const response = await fetch(origin).catch(() => undefined)
    await response?.text()
    if (response) return origin
    await sleep(100)
  }
  throw new Error(`${origin} does not respond; the server's exit code is ${server.exitCode}.`)
}

async function visitPage(): Promise<string> {
  const response = await fetch(origin)
  const html = await response.text()
  if (response.status !== 200 || !html.includes('aria-label="Prompt"'))
    throw new Error(`The page has status ${response.status}: ${html.slice(0, 500)}`)
  const paths = new Set([...html.matchAll(/src="(\/_next\/[^"]+\.js)"/g)].map(([, path]) => path ?? ''))
  const scripts = await Promise.all([...paths].map(async (path) => (await fetch(origin + path)).text()))
  if (!scripts.some((text) => text.includes('mutation GenerateImage')))
    throw new Error(`None of the page's ${scripts.length} scripts contains the client.`)
  return `rendered by the server, ${scripts.length} scripts with the client`
}

async function generate(): Promise<string> {
  const darkroom = createClient({ url: `${origin}/images`, transport: 'sse', giveUpAfterMs: 5_000 })
  const task = await darkroom.generate({ prompt: 'a lighthouse [sandbox:duration=500]', partialImages: 3 })
  const events: string[] = []
  for await (const { type } of task) events.push(type)
  const [image] = await task.images()
  if (!image) throw new Error('The task has no image.')
  const response = await fetch(image.url)
  const bytes = Buffer.from(await response.arrayBuffer())
  if (events.at(-1) !== 'TaskFinished' || bytes.toString('latin1', 1, 4) !== 'PNG')
    throw new Error(`${events.join(' ')}; the image has status ${response.status}.`)
  return `${events.join(' ')}; ${image.mimeType}, ${bytes.length} bytes from ${new URL(image.url).pathname.split('/').slice(0, 3).join('/')}`
}

/** Generates with the page, and watches its previews. */
async function click(): Promise<string> {
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
  try {
    const page = await browser.newPage()
    const problems: string[] = []
    page.on('pageerror', (error) => problems.push(String(error)))
    await page.goto(origin)
    await page.getByRole('textbox', { name: 'Prompt' }).fill('a pier [sandbox:duration=4000]')
    await page.getByRole('button', { name: 'Generate' }).click()
    const image = page.getByRole('img', { name: 'a pier' })
    const previews = new Set<string>()
    const deadline = performance.now() + START_TIMEOUT_MS
    while ((await image.getAttribute('data-state')) !== 'final') {
      if (performance.now() > deadline) throw new Error(`No result: ${await page.locator('p').innerText()}`)
      const [state, src] = await image.evaluate((one: HTMLImageElement) => [one.dataset['state'], one.src])
      if (state === 'partial' && src) previews.add(new URL(src).pathname)
      await sleep(50)
    }
    const width = await image.evaluate(async (one: HTMLImageElement) => {
      await one.decode()
      return one.naturalWidth
    })
    const status = await page.locator('p').innerText()
    const result = `${previews.size} previews, ${status}, ${width} pixels wide`
    if (previews.size !== 3 || !status.startsWith('SUCCEEDED') || width === 0 || problems.length > 0)
      throw new Error(`${result}. ${problems.join(' ')}`)
    return result
  } finally {
    await browser.close()
  }
}
