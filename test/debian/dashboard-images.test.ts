// The pages Images and Connect in Chromium, against a real server with keys and the sandbox.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Browser, Page } from 'playwright-core'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { Scope } from '../../src/domain.ts'
import { ADMIN_KEY, openGatewayWithKeys, type GatewayWithKeys } from '../access/gateway-with-keys.ts'
import type { Client } from '../support/client.ts'
import { CLIENTS_FOLDER, installClients } from '../support/client-packages.ts'
import { launch, layoutProblems, openPage, violations, type OpenOptions } from './browser.ts'

const execute = promisify(execFile)

let browser: Browser
let server: GatewayWithKeys
let operator: Client
beforeAll(async () => {
  browser = await launch()
  server = await openGatewayWithKeys({
    providers: [
      { name: 'sandbox', dialect: 'sandbox', durationMs: 0 },
      { name: 'lab', dialect: 'sandbox', durationMs: 0 },
    ],
  })
  operator = server.operator()
})
afterAll(async () => {
  await browser?.close()
  await server?.[Symbol.asyncDispose]()
})

const open = async (path: string, options: OpenOptions = {}) =>
  (await openPage(browser, server.url + path, { key: ADMIN_KEY, refusals: true, ...options })).page
const tile = (page: Page, id: string) => page.locator(`[data-image="${id}"]`)

/** After the page was loaded again. */
async function signIn(page: Page): Promise<void> {
  await page.getByLabel('API key').fill(ADMIN_KEY)
  await page.keyboard.press('Enter')
}

interface Made {
  id: string
  task: string
}

/** A picture, and with `n` more of them. */
async function make(input: Record<string, unknown>): Promise<Made[]> {
  const task = await operator.generate({ providers: ['sandbox'], size: '1024x1024', ...input })
  await operator.ended(task)
  const { images } = await operator.get<{ images: { nodes: { id: string; task: { id: string } }[] } }>(
    '{ images(first: 20) { nodes { id task { id } } } }',
  )
  return images.nodes.filter((one) => one.task.id === task).map(({ id }) => ({ id, task }))
}

async function makeOne(input: Record<string, unknown>): Promise<Made> {
  const [image] = await make(input)
  if (!image) throw new Error('There is no image.')
  return image
}

async function keyWith(...scopes: Scope[]): Promise<string> {
  return (await server.newKey({ scopes })).key
}

describe('the page Images', () => {
  it('shows results and inputs of the filter in its address', async () => {
    const png = await sharp({ create: { width: 64, height: 32, channels: 3, background: '#345' } })
      .png()
      .toBuffer()
    const upload = `data:image/png;base64,${png.toString('base64')}`
    const owl = await makeOne({ prompt: 'an owl', providers: ['lab'] })
    const fox = await makeOne({ prompt: 'a red fox', images: [{ dataUrl: upload }] })
    const page = await open('/images?q=fox')
    await tile(page, fox.id).waitFor()
    await page.getByText('2 pictures').waitFor()
    expect(await page.locator('[data-image]').count()).toBe(2)
    await page.getByRole('button', { name: 'Inputs' }).click()
    await page.waitForURL(/\/images\?q=fox&kind=input$/)
    await page.getByText('64 × 32').waitFor()
    expect(await tile(page, fox.id).count()).toBe(0)
    await page.getByRole('button', { name: 'Clear' }).click()
    await page.getByLabel('Provider').selectOption('lab')
    await tile(page, owl.id).waitFor()
    expect(await tile(page, fox.id).count()).toBe(0)
    await page.goBack()
    await tile(page, fox.id).waitFor()
  })

  it('says when there is nothing, and how many pictures are new', async () => {
    const page = await open('/images?q=gull')
    await page.getByText('No picture matches.').waitFor()
    const gull = await makeOne({ prompt: 'a gull' })
    await page.getByRole('button', { name: '1 new' }).click()
    await tile(page, gull.id).waitFor()
    expect(await page.getByRole('button', { name: /new$/ }).count()).toBe(0)
  })

  it('is walked by keyboard: arrows, Enter, j and k, Escape', async () => {
    const made = (await make({ prompt: 'a heron', n: 3 })).map(({ id }) => id)
    const page = await open('/images?q=heron')
    await tile(page, made[0]!).focus()
    await page.keyboard.press('End')
    await expect.poll(() => tile(page, made[2]!).evaluate((one) => one === document.activeElement)).toBe(true)
    await page.keyboard.press('ArrowLeft')
    await page.keyboard.press('Enter')
    await page.waitForURL(new RegExp(`/images/${made[1]}\\?q=heron$`))
    await page.getByRole('heading', { name: 'Files' }).waitFor()
    await page.keyboard.press('j')
    await page.waitForURL(new RegExp(made[2]!))
    await page.keyboard.press('k')
    await page.keyboard.press('k')
    await page.waitForURL(new RegExp(made[0]!))
    await page.keyboard.press('Escape')
    await page.waitForURL(/\/images\?q=heron$/)
  })

  it('downloads, compares and deletes what is selected', async () => {
    const made = (await make({ prompt: 'a crane', n: 2 })).map(({ id }) => id)
    const page = await open('/images?q=crane')
    for (const id of made) {
      await tile(page, id).focus()
      await page.keyboard.press('Space')
    }
    const bar = page.getByRole('region', { name: 'Selection' })
    await bar.getByText('2 selected').waitFor()
    expect(await violations(page)).toEqual([])
    const names: string[] = []
    page.on('download', (download) => names.push(download.suggestedFilename()))
    await bar.getByRole('button', { name: 'Download' }).click()
    await expect.poll(() => names.toSorted()).toEqual(made.map((id) => `${id}.png`).toSorted())
    await page.keyboard.press('c')
    await page.waitForURL(`${server.url}/compare?a=${made[0]}&b=${made[1]}`)
    await page.getByRole('heading', { name: 'Compare', exact: true }).waitFor()
    await page.goBack()
    await page.getByRole('checkbox', { name: /crane/ }).first().check()
    await bar.getByRole('button', { name: 'Delete' }).click()
    const dialog = page.getByRole('dialog', { name: 'Delete this picture?' })
    await dialog.waitFor()
    expect(await violations(page)).toEqual([])
    await dialog.getByRole('button', { name: 'Keep' }).click()
    await bar.getByRole('button', { name: 'Delete' }).click()
    await dialog.getByRole('button', { name: 'Delete' }).click()
    await page.getByText('1 picture', { exact: true }).waitFor()
    expect(await page.locator('[data-image]').count()).toBe(1)
  })
})

describe('the page of a picture', () => {
  it('has its cost, its task, files under their names, and what it was used for', async () => {
    const bell = await makeOne({ prompt: 'a bell' })
    const night = await makeOne({ prompt: 'a bell at night', images: [{ imageId: bell.id }] })
    const page = await open(`/images/${bell.id}`)
    const { node } = await operator.get<{ node: { costMicros: number } }>(
      'query ($id: ID!) { node(id: $id) { ... on Image { costMicros } } }',
      { id: bell.id },
    )
    await page
      .locator('dd strong')
      .getByText(`$${node.costMicros / 1e6}`, { exact: true })
      .waitFor()
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download 320 px, WebP' }).click(),
    ])
    expect(download.suggestedFilename()).toBe(`${bell.id}.webp`)
    expect(await sharp(await readFile(await download.path())).metadata()).toMatchObject({ width: 320 })
    await page.locator(`[data-history="${night.task}"]`).waitFor()
    await page.getByRole('link', { name: 'a bell at night', exact: true }).click()
    await page.waitForURL(`${server.url}/tasks/${night.task}`)
    await page.goBack()
    await page.getByRole('link', { name: 'Edit', exact: true }).click()
    await page.waitForURL(`${server.url}/studio?from=${bell.id}`)
  })

  it('deletes it after a question, unless the browser is offline', async () => {
    const drum = await makeOne({ prompt: 'a drum' })
    const page = await open(`/images/${drum.id}`)
    const remove = page.getByRole('button', { name: 'Delete' })
    await remove.waitFor()
    await page.context().setOffline(true)
    await expect.poll(() => remove.isDisabled()).toBe(true)
    await page.context().setOffline(false)
    await remove.click()
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
    await page.waitForURL(`${server.url}/images`)
    await page.goto(`${server.url}/images/${drum.id}`)
    await signIn(page)
    await page.getByRole('heading', { name: 'This project has no such picture' }).waitFor()
  })

  it('offers a key what it may do', async () => {
    const flute = await makeOne({ prompt: 'a flute' })
    const { page: reader, codes } = await openPage(browser, `${server.url}/images/${flute.id}`, {
      key: await keyWith('READ'),
      refusals: true,
    })
    await reader.getByRole('heading', { name: 'Files' }).waitFor()
    expect(await reader.getByRole('button', { name: 'Delete' }).count()).toBe(0)
    expect(await reader.getByRole('link', { name: 'Edit', exact: true }).count()).toBe(0)
    expect([...codes]).not.toContain('FORBIDDEN')
    const other = await open('/images', { key: await keyWith('REPORT') })
    await other.getByText('The key lacks the scope READ.').waitFor()
    expect(await other.getByRole('link', { name: 'Images' }).count()).toBe(0)
  })
})

/** Texts of the blocks by their titles. */
async function blocksOf(page: Page): Promise<Record<string, string>> {
  await page.locator('section > pre').first().waitFor()
  const blocks = await page.locator('section:has(> pre)').all()
  return Object.fromEntries(
    await Promise.all(
      blocks.map(async (one) => [
        await one.getByRole('heading').innerText(),
        (await one.locator('pre').textContent()) ?? '',
      ]),
    ),
  )
}

/** The newest task, once it has ended. */
async function newestTask(): Promise<{ operation: string } | undefined> {
  const { tasks } = await operator.get<{ tasks: { nodes: { id: string; operation: string }[] } }>(
    '{ tasks(first: 1) { nodes { id operation } } }',
  )
  const [task] = tasks.nodes
  await operator.ended(task?.id ?? '')
  return task
}

describe('the page Connect', () => {
  let key = ''
  let folder = ''
  beforeAll(async () => {
    key = await keyWith('GENERATE', 'READ')
    folder = await mkdtemp(join(tmpdir(), 'darkroom-connect-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  const shell = (command: string) =>
    execute('bash', ['-c', command], {
      cwd: folder,
      env: { ...process.env, DARKROOM_KEY: key },
      timeout: 30_000,
    })
  it('has curl commands that run as they are shown, and shows the task that arrives', async () => {
    const page = await open('/connect', { key })
    await page.getByText('Waiting for your first task').waitFor()
    const blocks = await blocksOf(page)
    expect(await page.locator('body').innerText()).not.toContain(key)
    const feed = shell(
      `timeout 15 ${blocks['Watch every task of the project']} | grep -m1 --line-buffered TaskFinished`,
    )
    const { stdout } = await shell(blocks['Make a picture'] ?? '')
    const { id } = (JSON.parse(stdout) as { data: { generateImage: { task: { id: string } } } }).data
      .generateImage.task
    await page.getByRole('link', { name: 'Open it' }).waitFor()
    expect(await page.getByRole('link', { name: 'Open it' }).getAttribute('href')).toBe(`/tasks/${id}`)
    await newestTask()
    expect((await feed).stdout).toContain(id)
    await shell(blocks['Save the newest picture'] ?? '')
    expect(await sharp(join(folder, 'picture.png')).metadata()).toMatchObject({ format: 'png' })
    await shell(blocks['Edit it'] ?? '')
    expect(await newestTask()).toMatchObject({ operation: 'EDIT' })
  })

  it('has programs for graphql-ws and for the SDK of OpenAI that run as they are shown', async () => {
    await installClients()
    const programs = join(CLIENTS_FOLDER, 'programs')
    const run = async (text: string) => {
      const file = join(programs, `connect-${process.pid}-${text.length}.mjs`)
      onTestFinished(() => rm(file, { force: true }))
      await writeFile(file, text)
      return (
        await execute(process.execPath, [file], { cwd: folder, env: { ...process.env, DARKROOM_KEY: key } })
      ).stdout
    }
    const page = await open('/connect?lang=js', { key })
    const script = (await blocksOf(page))['Make a picture and watch it develop'] ?? ''
    expect(await run(script)).toMatch(/^TaskFinished SUCCEEDED 1 http:\S+\/assets\/img_\S+$/m)
    await page.getByRole('button', { name: 'OpenAI SDK' }).click()
    await page.waitForURL(/lang=openai$/)
    await page.getByRole('button', { name: 'Insert my key' }).click()
    const blocks = await blocksOf(page)
    expect(blocks['Make a picture']).toContain(`apiKey: '${key}'`)
    expect(await run(blocks['Make a picture'] ?? '')).toBe('picture.png\n')
    expect(await run(blocks['Edit it, and watch it develop'] ?? '')).toMatch(/^image_edit.completed$/m)
    expect(await sharp(join(folder, 'night.png')).metadata()).toMatchObject({ format: 'png' })
  })
})

it.each([
  [390, 'light'],
  [2560, 'dark'],
] as const)(
  'the pages fit %d pixels and have no violation of WCAG 2.2 AA, %s',
  async (width, colorScheme) => {
    const { id } = await makeOne({ prompt: 'a violin' })
    const viewport = { width, height: 900 }
    const page = await open('/images', { viewport, colorScheme, reducedMotion: 'reduce' })
    for (const path of ['/images', `/images/${id}`, '/connect?lang=js']) {
      await page.goto(server.url + path)
      await page.getByLabel('API key').fill(ADMIN_KEY)
      await page.keyboard.press('Enter')
      await page.locator('[data-image], article h1, section > pre').first().waitFor()
      expect([path, ...(await layoutProblems(page)), ...(await violations(page))]).toEqual([path])
    }
  },
)
